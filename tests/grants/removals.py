"""What would be refused without one grant: recorded requests, evaluated by the policy without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from localaws.errors import LocalAwsError
from localaws.iam.deployed import Role
from localaws.iam.policy import Policy, decide
from localaws.iam.principals import listed
from localaws.iam.statements import Grant
from localaws.iam.usage import Allowed


def without(document: Mapping[str, Any], grant: Grant) -> dict[str, Any]:
    """The policy document without that one action on that one resource; everything else stays granted.

    Raises LocalAwsError if there is no such grant, or if it is one of NotAction or NotResource.
    """
    kept: list[dict[str, Any]] = []
    found = False
    for place, statement in enumerate(listed(document["Statement"]), start=1):
        if (statement.get("Sid") or f"#{place}") != grant.statement or statement["Effect"] != "Allow":
            kept.append(statement)
            continue
        actions, resources = listed(statement.get("Action", [])), listed(statement.get("Resource", []))
        found = grant.action in actions and grant.resource in resources
        # Without Sids, which must be unique.
        rest = {name: value for name, value in statement.items() if name != "Sid"}
        others = [one for one in actions if one != grant.action]
        elsewhere = [one for one in resources if one != grant.resource]
        kept += [{**rest, "Action": others, "Resource": resources}] if others else []
        kept += [{**rest, "Action": [grant.action], "Resource": elsewhere}] if elsewhere else []
    if not found:
        raise LocalAwsError(
            f"policy {grant.policy}, statement {grant.statement}: no {grant.action} on {grant.resource} to remove"
        )
    return {**document, "Statement": kept}


def refused_without(
    grant: Grant,
    role: Role,
    document: Mapping[str, Any],
    examples: Iterable[Allowed],
    resource_policy: Callable[[str, str], Policy | None],
) -> list[Allowed]:
    """Which of the role's recorded needs would be refused without `grant`, which stands in `document`.

    `resource_policy(action, resource)`: the resource's own policy, which may allow it all the same.
    """
    changed = Policy.parse(without(document, grant))
    policies = tuple((name, changed if name == grant.policy else policy) for name, policy in role.policies)
    return refused(replace(role, policies=policies), examples, resource_policy)


def refused(
    role: Role, examples: Iterable[Allowed], resource_policy: Callable[[str, str], Policy | None]
) -> list[Allowed]:
    """Which of the role's recorded needs its policies refuse, in the context in which they were recorded."""

    def allowed(one: Allowed) -> bool:
        return decide(
            one.need,
            one.caller.principal(role.arn),
            one.need.context,
            role.policies,
            resource_policy(one.need.action, one.need.resource),
            role.boundary,
        ).allowed

    return [one for one in examples if one.caller.role == role.name and not allowed(one)]
