"""What an EventBridge rule sends to a target, and whether the target lets EventBridge in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
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


def service_may(
    policy: Mapping[str, Any] | None, service: str, action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Whether a resource policy lets an AWS service do `action` on `resource`.

    `context`: condition keys such as "aws:SourceArn". An explicit Deny wins; without a policy nobody may.
    Raises NotSupported for a policy element or condition that is not known here.
    """
    effects = {
        statement["Effect"]
        for statement in _listed((policy or {}).get("Statement"))
        if _applies(statement, service, action, resource, context)
    }
    return effects == {"Allow"}


def _applies(
    statement: Mapping[str, Any], service: str, action: str, resource: str, context: Mapping[str, str]
) -> bool:
    if unknown := set(statement) - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}:
        raise NotSupported(f"resource policy element {', '.join(sorted(unknown))}")
    return (
        _is_principal(statement.get("Principal"), service)
        and any(fnmatchcase(action.lower(), _glob(one).lower()) for one in _listed(statement["Action"]))
        and any(fnmatchcase(resource, _glob(one)) for one in _listed(statement["Resource"]))
        and all(
            _condition_holds(kind, key, wanted, context)
            for kind, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _is_principal(principal: Any, service: str) -> bool:
    if isinstance(principal, Mapping):
        return service in _listed(principal.get("Service")) or "*" in _listed(principal.get("AWS"))
    return principal in ("*", service)


def _condition_holds(kind: str, key: str, wanted: Any, context: Mapping[str, str]) -> bool:
    have = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if kind in ("ArnEquals", "ArnLike", "StringLike"):
        return have is not None and any(fnmatchcase(have, _glob(one)) for one in _listed(wanted))
    if kind == "StringEquals":
        return have is not None and have in _listed(wanted)
    if kind == "Bool":
        return have is not None and have.lower() in [str(one).lower() for one in _listed(wanted)]
    raise NotSupported(f"condition {kind} on {key} in a resource policy")


def _glob(pattern: str) -> str:
    # In a policy only * and ? are special; [ is not.
    return str(pattern).replace("[", "[[]")


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
