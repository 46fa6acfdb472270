"""AWS::Events::Rule."""

from __future__ import annotations

import json
from typing import Any

from ...errors import NotSupported
from ..resource import Change, Existing, Made, Place, Properties, ResourceType, TemplateError, without
from ..shapes import call, fit, retag


class Rule(ResourceType):
    """A rule of the default event bus and its targets. `Ref` is its name."""

    type_name = "AWS::Events::Rule"
    attributes = frozenset({"Arn"})
    name_property = "Name"

    def create(self, at: Place, properties: Properties) -> Made:
        events, name = at.client("events"), properties["Name"]
        if any(it["Name"] == name for it in events.list_rules(NamePrefix=name)["Rules"]):
            raise TemplateError(f"Rule {name} already exists")
        targets = _targets(events, properties)  # checked before anything is made
        arn = self._put(events, properties)
        if targets:
            events.put_targets(Rule=name, Targets=targets)
        return Made(name, {"Arn": arn})

    def update(self, at: Place, change: Change) -> Made:
        events = at.client("events")
        targets = _targets(events, change.new)
        self._put(events, without(change.new, "Tags"))
        gone = {it["Id"] for it in change.old.get("Targets", [])} - {it["Id"] for it in targets}
        if gone:
            events.remove_targets(Rule=change.made.ref, Ids=sorted(gone))
        if targets:
            events.put_targets(Rule=change.made.ref, Targets=targets)
        retag(events, change.made.attributes["Arn"], change)
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        events = at.client("events")
        if ids := [target["Id"] for target in existing.properties.get("Targets", [])]:
            events.remove_targets(Rule=existing.made.ref, Ids=ids)
        events.delete_rule(Name=existing.made.ref)

    def _put(self, events: Any, properties: Properties) -> str:
        rule = without(properties, "Targets")
        if rule.pop("EventBusName", "default") not in {"default", ""}:
            raise NotSupported("EventBusName: the laptop delivers the events of the default bus only")
        if "EventPattern" in rule:
            rule["EventPattern"] = json.dumps(rule["EventPattern"])
        return str(call(events, "PutRule", rule)["RuleArn"])


def _targets(events: Any, properties: Properties) -> list[dict[str, Any]]:
    targets = fit(events, "PutTargets", {"Rule": "", "Targets": properties.get("Targets", [])})["Targets"]
    for target in targets:
        if "Id" not in target or "Arn" not in target:
            raise TemplateError(f"Targets: a target needs an Id and an Arn: {target}")
    return list(targets)
