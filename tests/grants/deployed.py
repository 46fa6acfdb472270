"""The grants as deployed on a laptop AWS, beside the template's words for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gluebook.cli.laptop import Laptop
from grants.template import Granted, grants
from localaws.iam.deployed import MotoDeployed, Role
from localaws.iam.policy import Policy
from localaws.iam.statements import Grant
from localaws.iam.usage import grants_of


@dataclass(frozen=True)
class Deployed:
    """All grants: (role name, as deployed) ▸ as the template has it. `documents`: by role and policy."""

    roles: Mapping[str, Role]
    documents: Mapping[tuple[str, str], Mapping[str, Any]]
    grants: Mapping[tuple[str, Grant], Granted]

    def resource_policy(self, action: str, resource: str) -> Policy | None:
        """The policy that hangs on a resource."""
        return MotoDeployed().resource_policy(action, resource)

    def in_words(self, role: str, resource: str) -> str | None:
        """The template's words for a resource that a grant of the role names exactly; None if none does."""
        named = {
            grant.resource: granted.resource for (of, grant), granted in self.grants.items() if of == role
        }
        return named.get(resource)

    def from_words(self, role: str, words: str) -> str:
        """What a resource in the template's words is called here."""
        return next(
            grant.resource
            for (of, grant), granted in self.grants.items()
            if of == role and granted.resource == words
        )


def deployed(laptop: Laptop) -> Deployed:
    """What is deployed, in the template's order. Fails if that isn't what the template says."""
    iam, here = laptop.aws.endpoint.client("iam"), MotoDeployed()
    pairs: dict[tuple[str, Grant], Granted] = {}
    documents: dict[tuple[str, str], Mapping[str, Any]] = {}
    by_role: dict[str, list[Granted]] = {}
    for one in grants():
        by_role.setdefault(one.role_name, []).append(one)
    for role, mine in by_role.items():
        there = grants_of(role, here)
        said = [(one.policy, one.statement, one.action) for one in mine]
        assert [(one.policy, one.statement, one.action) for one in there] == said, role
        pairs |= {(role, grant): granted for grant, granted in zip(there, mine, strict=True)}
        for policy in {one.policy for one in mine}:
            documents[role, policy] = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    assert set(here.roles()) == set(by_role), "a role is deployed that the template hasn't got"
    return Deployed({role: here.role(role) for role in by_role}, documents, pairs)
