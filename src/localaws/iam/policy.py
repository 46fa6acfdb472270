"""The evaluator: whether policies allow a principal an action on a resource. Pure; no I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.errors import ApiError, NotSupported
from localaws.iam import statements
from localaws.iam.globs import Context
from localaws.iam.principals import Match, Principal, listed
from localaws.iam.statements import Grant, Kind, Need, Statement

__all__ = ["Decision", "Grant", "Need", "Policy", "decide"]

# Variables belong to this language version; without it `${...}` is plain text (AWS docs: "Version").
_WITH_VARIABLES = "2012-10-17"
# The name under which a Grant shows that the resource's own policy gave it.
RESOURCE_POLICY = "resource policy"


@dataclass(frozen=True)
class Decision:
    """`grants`: what allowed it; empty when refused. `reason` completes AWS's "is not authorized" message.

    `context`: the values of condition keys that the decision used.
    """

    allowed: bool
    reason: str
    grants: tuple[Grant, ...] = ()
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """A policy document, read."""

    statements: tuple[Statement, ...] = ()

    @classmethod
    def parse(cls, document: Any, kind: Kind = "identity") -> Policy:
        """Read a document given as an object or as JSON text.

        Raises NotSupported for elements, operators and principals that aren't known, by name; ApiError
        MalformedPolicyDocument where AWS would refuse the document.
        """
        while isinstance(document, str | bytes):  # some services keep the text as a JSON string
            try:
                document = json.loads(document)
            except ValueError as error:
                raise ApiError("MalformedPolicyDocument", f"the policy is not JSON: {error}") from error
        if not isinstance(document, Mapping) or "Statement" not in document:
            raise ApiError("MalformedPolicyDocument", "a policy is an object with a Statement")
        variables = document.get("Version") == _WITH_VARIABLES
        return cls(
            tuple(
                statements.parse(body, place, kind, variables)
                for place, body in enumerate(listed(document["Statement"]), start=1)
            )
        )


def decide(
    need: Need,
    principal: Principal,
    context: Context,
    identity: Iterable[tuple[str, Policy]] = (),
    resource: Policy | None = None,
    boundary: Policy | None = None,
    known_key: Callable[[str], bool] | None = None,
) -> Decision:
    """Decide as AWS does inside one account; `context` already holds the need's own keys.

    An explicit Deny anywhere wins; then an Allow in an identity policy, or one in the resource's policy that names
    the principal, is enough; otherwise it is refused. A permissions boundary must allow as well (a resource
    policy that names a *session* may pass a boundary on AWS; here it may not). Keys and roles
    require more: see `_needs_resource_policy`. AWS docs: "Policy evaluation logic".

    Raises NotSupported naming a condition key that isn't `known_key`, if a statement concerned uses one.
    """
    own = [
        (name, one) for name, policy in identity for one in policy.statements if one.concerns(need, context)
    ]
    at_resource = _meant(resource, need, principal, context)
    limits = [one for one in boundary.statements if one.concerns(need, context)] if boundary else []
    if known_key is not None:
        _check_keys([*(one for _, one in own), *(one for one, _ in at_resource), *limits], known_key)

    own = [(name, one) for name, one in own if one.holds(context)]
    at_resource = [(one, match) for one, match in at_resource if one.holds(context)]
    limits = [one for one in limits if one.holds(context)]
    for where, held in (
        ("identity-based policy", [one for _, one in own]),
        ("resource-based policy", [one for one, _ in at_resource]),
        ("permissions boundary", limits),
    ):
        if any(not one.allows for one in held):
            return Decision(False, f"with an explicit deny in {_a(where)}")
    if boundary is not None and not limits:
        return Decision(False, f"because no permissions boundary allows the {need.action} action")

    by_resource = [one for one, match in at_resource if match is Match.NAMED]
    delegated = any(match is Match.ACCOUNT for _, match in at_resource)
    allowing = own if delegated or not _needs_resource_policy(need.action) else []
    if not allowing and not by_resource:
        where = "resource-based" if own or principal.service else "identity-based"
        return Decision(False, f"because no {where} policy allows the {need.action} action")
    granted = [grant for name, one in allowing for grant in one.grants_used(name, need, context)]
    granted += [grant for one in by_resource for grant in one.grants_used(RESOURCE_POLICY, need, context)]
    return Decision(True, "", tuple(granted))


def _needs_resource_policy(action: str) -> bool:
    """A key's policy and a role's trust policy must name the caller or its account (AWS docs: "Key
    policies in AWS KMS", "Permissions to assume a role"); elsewhere an identity policy alone is enough."""
    return action.startswith("kms:") or action == "sts:AssumeRole"


def _meant(
    policy: Policy | None, need: Need, principal: Principal, context: Context
) -> list[tuple[Statement, Match]]:
    found: list[tuple[Statement, Match]] = []
    for one in policy.statements if policy else ():
        match = one.principal.match(principal) if one.principal else Match.NO
        if match is not Match.NO and one.concerns(need, context):
            found.append((one, match))
    return found


def _check_keys(concerned: list[Statement], known_key: Callable[[str], bool]) -> None:
    for statement in concerned:
        for clause in statement.clauses:
            if not known_key(clause.key):
                raise NotSupported(
                    f"condition key {clause.key!r} (statement {statement.label!r}) is not known"
                )


def _a(what: str) -> str:
    return f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
