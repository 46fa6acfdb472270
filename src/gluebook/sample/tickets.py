"""Incidents and their revisions, and the file in which each revision arrives."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gluebook.sample import words
from gluebook.sample.layout import Request, Slot

Value = str | int | bool | datetime | None

# The order of the real export.
# fmt: off
COLUMNS = (
    "number", "incident_state", "active", "reassignment_count", "reopen_count", "sys_mod_count", "made_sla",
    "caller_id", "opened_by", "opened_at", "sys_created_by", "sys_created_at", "sys_updated_by",
    "sys_updated_at", "contact_type", "location", "category", "subcategory", "u_symptom", "cmdb_ci", "impact",
    "urgency", "priority", "assignment_group", "assigned_to", "knowledge", "u_priority_confirmation",
    "notify", "problem_id", "rfc", "vendor", "caused_by", "closed_code", "resolved_by", "resolved_at",
    "closed_at",
)
# fmt: on

STATUSES = {
    "New": "new",
    "Active": "active",
    "Awaiting User Info": "pending",
    "Awaiting Problem": "pending",
    "Awaiting Vendor": "pending",
    "Awaiting Evidence": "pending",
    "Resolved": "resolved",
    "Closed": "closed",
}
PRIORITIES = {"1 - Critical": "critical", "2 - High": "high", "3 - Moderate": "moderate", "4 - Low": "low"}

# Number of revisions of an incident: weights of 1, 2, .. 8.
_REVISION_WEIGHTS = (8, 14, 20, 20, 15, 11, 7, 5)
_REVISION_CHOICES = tuple(n for n, weight in enumerate(_REVISION_WEIGHTS, start=1) for _ in range(weight))
MEAN_REVISIONS = sum(_REVISION_CHOICES) / len(_REVISION_CHOICES)

_PAUSES = ("Awaiting User Info",) * 5 + ("Awaiting Problem", "Awaiting Vendor", "Awaiting Evidence")
_NEXT_STATES: Mapping[str, Sequence[str]] = {
    "New": ("New", "Active", "Active", "Active", "Awaiting User Info", "Resolved"),
    "Active": ("Active", "Active", "Resolved", "Resolved", "Resolved", "pause", "pause"),
    "Resolved": ("Closed", "Closed", "Closed", "Closed", "Resolved", "Active"),
    "Closed": ("Closed",),
}
_AFTER_PAUSE = ("Active", "Active", "Resolved", "same")

_LEVELS = (1, 2, 2, 2, 2, 2, 2, 3)
_LEVEL_NAMES = {1: "1 - High", 2: "2 - Medium", 3: "3 - Low"}
# Impact + urgency decide, as in the default lookup of the help-desk system.
_PRIORITY_OF_SUM = {2: "1 - Critical", 3: "2 - High", 4: "3 - Moderate", 5: "4 - Low", 6: "4 - Low"}
_SLA_HOURS = {2: 4, 3: 12, 4: 48, 5: 96, 6: 96}

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Placement:
    """For each revision of an incident, in order: the slots in which it is made and arrives (>=)."""

    made: tuple[int, ...]
    arrives: tuple[int, ...]


@dataclass(frozen=True)
class Revision:
    """One record of the export; `values` has every column of `COLUMNS`."""

    values: Mapping[str, Value]
    mod_count: int
    updated_at: datetime
    arrives: int

    @property
    def order(self) -> tuple[int, datetime]:
        """The newest revision of an incident is the greatest by this."""
        return self.mod_count, self.updated_at


def incident_rng(request: Request, incident: int) -> random.Random:
    return request.rng("ticket", incident)


def place(rng: random.Random, slots: Sequence[Slot]) -> Placement:
    """Draw the number of revisions and their slots; these are the first draws of an incident's generator.

    Slots wrap around the calendar from a random one on, so that every file gets its share: an incident lasts at most
    a day and a half, or from the first days to the last.
    """
    count = rng.choice(_REVISION_CHOICES)
    first, reach = rng.randrange(len(slots)), slots[0].per_day * 3 // 2 + 1
    made = sorted((first + rng.randrange(reach)) % len(slots) for _ in range(count))
    last = len(slots) - 1
    arrives = [
        rng.randint(slot + 1, last) if slot < last and rng.random() < 0.12 else slot  # delayed on the way
        for slot in made
    ]
    return Placement(tuple(made), tuple(arrives))


def incident(request: Request, number: int, slots: Sequence[Slot]) -> tuple[Revision, ...]:
    """The revisions of one incident, oldest first. No two tie on `order`."""
    rng = incident_rng(request, number)
    placement = place(rng, slots)
    times = sorted(slots[slot].end - rng.random() * slots[slot].length for slot in placement.made)
    opened_at = times[0] - rng.choice((10, 45, 120, 600, 2880)) * (1 + rng.random()) * _MINUTE
    updated = _clock_skewed(rng, times, opened_at + _MINUTE)
    history = _History(rng, _facts(rng, number, opened_at))
    revisions = []
    mod_count = rng.choice((0, 0, 0, 1, 3))
    for position, (at, arrives) in enumerate(zip(updated, placement.arrives, strict=True)):
        if position > 0:
            mod_count += _step(rng, updated[position - 1], at)
        values = history.advance(position, mod_count, at)
        revisions.append(Revision(values, mod_count, at, arrives))
    return tuple(revisions)


def _clock_skewed(rng: random.Random, times: Sequence[datetime], least: datetime) -> list[datetime]:
    """Whole seconds, some of them earlier than the previous revision: clocks differ."""
    updated: list[datetime] = []
    for at in times:
        if updated and rng.random() < 0.08:
            at = updated[-1] - rng.randint(1, 180) * _MINUTE
        updated.append(max(at, least).replace(microsecond=0))
    return updated


def _step(rng: random.Random, before: datetime, after: datetime) -> int:
    """Gaps are revisions that were not exported. A step of 0 is a tie that only the time resolves.

    Such revisions are a minute apart, because most files have no seconds.
    """
    if after - before >= _MINUTE and rng.random() < 0.02:
        return 0
    return rng.choice((1, 1, 1, 2, 3, 5))


def _facts(rng: random.Random, number: int, opened_at: datetime) -> dict[str, Value]:
    """The values that an incident keeps, and nulls for those that come later."""
    category = rng.choice(words.CATEGORIES)
    created = rng.random() < 0.7
    by_mail = rng.random() < 0.1
    return dict.fromkeys(COLUMNS) | {
        "number": f"INC{10_001 + number:07d}",
        "reassignment_count": 0,
        "reopen_count": 0,
        "made_sla": True,
        "caller_id": rng.choice(words.CALLERS),
        "opened_by": rng.choice(words.STAFF) if rng.random() < 0.95 else None,
        "opened_at": opened_at.replace(microsecond=0),
        "sys_created_by": rng.choice(words.STAFF) if created else None,
        "sys_created_at": opened_at.replace(microsecond=0) + timedelta(seconds=rng.randint(0, 300))
        if created
        else None,
        "contact_type": rng.choice(words.CONTACT_TYPES),
        "location": rng.choice(words.LOCATIONS),
        "category": category.name,
        "subcategory": rng.choice(category.subcategories),
        "u_symptom": rng.choice(category.symptoms) if rng.random() < 0.76 else None,
        "cmdb_ci": rng.choice(words.CONFIGURATION_ITEMS) if rng.random() < 0.05 else None,
        "assignment_group": category.group if rng.random() < 0.86 else None,
        "knowledge": rng.random() < 0.28,
        "u_priority_confirmation": rng.random() < 0.23,
        "notify": "Send Email" if by_mail else "Do Not Notify",
        "rfc": f"CHG{rng.randint(1, 400):07d}" if rng.random() < 0.02 else None,
        "vendor": rng.choice(words.VENDORS) if rng.random() < 0.03 else None,
        "caused_by": f"CHG{rng.randint(1, 400):07d}" if rng.random() < 0.01 else None,
    }


class _History:
    """The history of an incident; `advance` returns the values of the next revision."""

    def __init__(self, rng: random.Random, facts: dict[str, Value]) -> None:
        self._rng = rng
        self._values = facts
        self._state = "New"
        self._impact, self._urgency = rng.choice(_LEVELS), rng.choice(_LEVELS)
        self._reassigned = self._reopened = 0

    def advance(self, position: int, mod_count: int, at: datetime) -> dict[str, Value]:
        before = self._state
        if position > 0 or mod_count > 0:
            self._state = self._next_state()
        self._work(before, at)
        self._values |= {
            "incident_state": self._state,
            "active": self._state != "Closed",
            "reassignment_count": self._reassigned,
            "reopen_count": self._reopened,
            "sys_mod_count": mod_count,
            "sys_updated_by": self._rng.choice(words.STAFF),
            "sys_updated_at": at,
            "impact": _LEVEL_NAMES[self._impact],
            "urgency": _LEVEL_NAMES[self._urgency],
            "priority": _PRIORITY_OF_SUM[self._impact + self._urgency],
        }
        return dict(self._values)

    def _next_state(self) -> str:
        if self._state in _NEXT_STATES:
            state = self._rng.choice(_NEXT_STATES[self._state])
            return self._rng.choice(_PAUSES) if state == "pause" else state
        state = self._rng.choice(_AFTER_PAUSE)
        return self._state if state == "same" else state

    def _work(self, before: str, at: datetime) -> None:
        if self._state != "New" and (self._values["assigned_to"] is None or self._rng.random() < 0.2):
            self._reassigned += self._values["assigned_to"] is not None
            self._values["assigned_to"] = self._rng.choice(words.STAFF)
        if self._impact > 1 and self._rng.random() < 0.04:
            self._impact -= 1
        if self._state == "Awaiting Problem":
            self._values["problem_id"] = f"PRB{self._rng.randint(1, 90):07d}"
        if self._state in ("Resolved", "Closed"):
            self._resolve(at)
        elif before in ("Resolved", "Closed"):
            self._reopened += 1
            self._values |= dict.fromkeys(("closed_code", "resolved_by", "resolved_at"))

    def _resolve(self, at: datetime) -> None:
        opened_at = self._values["opened_at"]
        assert isinstance(opened_at, datetime)
        if self._values["resolved_at"] is None:
            self._values |= {
                "closed_code": self._rng.choice(words.CLOSED_CODES),
                "resolved_by": self._values["assigned_to"],
                "resolved_at": at,
                "made_sla": at - opened_at <= timedelta(hours=_SLA_HOURS[self._impact + self._urgency]),
            }
        resolved_at = self._values["resolved_at"]
        assert isinstance(resolved_at, datetime)
        if self._state == "Closed" and self._values["closed_at"] is None:
            self._values["closed_at"] = max(at, resolved_at)
