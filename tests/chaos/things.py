"""The parts of the world: messages, events, job runs, time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.baton import Actor


@dataclass
class Message:
    """A message on the queue of arrivals. `due`: seconds since 1970."""

    number: int
    body: str
    due: float = 0.0
    receives: int = 0


@dataclass
class Told:
    """An event on its way to the load function."""

    event: dict[str, Any]
    tries: int = 0


class Clock:
    """Time that passes a little on every read, and a lot when the schedule says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 10, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    @property
    def seconds(self) -> float:
        return self.now.timestamp()


@dataclass
class GlueRun:
    """A job run: its state in Glue, and its process."""

    run_id: str
    dataset: str
    actor: Actor
    ended: bool = False
