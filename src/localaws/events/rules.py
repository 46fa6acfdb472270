"""The deployed rules of the default bus, with their targets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """An ENABLED rule; `pattern` is None for one that only has a schedule."""

    name: str
    arn: str
    pattern: dict[str, Any] | None
    targets: tuple[dict[str, Any], ...]


def enabled_rules(events: Any) -> list[Rule]:
    """All of them, as they are now; `events` is a boto3 client."""
    found = [
        rule
        for page in events.get_paginator("list_rules").paginate()
        for rule in page["Rules"]
        if rule["State"] == "ENABLED"
    ]
    return [
        Rule(
            rule["Name"],
            rule["Arn"],
            json.loads(rule["EventPattern"]) if rule.get("EventPattern") else None,
            tuple(
                target
                for page in events.get_paginator("list_targets_by_rule").paginate(Rule=rule["Name"])
                for target in page["Targets"]
            ),
        )
        for rule in found
    ]
