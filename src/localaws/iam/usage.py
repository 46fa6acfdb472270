"""What roles used, never used, and were refused: the report that least privilege is built from."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from localaws.errors import LocalAwsError
from localaws.iam.deployed import Deployed
from localaws.iam.policy import RESOURCE_POLICY, Decision, Grant, Need

# More different refusals than this per role are counted together: a loop over keys must not fill the memory.
_DIFFERENT_REFUSALS = 1000
_OTHERS = "(other resources)"


@dataclass(frozen=True)
class GrantUse:
    """One (action pattern, resource pattern) that a role is granted, and how many times it let something in."""

    role: str
    policy: str
    statement: str
    action: str
    resource: str
    count: int


@dataclass(frozen=True)
class Denied:
    """One action on one resource that a role was refused, and how often; `reason` of the last time."""

    role: str
    action: str
    resource: str
    count: int
    reason: str


@dataclass(frozen=True)
class UnmappedUse:
    """An operation whose permissions aren't known here; it was refused to the role."""

    role: str
    operation: str
    count: int


@dataclass(frozen=True)
class UsageReport:
    """`grants`: deployed ones, and those of resource policies that were used. All sorted by role.

    `unjudged`: what is wrong with roles whose policies can't be read; everything is refused to them.
    """

    grants: tuple[GrantUse, ...] = ()
    denied: tuple[Denied, ...] = ()
    unmapped: tuple[UnmappedUse, ...] = ()
    unjudged: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[GrantUse, ...]:
        return tuple(one for one in self.grants if one.count)

    @property
    def unused(self) -> tuple[GrantUse, ...]:
        return tuple(one for one in self.grants if not one.count)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: {"grants": [...], "denied": [...], ...}, each entry by its field names."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{f'used {one.count}' if one.count else 'UNUSED':>12}  {one.role}  {one.action}  {one.resource}"
            for one in self.grants
        ]
        lines += [
            f"{f'DENIED {one.count}':>12}  {one.role}  {one.action}  {one.resource}" for one in self.denied
        ]
        lines += [f"{f'UNMAPPED {one.count}':>12}  {one.role}  {one.operation}" for one in self.unmapped]
        lines += [f"{'UNJUDGED':>12}  {one}" for one in self.unjudged]
        return "\n".join(lines)


@dataclass
class _OfRole:
    granted: Counter[Grant] = field(default_factory=Counter)
    denied: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    unmapped: Counter[str] = field(default_factory=Counter)


class Usage:
    """Counts decisions; its memory is bounded by what is deployed, not by how much is asked. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roles: dict[str, _OfRole] = {}

    def count(self, role: str, need: Need, decision: Decision) -> None:
        """One need of one request: which grants let it in, or that it was refused."""
        with self._lock:
            mine = self._roles.setdefault(role, _OfRole())
            if decision.allowed:
                mine.granted.update(_bounded(decision.grants))
                return
            refusal = (need.action, need.resource)
            if refusal not in mine.denied and len(mine.denied) >= _DIFFERENT_REFUSALS:
                refusal = (need.action, _OTHERS)
            mine.denied[refusal] += 1
            mine.reasons[refusal] = decision.reason

    def count_unmapped(self, role: str, operation: str) -> None:
        with self._lock:
            mine = self._roles.setdefault(role, _OfRole())
            if operation not in mine.unmapped and len(mine.unmapped) >= _DIFFERENT_REFUSALS:
                operation = "(other operations)"
            mine.unmapped[operation] += 1

    def report(self, deployed: Deployed) -> UsageReport:
        """Against the policies as they are deployed now."""
        with self._lock:
            counted = {role: _copy(mine) for role, mine in self._roles.items()}
        grants: list[GrantUse] = []
        unjudged: list[str] = []
        for role in deployed.roles():
            try:
                grants += _grant_uses(role, counted.get(role), deployed)
            except LocalAwsError as error:
                unjudged.append(str(error))
        denied = [
            Denied(role, action, resource, count, mine.reasons[action, resource])
            for role, mine in sorted(counted.items())
            for (action, resource), count in sorted(mine.denied.items())
        ]
        unmapped = [
            UnmappedUse(role, operation, count)
            for role, mine in sorted(counted.items())
            for operation, count in sorted(mine.unmapped.items())
        ]
        return UsageReport(tuple(grants), tuple(denied), tuple(unmapped), tuple(unjudged))


def _bounded(grants: Iterable[Grant]) -> list[Grant]:
    """A request may fit a grant by several of its patterns; each of them counts once."""
    return list(dict.fromkeys(grants))


def _copy(mine: _OfRole) -> _OfRole:
    return _OfRole(Counter(mine.granted), Counter(mine.denied), dict(mine.reasons), Counter(mine.unmapped))


def _grant_uses(role: str, mine: _OfRole | None, deployed: Deployed) -> list[GrantUse]:
    counts = mine.granted if mine else Counter[Grant]()
    granted = [
        grant
        for name, policy in deployed.role(role).policies
        for statement in policy.statements
        if statement.allows
        for grant in statement.grants(name)
    ]
    elsewhere = [grant for grant in counts if grant.policy == RESOURCE_POLICY]
    return [
        GrantUse(role, one.policy, one.statement, one.action, one.resource, counts[one])
        for one in [*granted, *sorted(elsewhere, key=str)]
    ]
