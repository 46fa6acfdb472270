"""The grants of the template's roles, in the template's own words: conditions decided, names left as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gluebook.contracts import CONTRACTS
from gluebook.deployment.dataset_blocks import logical_id
from gluebook.deployment.template import parse_template
from gluebook.sample.truth import LOGS, TICKETS
from localaws.cloudformation.expressions import PSEUDO, Scope
from localaws.cloudformation.resource import Made
from localaws.iam.principals import listed
from template_kit import TEMPLATE


@dataclass(frozen=True)
class Granted:
    """One action on one resource. `role`: the logical id; `role_name`: what it is called with default parameters."""

    role: str
    role_name: str
    policy: str
    statement: str
    action: str
    resource: str


def is_played(granted: Granted) -> bool:
    """Whether the scenario can use the grant: not if it is for a dataset that has no generated files.

    Such a dataset's role has the grants of the others under other names: `infra/dataset.yaml` is the text of all.
    """
    unplayed = {logical_id(dataset) for dataset in CONTRACTS.keys() - {TICKETS, LOGS}}
    named = re.findall(r"\b(\w+?)(?:JobRole|Job|Crawler)\b", f"{granted.role} {granted.resource}")
    return unplayed.isdisjoint(named)


class _Attributes(Mapping[str, str]):
    """Every attribute of a resource, by its name in the template."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def __getitem__(self, name: str) -> str:
        return f"${{{self._owner}.{name}}}"

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        raise NotImplementedError("nobody knows them all")

    def __len__(self) -> int:
        raise NotImplementedError("nobody knows them all")


@dataclass(frozen=True)
class _InWords(Scope):
    """References stay what they are; conditions are decided by `decided`, where parameters have values."""

    decided: Scope

    def holds(self, condition: str) -> bool:
        return self.decided.holds(condition)


def grants(template: Path = TEMPLATE) -> list[Granted]:
    """Role by role, in the template's order, as deployed with default parameters."""
    document = parse_template(template)
    resources, parameters = document["Resources"], document["Parameters"]
    conditions = document.get("Conditions", {})
    made = {name: Made(f"${{{name}}}", _Attributes(name)) for name in resources}
    pseudo = {name: f"${{{name}}}" for name in PSEUDO}
    defaults = {
        **pseudo,
        **{name: str(one.get("Default", f"${{{name}}}")) for name, one in parameters.items()},
    }
    decided = Scope(defaults, document.get("Mappings", {}), conditions, {}, made)
    names = {**pseudo, **{name: f"${{{name}}}" for name in parameters}}
    words = _InWords(names, {}, conditions, {}, made, decided)
    found: list[Granted] = []
    for name, resource in resources.items():
        wanted = "Condition" not in resource or decided.holds(resource["Condition"])
        if resource["Type"] == "AWS::IAM::Role" and wanted:
            found += _of_role(name, resource["Properties"], words, decided)
    return found


def _of_role(role: str, properties: Any, words: Scope, decided: Scope) -> Iterator[Granted]:
    name = str(decided.resolve(properties["RoleName"]))
    for policy in words.resolve(properties.get("Policies", [])):
        for place, statement in enumerate(listed(policy["PolicyDocument"]["Statement"]), start=1):
            if statement["Effect"] != "Allow":
                continue
            for action in listed(statement["Action"]):
                for resource in listed(statement["Resource"]):
                    sid = str(statement.get("Sid") or f"#{place}")
                    yield Granted(role, name, policy["PolicyName"], sid, action, str(resource))
