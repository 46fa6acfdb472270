"""Log lines as rotated JSON-lines files, with the faults of real ones."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from math import ceil
from typing import Any

from gluebook.sample.layout import MILLISECOND, Request, Slot, split_evenly
from gluebook.sample.log_events import EVENTS, Event
from gluebook.sample.truth import LOGS, Counts, SampleFile, sorted_counts

LEVELS: Mapping[str, str] = {
    "F": "fatal",
    "E": "error",
    "W": "warning",
    "I": "info",
    **{f"D{depth}": "debug" for depth in range(1, 6)},
}
REJECT_REASONS = ("malformed_record", "missing:occurred_at", "unreadable:occurred_at", "unknown:level")

_CUMULATIVE_WEIGHTS = tuple(itertools.accumulate(event.weight for event in EVENTS))
# Time zones of the servers, one per file in turn; None is UTC written as Z.
_ZONES: tuple[tzinfo | None, ...] = (
    timezone(timedelta(hours=-4)),
    None,
    UTC,
    timezone(timedelta(hours=5, minutes=30)),
)
_NOT_TIMES = ("yesterday", "2026-13-01T09:24:35.756-04:00", "2026-02-30T09:24:35.756Z")
_NOT_SEVERITIES = ("Q", "Z9")


def log_files(request: Request) -> Iterator[SampleFile]:
    """The log files in order of arrival, one at a time."""
    slots = request.slots(request.log_lines)
    rejects = 0
    for slot, records in zip(slots, split_evenly(request.log_lines, len(slots)), strict=True):
        file = _File(request, slot, rejects).make(records)
        rejects += file.truth.rejected
        yield file


class _File:
    """Generates one log file. Every record has a millisecond of its own, so no two are equal."""

    def __init__(self, request: Request, slot: Slot, rejects_before: int) -> None:
        self._rng = request.rng("log file", slot.index)
        self._slot = slot
        self._zone = _ZONES[slot.index % len(_ZONES)]
        self._next_reasons = itertools.islice(
            itertools.cycle(REJECT_REASONS), rejects_before % len(REJECT_REASONS), None
        )
        self._levels: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()

    def make(self, records: int) -> SampleFile:
        copies, rejected = (ceil(records / 64), ceil(records / 100)) if records > 3 else (0, 0)
        times = self._times(records - copies)
        broken = set(self._rng.sample(range(len(times)), rejected))
        whole = [position for position in range(len(times)) if position not in broken]
        lines = [
            self._reject(at) if position in broken else self._good(at) for position, at in enumerate(times)
        ]
        lines = self._repeated(lines, Counter(self._rng.choice(whole) for _ in range(copies)))
        return SampleFile(
            dataset=LOGS,
            source="mongod",
            dt=self._slot.day,
            name=self._slot.name("mongod", "jsonl"),
            body=self._slot.pack(self._encode(self._reordered(lines))),
            truth=Counts(records, len(whole), copies, rejected),
            reject_reasons=sorted_counts(self._reasons),
            tally={"level": sorted_counts(self._levels)},
        )

    def _times(self, count: int) -> list[datetime]:
        span = self._slot.length // MILLISECOND
        start = self._slot.start
        return [start + offset * MILLISECOND for offset in sorted(self._rng.sample(range(span), count))]

    def _event(self) -> Event:
        return self._rng.choices(EVENTS, cum_weights=_CUMULATIVE_WEIGHTS)[0]

    def _stamp(self, at: datetime) -> str:
        if self._zone is None:
            return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return at.astimezone(self._zone).isoformat(timespec="milliseconds")

    def _line(
        self, event: Event, severity: str, t: Mapping[str, str] | None, more: Mapping[str, Any] | None = None
    ) -> str:
        """A line in the server's own spacing: some fields are padded to columns."""
        context = event.context.format(self._rng.randint(1, 400))
        attributes = {**(event.attributes(self._rng) if event.attributes else {}), **(more or {})}
        return "".join(
            (
                "{",
                f'"t":{_json(t)},' if t is not None else "",
                f'"s":{_json(severity)},'.ljust(10),
                f'"c":{_json(event.component)},'.ljust(16),
                f'"id":{event.id},'.ljust(14),
                f'"ctx":{_json(context)},"msg":{_json(event.message)}',
                f',"attr":{_json(attributes)}' if attributes else "",
                f',"tags":{_json(event.tags)}' if event.tags else "",
                "}",
            )
        )

    def _good(self, at: datetime) -> str:
        event = self._event()
        severity = self._rng.choice(event.severities)
        self._levels[LEVELS[severity]] += 1
        return self._line(event, severity, {"$date": self._stamp(at)})

    def _reject(self, at: datetime) -> str:
        """A broken line; its millisecond is in it somewhere, so that any two rejects differ."""
        reason = next(self._next_reasons)
        self._reasons[reason] += 1
        event = self._event()
        severity = self._rng.choice(event.severities)
        t = {"$date": self._stamp(at)}
        mark = {"clockMillis": round(at.timestamp() * 1000)}
        if reason == "malformed_record":
            return self._malformed(self._line(event, severity, t), t["$date"])
        if reason == "missing:occurred_at":
            return self._line(event, severity, None, mark)
        if reason == "unreadable:occurred_at":
            return self._line(event, severity, {"$date": self._rng.choice(_NOT_TIMES)}, mark)
        return self._line(event, self._rng.choice(_NOT_SEVERITIES), t, mark)

    def _malformed(self, line: str, stamp: str) -> str:
        """A truncated line, or one that is not a JSON object."""
        cut = self._rng.randrange(line.index(stamp) + len(stamp), len(line))
        return self._rng.choice(
            (line[:cut], line[:cut], f"{stamp} mongod: killed", _json([stamp, "boot"]), _json(stamp))
        )

    def _repeated(self, lines: Sequence[str], copies: Mapping[int, int]) -> list[str]:
        """Duplicates follow their line at once, as when two shippers send the same."""
        return [line for position, line in enumerate(lines) for _ in range(1 + copies.get(position, 0))]

    def _reordered(self, lines: list[str]) -> list[str]:
        """Some neighbouring lines are swapped: threads log a little late."""
        for position in range(1, len(lines)):
            if self._rng.random() < 0.02:
                lines[position - 1], lines[position] = lines[position], lines[position - 1]
        return lines

    def _encode(self, lines: Sequence[str]) -> bytes:
        """A few blank lines, and in each third file a last line without an end."""
        text = "".join(f"{line}\n" + "\n" * (self._rng.random() < 0.004) for line in lines)
        return (text.rstrip("\n") if self._slot.index % 3 == 2 else text).encode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
