"""Used grants, unused grants and refusals of roles, as values, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class GrantUse:
    """One (action pattern, resource pattern) that a role is granted, and how many times it allowed something.

    `count`: by the code that runs as the role; `by_aws`: by AWS itself, acting as the role.
    """

    role: str
    policy: str
    statement: str
    action: str
    resource: str
    count: int
    by_aws: int = 0

    @property
    def used(self) -> bool:
        """Whether it allowed anything."""
        return bool(self.count or self.by_aws)


@dataclass(frozen=True)
class Denied:
    """One action on one resource that a role was refused, for which caller and how often; `reason` is the latest one.

    `role` is a service such as "events.amazonaws.com" where a resource's or a role's own policy refused it.
    """

    role: str
    action: str
    resource: str
    caller: str
    count: int
    reason: str


@dataclass(frozen=True)
class UnmappedUse:
    """An operation that a role was refused because the permissions it needs aren't known here."""

    role: str
    operation: str
    caller: str
    count: int


@dataclass(frozen=True)
class UsageReport:
    """`grants`: deployed ones, and those of resource policies that were used. All sorted by role.

    `unjudged`: the problem of each role whose policies can't be read; it is refused everything.
    """

    grants: tuple[GrantUse, ...] = ()
    denied: tuple[Denied, ...] = ()
    unmapped: tuple[UnmappedUse, ...] = ()
    unjudged: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[GrantUse, ...]:
        return tuple(one for one in self.grants if one.used)

    @property
    def unused(self) -> tuple[GrantUse, ...]:
        return tuple(one for one in self.grants if not one.used)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: {"grants": [...], "denied": [...], ...}, each entry by its field names."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> UsageReport:
        """The inverse of `as_dict`. Raises KeyError or TypeError for anything else."""
        return cls(
            tuple(GrantUse(**one) for one in value["grants"]),
            tuple(Denied(**one) for one in value["denied"]),
            tuple(UnmappedUse(**one) for one in value["unmapped"]),
            tuple(value["unjudged"]),
        )

    def __str__(self) -> str:
        lines = [f"{_use(one):>12}  {one.role}  {one.action}  {one.resource}" for one in self.grants]
        lines += [
            f"{f'DENIED {one.count}':>12}  {one.role}  {one.action}  {one.resource}  {one.caller}"
            for one in self.denied
        ]
        lines += [
            f"{f'UNMAPPED {one.count}':>12}  {one.role}  {one.operation}  {one.caller}"
            for one in self.unmapped
        ]
        lines += [f"{'UNJUDGED':>12}  {one}" for one in self.unjudged]
        return "\n".join(lines)


def _use(grant: GrantUse) -> str:
    if grant.count:
        return f"used {grant.count}"
    return f"by AWS {grant.by_aws}" if grant.by_aws else "UNUSED"
