"""One statement of a policy: the requests it concerns, its conditions, its grants. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from localaws.errors import ApiError, NotSupported
from localaws.iam import conditions, principals
from localaws.iam.globs import Context, matches
from localaws.iam.principals import PrincipalElement, listed

Kind = Literal["identity", "resource", "trust"]

_ELEMENTS = {
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
    *("Resource", "NotResource", "Condition"),
}


@dataclass(frozen=True)
class Need:
    """One permission that a request needs; `context` holds its own condition keys, in lower case."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """One action pattern on one resource pattern, allowed by one statement of one policy."""

    policy: str
    statement: str
    action: str
    resource: str


@dataclass(frozen=True)
class Statement:
    """One statement, read. `label` is its Sid or its place; patterns as written."""

    label: str
    allows: bool
    actions: tuple[str, ...]
    actions_negated: bool
    resources: tuple[str, ...]
    resources_negated: bool
    clauses: tuple[conditions.Clause, ...]
    principal: PrincipalElement | None
    variables: bool

    def concerns(self, need: Need, context: Context) -> bool:
        """Whether action and resource fit, whatever the conditions say."""
        if bool(self.fitting_actions(need)) == self.actions_negated:
            return False
        return not self.resources or bool(self.fitting_resources(need, context)) != self.resources_negated

    def holds(self, context: Context) -> bool:
        """Whether every condition is met."""
        variables = context if self.variables else None
        return all(clause.holds(context, variables) for clause in self.clauses)

    def fitting_actions(self, need: Need) -> list[str]:
        """Action names are compared without regard to case (AWS docs: "Action")."""
        return [one for one in self.actions if matches(one, need.action, ignore_case=True)]

    def fitting_resources(self, need: Need, context: Context) -> list[str]:
        variables = context if self.variables else None
        return [one for one in self.resources if matches(one, need.resource, variables)]

    def grants(self, policy: str) -> Iterator[Grant]:
        """Every pair of an action and a resource pattern; `not ...` for a negated element."""
        for action in _shown(self.actions, self.actions_negated):
            for resource in _shown(self.resources, self.resources_negated) or ["*"]:
                yield Grant(policy, self.label, action, resource)

    def grants_used(self, policy: str, need: Need, context: Context) -> Iterator[Grant]:
        actions = [_negated(self.actions)] if self.actions_negated else self.fitting_actions(need)
        fitting = (
            [_negated(self.resources)] if self.resources_negated else self.fitting_resources(need, context)
        )
        for action in actions:
            for resource in fitting or ["*"]:
                yield Grant(policy, self.label, action, resource)


def parse(body: Any, place: int, kind: Kind, variables: bool) -> Statement:
    label = str(body.get("Sid") or f"#{place}") if isinstance(body, Mapping) else f"#{place}"
    try:
        return _read_statement(body, label, kind, variables)
    except NotSupported as error:
        raise NotSupported(f"statement {label!r}: {error}") from error
    except ApiError as error:
        raise ApiError(error.code, f"statement {label!r}: {error.message}") from error


def _read_statement(body: Any, label: str, kind: Kind, variables: bool) -> Statement:
    if not isinstance(body, Mapping):
        raise ApiError("MalformedPolicyDocument", f"a statement is an object, not {body!r}")
    unknown = set(body) - _ELEMENTS
    if unknown:
        raise NotSupported(f"element {sorted(unknown)} is not known; known are {sorted(_ELEMENTS)}")
    effect = body.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise ApiError("MalformedPolicyDocument", f"Effect must be Allow or Deny, not {effect!r}")
    action = _one_of(body, "Action", required=True)
    resource = _one_of(body, "Resource", required=kind == "identity")
    who = _one_of(body, "Principal", required=kind != "identity")
    misplaced = resource if kind == "trust" else who if kind == "identity" else ""
    if misplaced:
        raise ApiError("MalformedPolicyDocument", f"{misplaced} has no place in a policy of kind {kind}")
    return Statement(
        label=label,
        allows=effect == "Allow",
        actions=tuple(listed(body[action])),
        actions_negated=action == "NotAction",
        resources=tuple(listed(body[resource])) if resource else (),
        resources_negated=resource == "NotResource",
        clauses=conditions.parse(body.get("Condition")),
        principal=principals.parse(body[who], negated=who == "NotPrincipal", effect=effect) if who else None,
        variables=variables,
    )


def _one_of(body: Mapping[str, Any], name: str, *, required: bool) -> str:
    """Which of `name` and `Not<name>` the statement has; "" if neither and none is required."""
    present = [one for one in (name, f"Not{name}") if one in body]
    if len(present) > 1 or (required and not present):
        raise ApiError("MalformedPolicyDocument", f"a statement here has either {name} or Not{name}")
    return present[0] if present else ""


def _shown(patterns: tuple[str, ...], negated: bool) -> list[str]:
    return [_negated(patterns)] if negated else list(patterns)


def _negated(patterns: tuple[str, ...]) -> str:
    return f"not {', '.join(patterns)}"
