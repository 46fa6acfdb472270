"""What an EventBridge rule sends to a target."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import NotSupported

# RetryPolicy changes nothing here: what fails on the laptop (permission, missing target) fails again.
_KNOWN_FIELDS = {"Id", "Arn", "Input", "InputPath", "InputTransformer", "RetryPolicy", "DeadLetterConfig"}


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    """The text that `target` gets: the event as JSON, or what Input, InputPath or InputTransformer say.

    Raises NotSupported for a target field or a JSON path that is not known here.
    AWS docs: "Amazon EventBridge input transformation".
    """
    if unknown := set(target) - _KNOWN_FIELDS:
        raise NotSupported(f"target {target.get('Id')!r} of {rule_arn}: {', '.join(sorted(unknown))}")
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at_path(event, target["InputPath"]))
    if "InputTransformer" in target:
        return _transform(target["InputTransformer"], event, rule_arn)
    return json.dumps(event)


def _at_path(event: Any, path: str) -> Any:
    """The value at a JSON path of names and indexes; None where there is nothing."""
    if not re.fullmatch(r"\$(\.[\w-]+|\[\d+\])*", path):
        raise NotSupported(f"JSON path {path!r}: only names and indexes, as in $.detail.items[0].name")
    value = event
    for name, index in re.findall(r"\.([\w-]+)|\[(\d+)\]", path):
        if name:
            value = value.get(name) if isinstance(value, Mapping) else None
        else:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
    return value


def _transform(transformer: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    values = {name: _at_path(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    template = str(transformer["InputTemplate"])
    return re.sub(r"<([\w.-]+)>", lambda found: _inserted(template, found, values), template)


def _inserted(template: str, found: re.Match[str], values: Mapping[str, Any]) -> str:
    """One placeholder's text: as JSON, or without quotes inside a quoted text; nothing if it has no value."""
    value = values.get(found[1])
    if value is None:
        return ""
    before = re.sub(r"\\.", "", template[: found.start()])
    if before.count('"') % 2 == 0:
        return json.dumps(value)
    return json.dumps(value)[1:-1] if isinstance(value, str) else json.dumps(value).replace('"', '\\"')
