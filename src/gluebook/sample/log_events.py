"""The kinds of log lines of an invented database server, with their attributes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Attributes = dict[str, Any]

_APPS = ("order-desk", "stock-keeper", "Kasse-Übersicht", "nightly-report", "shell 2.0.1")
_COLLECTIONS = ("shop.orders", "shop.customers", "stock.movements", "stock.places", "mart.daily")
_FILTERS: tuple[Attributes, ...] = (
    {"status": "open"},
    {"place": {"$in": ["A-01", "B-17", "Straße 4"]}},
    {"at": {"$gte": {"$date": "2025-12-31T23:00:00.000Z"}}},
    {"note": 'says "later", see \\\\share\\notes'},
)
_PLANS = ("COLLSCAN", "IXSCAN { status: 1 }", "IXSCAN { at: -1, place: 1 }", "IDHACK")


def _remote(rng: random.Random) -> str:
    """Addresses of the documentation ranges (RFC 5737)."""
    network = rng.choice(("192.0.2", "198.51.100", "203.0.113"))
    return f"{network}.{rng.randint(1, 254)}:{rng.randint(32768, 60999)}"


def _millis(rng: random.Random) -> int:
    """Mostly short, with a long tail."""
    return int(rng.lognormvariate(3.2, 1.4))


def _slow_read(rng: random.Random) -> Attributes:
    namespace = rng.choice(_COLLECTIONS)
    database, collection = namespace.split(".")
    examined, returned = rng.randint(1, 200_000), rng.randint(0, 500)
    return {
        "type": "command",
        "ns": namespace,
        "appName": rng.choice(_APPS),
        "command": {"find": collection, "filter": rng.choice(_FILTERS), "$db": database},
        "planSummary": rng.choice(_PLANS),
        "keysExamined": examined // 2,
        "docsExamined": examined,
        "nreturned": returned,
        "reslen": 96 + 412 * returned,
        "locks": {"Global": {"acquireCount": {"r": 1 + examined // 5000}}},
        "remote": _remote(rng),
        "protocol": "op_msg",
        "durationMillis": _millis(rng),
    }


def _slow_write(rng: random.Random) -> Attributes:
    written = rng.randint(0, 40)
    return {
        "type": rng.choice(("update", "insert", "remove")),
        "ns": rng.choice(_COLLECTIONS),
        "appName": rng.choice(_APPS),
        "nMatched": written,
        "nModified": written,
        "locks": {"Global": {"acquireCount": {"w": 1 + written}}},
        "storage": {"data": {"bytesRead": rng.randint(0, 90_000), "timeReadingMicros": rng.randint(0, 4000)}},
        "remote": _remote(rng),
        "durationMillis": _millis(rng),
    }


def _connection(rng: random.Random) -> Attributes:
    number = rng.randint(1, 9000)
    return {"remote": _remote(rng), "connectionId": number, "connectionCount": 1 + number % 120}


def _client(rng: random.Random) -> Attributes:
    return {
        "remote": _remote(rng),
        "doc": {
            "application": {"name": rng.choice(_APPS)},
            "driver": {"name": "example-driver", "version": "4.3.2"},
        },
    }


def _index_built(rng: random.Random) -> Attributes:
    return {"namespace": rng.choice(_COLLECTIONS), "index": "at_-1", "durationMillis": 40 * _millis(rng)}


def _checkpoint(rng: random.Random) -> Attributes:
    return {
        "message": f"saving checkpoint snapshot, {rng.randint(0, 90_000)} pages\nmeta 0",
        "durationMillis": _millis(rng),
    }


def _socket(rng: random.Random) -> Attributes:
    return {"error": {"code": 6, "codeName": "HostUnreachable", "errmsg": f"no route to {_remote(rng)}"}}


def _command_failed(rng: random.Random) -> Attributes:
    return {
        "ns": rng.choice(_COLLECTIONS),
        "error": {"code": 50, "codeName": "MaxTimeMSExpired", "errmsg": "operation exceeded time limit"},
        "durationMillis": 1000 + _millis(rng),
    }


def _disk(rng: random.Random) -> Attributes:
    return {"error": 28, "file": f"collection-{rng.randint(1, 400)}.wt", "message": "No space left on device"}


def _assertion(rng: random.Random) -> Attributes:
    return {
        "msgid": rng.randint(20_000, 60_000),
        "file": "src/storage/journal.cpp",
        "line": rng.randint(40, 900),
    }


def _plan(rng: random.Random) -> Attributes:
    return {
        "ns": rng.choice(_COLLECTIONS),
        "planSummary": rng.choice(_PLANS),
        "score": round(rng.random() * 2, 4),
    }


@dataclass(frozen=True)
class Event:
    """One kind of line; `attributes` is None where the server writes no `attr`."""

    weight: int
    severities: tuple[str, ...]
    component: str
    id: int
    context: str
    message: str
    attributes: Callable[[random.Random], Attributes] | None = None
    tags: tuple[str, ...] = ()


EVENTS = (
    Event(520, ("I",), "COMMAND", 51803, "conn{}", "Slow query", _slow_read),
    Event(180, ("I",), "WRITE", 51803, "conn{}", "Slow query", _slow_write),
    Event(60, ("I",), "NETWORK", 22943, "listener", "Connection accepted", _connection),
    Event(50, ("I",), "NETWORK", 22944, "conn{}", "Connection ended", _connection),
    Event(40, ("I",), "NETWORK", 51800, "conn{}", "client metadata", _client),
    Event(15, ("I",), "INDEX", 20345, "IndexBuilder-{}", "Index build: done", _index_built),
    Event(15, ("I",), "STORAGE", 22430, "Checkpointer", "Checkpoint", _checkpoint),
    Event(10, ("I",), "CONTROL", 7000001, "-", "Rotating the log, on request"),
    Event(20, ("W",), "NETWORK", 4615610, "conn{}", "Failed to check socket connectivity", _socket),
    Event(
        8,
        ("W",),
        "CONTROL",
        22120,
        "initandlisten",
        "Access control is not enabled",
        None,
        ("startupWarnings",),
    ),
    Event(22, ("E",), "COMMAND", 23799, "conn{}", "Command failed", _command_failed),
    Event(8, ("E",), "STORAGE", 22435, "Checkpointer", "Storage engine error", _disk),
    Event(5, ("F",), "-", 23091, "conn{}", "Fatal assertion", _assertion),
    Event(50, ("D1", "D1", "D2", "D2", "D3", "D4", "D5"), "QUERY", 20967, "conn{}", "Plan chosen", _plan),
)
