"""Counts the grants that roles use and the requests that they are refused: the report for least privilege."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from localaws.errors import LocalAwsError
from localaws.iam.deployed import Deployed
from localaws.iam.policy import RESOURCE_POLICY, Decision, Grant, Need
from localaws.iam.report import Denied, GrantUse, UnmappedUse, UsageReport
from localaws.iam.sessions import Caller

# Further different refusals of a role are counted together: a loop over keys must not fill the memory.
_DIFFERENT_REFUSALS = 1000
_OTHERS = "(other resources)"
_OTHER_OPERATIONS = "(other operations)"


@dataclass(frozen=True)
class Allowed:
    """One need that `grants` allowed; its context holds every condition key of the decision."""

    caller: Caller
    need: Need
    grants: tuple[Grant, ...]


@dataclass
class _OfRole:
    granted: Counter[Grant] = field(default_factory=Counter)
    by_aws: Counter[Grant] = field(default_factory=Counter)
    # Refusals by action, resource and caller.
    denied: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    reasons: dict[tuple[str, str, str], str] = field(default_factory=dict)
    # An operation and its caller.
    unmapped: Counter[tuple[str, str]] = field(default_factory=Counter)
    # One example for all needs that the same grants allowed: without one of them all are refused, or none.
    examples: dict[tuple[str, frozenset[Grant]], Allowed] = field(default_factory=dict)

    def counters(self) -> _OfRole:
        """A copy, without the examples."""
        return _OfRole(
            Counter(self.granted),
            Counter(self.by_aws),
            Counter(self.denied),
            dict(self.reasons),
            Counter(self.unmapped),
        )


class Usage:
    """Counts decisions; its memory is bounded by what is deployed, not by how much is asked. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roles: dict[str, _OfRole] = {}

    def count(self, caller: Caller, need: Need, decision: Decision) -> None:
        """One need of one request: which grants allowed it, or that it was refused."""
        with self._lock:
            mine = self._roles.setdefault(caller.role or "", _OfRole())
            if decision.allowed:
                # A request may fit a grant by several of its patterns; each of them counts once.
                grants = tuple(dict.fromkeys(decision.grants))
                (mine.by_aws if caller.by_aws else mine.granted).update(grants)
                allowed = Allowed(caller, replace(need, context=decision.context), grants)
                mine.examples.setdefault((need.action, frozenset(grants)), allowed)
                return
            refusal = (need.action, need.resource, _shown(caller))
            if refusal not in mine.denied and len(mine.denied) >= _DIFFERENT_REFUSALS:
                refusal = (need.action, _OTHERS, "")
            mine.denied[refusal] += 1
            mine.reasons[refusal] = decision.reason

    def count_unmapped(self, caller: Caller, operation: str) -> None:
        with self._lock:
            mine = self._roles.setdefault(caller.role or "", _OfRole())
            key = (operation, _shown(caller))
            if key not in mine.unmapped and len(mine.unmapped) >= _DIFFERENT_REFUSALS:
                key = (_OTHER_OPERATIONS, "")
            mine.unmapped[key] += 1

    def examples(self) -> tuple[Allowed, ...]:
        """One allowed need for each role, action and set of grants that allowed it."""
        with self._lock:
            return tuple(one for mine in self._roles.values() for one in mine.examples.values())

    def report(self, deployed: Deployed) -> UsageReport:
        """Against the policies as they are deployed now."""
        with self._lock:
            counted = {role: mine.counters() for role, mine in self._roles.items()}
        grants: list[GrantUse] = []
        unjudged: list[str] = []
        for role in deployed.roles():
            try:
                grants += _grant_uses(role, counted.get(role, _OfRole()), deployed)
            except LocalAwsError as error:
                unjudged.append(str(error))
        denied = [
            Denied(role, *refusal, count, mine.reasons[refusal])
            for role, mine in sorted(counted.items())
            for refusal, count in sorted(mine.denied.items())
        ]
        unmapped = [
            UnmappedUse(role, *refusal, count)
            for role, mine in sorted(counted.items())
            for refusal, count in sorted(mine.unmapped.items())
        ]
        return UsageReport(tuple(grants), tuple(denied), tuple(unmapped), tuple(unjudged))


def _shown(caller: Caller) -> str:
    return caller.work or caller.session


def _grant_uses(role: str, mine: _OfRole, deployed: Deployed) -> list[GrantUse]:
    used: Iterable[Grant] = {**mine.granted, **mine.by_aws}
    elsewhere = [grant for grant in used if grant.policy == RESOURCE_POLICY]
    return [
        GrantUse(
            role, one.policy, one.statement, one.action, one.resource, mine.granted[one], mine.by_aws[one]
        )
        for one in [*grants_of(role, deployed), *sorted(elsewhere, key=str)]
    ]


def grants_of(role: str, deployed: Deployed) -> list[Grant]:
    """Every grant of a role's own policies, as deployed now."""
    return [
        grant
        for name, policy in deployed.role(role).policies
        for statement in policy.statements
        if statement.allows
        for grant in statement.grants(name)
    ]
