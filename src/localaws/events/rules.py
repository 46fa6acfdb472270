"""The deployed rules of the default bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """An ENABLED rule; `pattern` is None without an EventPattern, `schedule` without a ScheduleExpression."""

    name: str
    arn: str
    pattern: str | None
    schedule: str | None


def enabled_rules(events: Any) -> list[Rule]:
    """All of them, as they are now; `events` is a boto3 client."""
    return [
        Rule(rule["Name"], rule["Arn"], rule.get("EventPattern"), rule.get("ScheduleExpression"))
        for page in events.get_paginator("list_rules").paginate()
        for rule in page["Rules"]
        if rule["State"] == "ENABLED"
    ]


def targets_of(events: Any, rule: Rule) -> list[dict[str, Any]]:
    """The targets of a rule, as they are now."""
    pages = events.get_paginator("list_targets_by_rule").paginate(Rule=rule.name)
    return [target for page in pages for target in page["Targets"]]
