"""The cleaning with pandas, a block of records at a time, so that memory doesn't grow with the file.

pandas and dlt share it: dlt brings rows into PostgreSQL, and leaves the cleaning to its user.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa

from bench.task import EMAIL, JWT, MASK, TOKEN, Counts, Field, Task

_BLOCK = 200_000


class When(msgspec.Struct):
    """The member `t` of a line."""

    date: str | None = msgspec.field(name="$date", default=None)


class Line(msgspec.Struct):
    """The members of a line that are read; `attr` stays the very text."""

    t: When | None = None
    s: str | None = None
    c: str | None = None
    ctx: str | None = None
    id: int | None = None
    msg: str | None = None
    attr: msgspec.Raw = msgspec.Raw()


class Attributes(msgspec.Struct):
    """The member of `attr` that is read."""

    duration: int | None = msgspec.field(name="durationMillis", default=None)


_LINE, _ATTRIBUTES = msgspec.json.Decoder(Line), msgspec.json.Decoder(Attributes)


@dataclass
class Cleaning:
    """Iterates over cleaned blocks; counts what it leaves out on the way."""

    task: Task
    read: int = 0
    kept: int = 0
    rejects: int = 0
    _seen: set[str] = field(default_factory=set)

    def blocks(self, files: Iterable[Path]) -> Iterator[pd.DataFrame]:
        """Valid rows of these files, each once in all calls: DataFrames with the target's columns."""
        for typed, malformed in (_logs if self.task.is_log else _tickets)(self.task, files):
            valid = typed.dropna(subset=list(self.task.required)).drop_duplicates(self.task.identity)
            self.read += len(typed) + malformed
            self.rejects += malformed + int(typed[list(self.task.required)].isna().any(axis=1).sum())
            identities = valid[self.task.identity]
            fresh = valid[~identities.isin(self._seen)] if self._seen else valid
            self._seen.update(fresh[self.task.identity])
            self.kept += len(fresh)
            yield fresh

    @property
    def counts(self) -> Counts:
        """Once all blocks are read."""
        return Counts(self.read, self.kept, self.read - self.rejects - self.kept, self.rejects)


def schema(task: Task) -> Any:
    """Arrow's types of the cleaned rows, in the order of their columns."""
    types = {
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "boolean": pa.bool_(),
        "timestamp": pa.timestamp("us"),
    }
    own = [(each.target, types.get(each.type, pa.string())) for each in task.fields]
    if task.is_log:
        return pa.schema([("log_id", pa.string()), *own])
    return pa.schema([*own, ("_row_hash", pa.string()), ("minutes_to_resolve", pa.int64())])


def _logs(task: Task, files: Iterable[Path]) -> Iterator[tuple[pd.DataFrame, int]]:
    """Typed rows, and the number of malformed lines."""
    levels = next(each.choices for each in task.fields if each.target == "level")
    for block in _blocks(files):
        parsed, ids, malformed = [], [], 0
        for text in block:
            try:
                found = _LINE.decode(text)
                millis = _ATTRIBUTES.decode(found.attr).duration if found.attr else None
            except msgspec.DecodeError:
                malformed += 1
                continue
            attributes = bytes(found.attr).decode() if found.attr else None
            date = found.t.date if found.t else None
            parsed.append((date, found.s, found.c, found.ctx, found.id, millis, found.msg, attributes))
            ids.append(hashlib.sha256(text).hexdigest())
        names = ["date", "s", "c", "ctx", "id", "millis", "msg", "attr"]
        df = pd.DataFrame(parsed, columns=names)
        moments = pd.to_datetime(df["date"], format="ISO8601", utc=True, errors="coerce")
        typed = pd.DataFrame(
            {
                "log_id": ids,
                "occurred_at": moments.dt.tz_localize(None).astype("datetime64[us]"),
                "level": df["s"].str.lower().map(dict(levels)),
                "component": _text(df["c"]),
                "context": _text(df["ctx"]),
                "event_code": df["id"].astype("Int64"),
                "message": _masked(_text(df["msg"])),
                "attributes": _masked(_text(df["attr"])),
                "duration_ms": df["millis"].astype("Int64"),
            }
        )
        yield typed, malformed


def _blocks(files: Iterable[Path]) -> Iterator[list[bytes]]:
    """Lines of all files, in blocks."""
    lines = (line for path in files for line in _lines(path))
    while block := list(islice(lines, _BLOCK)):
        yield block


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            text = line.rstrip(b"\r\n")
            if text.strip():
                yield text


def _tickets(task: Task, files: Iterable[Path]) -> Iterator[tuple[pd.DataFrame, int]]:
    for path in files:
        with pd.read_csv(path, dtype=str, keep_default_na=False, chunksize=_BLOCK) as blocks:
            for raw in blocks:
                # Fields that a short record lacks are empty; nothing is `?` here, and never the empty text.
                malformed = raw[task.columns[-1]] == ""
                yield _typed_tickets(raw[~malformed], task), int(malformed.sum())


def _typed_tickets(raw: pd.DataFrame, task: Task) -> pd.DataFrame:
    whole = raw[task.columns[0]].str.cat([raw[name] for name in task.columns[1:]], sep=",")
    typed = pd.DataFrame({each.target: _typed(raw[each.source], each, task) for each in task.fields})
    typed["_row_hash"] = [hashlib.sha256(text.encode()).hexdigest() for text in whole]
    took = (typed["resolved_at"] - typed["opened_at"]).dt.total_seconds() // 60
    typed["minutes_to_resolve"] = took.where(took >= 0).astype("Int64")
    return typed


def _typed(raw: pd.Series[str], field: Field, task: Task) -> Any:
    text = _text(raw).mask(raw == "?")
    if field.choices:
        return text.str.lower().map(dict(field.choices))
    if field.personal:
        return text.map(_pseudonyms(text, task.pseudonym_key))
    if field.type in ("integer", "bigint"):
        return pd.to_numeric(text, errors="coerce").astype("Int64")
    if field.type == "boolean":
        return text.str.lower().map({"true": True, "false": False}).astype("boolean")
    if field.type == "timestamp":
        return pd.to_datetime(text, format="%d/%m/%Y %H:%M", errors="coerce").astype("datetime64[us]")
    return _masked(text)


def _pseudonyms(text: pd.Series[str], key: str) -> Mapping[str, str]:
    return {each: hashlib.sha256((key + each).encode()).hexdigest()[:32] for each in text.dropna().unique()}


def _text(text: pd.Series[str]) -> pd.Series[str]:
    trimmed = text.str.strip()
    return trimmed.mask(trimmed == "")


def _masked(text: pd.Series[str]) -> Any:
    """Only where there may be something: Python's regular expressions are the most expensive step."""
    hit = text.str.contains("@|eyJ|(?i:bearer|authorization)", regex=True, na=False)
    if not hit.any():
        return text
    masked = text[hit]
    for pattern, mask in ((EMAIL, MASK), (TOKEN, rf"\1\2{MASK}"), (JWT, MASK)):
        masked = masked.str.replace(pattern, mask, regex=True)
    return text.where(~hit, masked)
