"""The state of a stack: its template, parameters, resources and outputs, as moto's API reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudformation.parsing import Export, Output

from localaws.cloudformation.engine import Record
from localaws.cloudformation.plan import Plan


@dataclass(frozen=True)
class Listed:
    """A resource as DescribeStackResources lists it (attribute names are moto's)."""

    logical_resource_id: str
    physical_resource_id: str
    cf_resource_type: str


@dataclass
class State:
    """A deployed stack; in the place of moto's ResourceMap, with the members that moto reads."""

    template: Mapping[str, Any] = field(default_factory=dict)
    resolved_parameters: Mapping[str, str] = field(default_factory=dict)
    no_echo_parameter_keys: list[str] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)

    def remember(self, plan: Plan, hidden: list[str]) -> None:
        """Keep the template and the parameters of a deployment that succeeded."""
        self.template = plan.template.source
        self.resolved_parameters = dict(plan.chosen)
        self.no_echo_parameter_keys = hidden

    def equals(self, plan: Plan) -> bool:
        """Whether deploying `plan` would change nothing, by template and parameters."""
        return self.template == plan.template.source and self.resolved_parameters == plan.chosen

    def values(self) -> Iterable[Listed]:
        """The resources that exist."""
        return [Listed(r.logical_id, r.made.ref, r.kind.type_name) for r in self.records.values()]

    def parameter_list(self) -> list[dict[str, str]]:
        """The parameters as DescribeStacks gives them; NoEcho ones masked."""
        return [
            {
                "ParameterKey": key,
                "ParameterValue": "****" if key in self.no_echo_parameter_keys else value,
            }
            for key, value in self.resolved_parameters.items()
        ]

    def changes(self, template: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """(action, logical id, type) of the resources that a change set lists."""
        old, new = self.template.get("Resources", {}), template.get("Resources", {})
        added = [("Add", name, new[name]["Type"]) for name in new if name not in old]
        changed = [
            ("Modify", name, new[name]["Type"]) for name in new if name in old and new[name] != old[name]
        ]
        removed = [("Remove", name, old[name]["Type"]) for name in old if name not in new]
        return added + changed + removed


@dataclass
class Outputs:
    """A stack's outputs; in the place of moto's OutputMap."""

    stack_id: str
    items: Mapping[str, Mapping[str, str]]

    def values(self) -> list[Output]:
        """Every output."""
        return [Output(name, it["Value"], it.get("Description")) for name, it in self.items.items()]

    @property
    def exports(self) -> list[Export]:
        """The outputs that are exported."""
        return [
            Export(self.stack_id, it["Export"], it["Value"]) for it in self.items.values() if "Export" in it
        ]
