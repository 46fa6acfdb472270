"""Ticket revisions as CSV exports, with the faults of real ones."""

from __future__ import annotations

import csv
import io
import random
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Literal

from gluebook.sample.layout import Request, Slot
from gluebook.sample.tickets import (
    COLUMNS,
    MEAN_REVISIONS,
    PRIORITIES,
    STATUSES,
    Revision,
    Value,
    incident,
    incident_rng,
    place,
)
from gluebook.sample.truth import TICKETS, Counts, SampleFile, sorted_counts

_EXTRA_COLUMN = "u_reported_mood"
_MOODS = ("calm", "in a hurry", 'said "urgent", twice', None)
_NULL = "?"

# One style per file, in turn; a mixed file changes style from record to record.
_TIME_STYLES = ("slash", "mixed", "iso", "dash", "slash padded", "dash padded")

# In turn, so that a few rejects have all of them; each value breaks the rule.
_BROKEN_VALUES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "missing:ticket_id": ("number", (_NULL, "")),
    "unreadable:updated_at": (
        "sys_updated_at",
        ("31/2/2026 99:99", "yesterday evening", "2026-13-45T10:20:30Z", "30-2-2026 10:15"),
    ),
    "unknown:status": ("incident_state", ("Banana", "Somewhere else")),
    "missing:updated_at": ("sys_updated_at", (_NULL, "")),
    "unreadable:revision": ("sys_mod_count", ("many", "three")),
}
_MALFORMED = "malformed_record"
REJECT_REASONS = (*_BROKEN_VALUES, _MALFORMED)

# Holds the reject's serial number; it is never the field that is removed, so that any two rejects differ.
_MARK = "problem_id"
_FIRST_MARK = 1000


@dataclass(frozen=True)
class _Style:
    times: str
    columns: tuple[str, ...] = COLUMNS
    line_end: str = "\n"
    bom: bool = False
    quote_all: bool = False


def ticket_files(request: Request) -> Iterator[SampleFile]:
    """The ticket exports in order of arrival, one at a time."""
    slots = request.slots(ceil(request.tickets * MEAN_REVISIONS))
    arrivals = _arrivals(request, slots)
    styles = _styles(request, slots)
    rejects = 0
    for slot, style, incidents in zip(slots, styles, arrivals, strict=True):
        file = _File(request, slots, slot, style, incidents, rejects).make()
        rejects += file.truth.rejected
        yield file


def _arrivals(request: Request, slots: Sequence[Slot]) -> list[array[int]]:
    """For each slot, the incidents with a revision that arrives in it; their values are drawn later."""
    arrivals = [array("I") for _ in slots]
    for number in range(request.tickets):
        for slot in set(place(incident_rng(request, number), slots).arrives):
            arrivals[slot].append(number)
    return arrivals


def _styles(request: Request, slots: Sequence[Slot]) -> list[_Style]:
    """Each unusual style is in exactly one file, in different files if there are enough."""
    rng = request.rng("ticket styles")
    styles = [_Style(_TIME_STYLES[slot.index % len(_TIME_STYLES)]) for slot in slots]
    shuffled = tuple(rng.sample(COLUMNS, len(COLUMNS)))
    files = rng.sample(range(len(slots)), len(slots))
    styles[files[0]] = replace(styles[files[0]], line_end="\r\n")
    styles[files[1]] = replace(styles[files[1]], columns=shuffled)
    at = files[2 % len(files)]
    styles[at] = replace(styles[at], columns=(*styles[at].columns, _EXTRA_COLUMN))
    at = files[3 % len(files)]
    styles[at] = replace(styles[at], bom=True)
    at = files[4 % len(files)]
    styles[at] = replace(styles[at], quote_all=True)
    return styles


class _File:
    """Generates one export."""

    def __init__(
        self,
        request: Request,
        slots: Sequence[Slot],
        slot: Slot,
        style: _Style,
        incidents: Sequence[int],
        rejects_before: int,
    ) -> None:
        self._rng = request.rng("ticket file", slot.index)
        self._slot, self._style = slot, style
        self._rejects_before = rejects_before
        self._revisions: list[Revision] = []
        self._newest: list[Revision] = []
        for number in incidents:
            revisions = incident(request, number, slots)
            self._revisions += [revision for revision in revisions if revision.arrives == slot.index]
            newest = max(revisions, key=lambda revision: revision.order)
            self._newest += [newest] if newest.arrives == slot.index else []

    def make(self) -> SampleFile:
        rows = [self._row(revision.values) for revision in self._revisions]
        copies = [self._rng.choice(rows) for _ in range(ceil(len(rows) / 50))]
        reasons: Counter[str] = Counter()
        rejects = []
        for serial in range(self._rejects_before, self._rejects_before + ceil(len(rows) / 100)):
            reason = REJECT_REASONS[serial % len(REJECT_REASONS)]
            rejects.append(self._reject(reason, serial))
            reasons[reason] += 1
        records = rows + copies + rejects
        self._rng.shuffle(records)
        return SampleFile(
            dataset=TICKETS,
            source="servicenow",
            dt=self._slot.day,
            name=self._slot.name("incidents", "csv"),
            body=self._slot.pack(self._encode(records)),
            truth=Counts(len(records), len(rows), len(copies), len(rejects)),
            reject_reasons=sorted_counts(reasons),
            tally={
                "status": self._tally("incident_state", STATUSES),
                "priority": self._tally("priority", PRIORITIES),
            },
        )

    def _tally(self, column: str, names: Mapping[str, str]) -> Mapping[str, int]:
        return sorted_counts(Counter(names[str(revision.values[column])] for revision in self._newest))

    def _row(self, values: Mapping[str, Value]) -> list[str]:
        times = self._style.times
        if times == "mixed":
            times = self._rng.choice([style for style in _TIME_STYLES if style != "mixed"])
        full = {**values, _EXTRA_COLUMN: self._rng.choice(_MOODS)}
        return [_text(full[column], times, self._rng) for column in self._style.columns]

    def _reject(self, reason: str, serial: int) -> list[str]:
        """A record newer than any other of its incident, so that the counts change if it is not rejected."""
        base = self._rng.choice(self._revisions)
        mark = f"PRB{_FIRST_MARK + serial:07d}"
        row = self._row({**base.values, "sys_mod_count": base.mod_count + 100, _MARK: mark})
        if reason == _MALFORMED:
            return self._malformed(row)
        column, texts = _BROKEN_VALUES[reason]
        row[self._style.columns.index(column)] = self._rng.choice(texts)
        return row

    def _malformed(self, row: list[str]) -> list[str]:
        """A record with too few fields, or too many through an unquoted comma."""
        if self._rng.random() < 0.5:
            return [*row, *self._rng.sample(("left over", _NULL, "and more"), self._rng.randint(1, 3))]
        mark = self._style.columns.index(_MARK)
        others = [position for position in range(len(row)) if position != mark]
        lost = self._rng.sample(others, self._rng.randint(1, 6))
        return [field for position, field in enumerate(row) if position not in lost]

    def _encode(self, records: Sequence[Sequence[str]]) -> bytes:
        text = io.StringIO(newline="")
        quoting: Literal[0, 1] = csv.QUOTE_ALL if self._style.quote_all else csv.QUOTE_MINIMAL
        writer = csv.writer(text, lineterminator=self._style.line_end, quoting=quoting)
        writer.writerow(self._style.columns)
        writer.writerows(records)
        return text.getvalue().encode("utf-8-sig" if self._style.bom else "utf-8")


def _text(value: Value, times: str, rng: random.Random) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return rng.choice(("true", "true", "TRUE", "True") if value else ("false", "false", "FALSE", "False"))
    return _time(value, times) if isinstance(value, datetime) else str(value)


def _time(at: datetime, style: str) -> str:
    """All times are UTC; only ISO 8601 says so and has seconds."""
    if style == "iso":
        return f"{at:%Y-%m-%dT%H:%M:%SZ}"
    separator = "/" if style.startswith("slash") else "-"
    if style.endswith("padded"):
        return f"{at:%d{separator}%m{separator}%Y %H:%M}"
    return f"{at.day}{separator}{at.month}{separator}{at.year} {at.hour}:{at:%M}"
