"""A CloudFormation template: parsed, and checked as far as possible without creating anything.

What CloudFormation refuses is refused here, before a change set exists, so that `aws cloudformation deploy` prints
the reason. What the laptop does not implement is an error.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from localaws.cloudformation.resource import ResourceType, TemplateError

_SECTIONS = {
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Resources",
    "Outputs",
}
_RESOURCE_FIELDS = {
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Metadata",
}
_OUTPUT_FIELDS = {"Description", "Value", "Export", "Condition"}
_POLICIES = {"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"}


@dataclass(frozen=True)
class Resource:
    """One entry of the template's Resources section, its expressions unresolved."""

    logical_id: str
    type_name: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...]
    condition: str | None
    retained: bool  # DeletionPolicy Retain: taken out of the template, it stays


@dataclass(frozen=True)
class Template:
    """A template's sections; `source` is the whole document as read."""

    source: Mapping[str, Any]
    parameters: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: Mapping[str, Resource]
    outputs: Mapping[str, Mapping[str, Any]]


# libyaml's reader takes a tenth of the time; PyYAML has it in all of its wheels.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML with CloudFormation's short forms (`!Ref x`); a date stays the text it was written as."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    key = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {key: str(text).split(".", 1) if suffix == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {key: loader.construct_mapping(node, deep=True)}
    raise TemplateError(f"!{suffix}: neither a text, a list nor a mapping follows")


_Loader.add_multi_constructor("!", _short_form)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str) -> dict[str, Any]:
    """The document in `text` (YAML or JSON). Raises TemplateError if it is neither."""
    try:
        # Not everything that is JSON is read alike as YAML (surrogate pairs, tabs).
        document = json.loads(text)
    except ValueError:
        try:
            document = yaml.load(text, Loader=_Loader)
        except yaml.YAMLError as reason:
            raise TemplateError(f"Template format error: {reason}") from reason
    if not isinstance(document, dict):
        raise TemplateError("Template format error: the template is not a mapping of sections")
    return dict(_plain(document))


def _plain(value: Any) -> Any:
    # Dates can still come from an explicit !!timestamp; JSON, and so every policy, has none.
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def read(text: str, types: Mapping[str, ResourceType]) -> Template:
    """The template in `text`, checked against the resource `types` the laptop can create.

    Raises TemplateError naming every unknown section, resource type, attribute or property.
    """
    document = parse(text)
    _refuse_unknown("Template format error: section", document, _SECTIONS)
    declared = _section(document, "Resources")
    if not declared:
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    unknown = sorted({_type_of(name, body) for name, body in declared.items()} - set(types))
    if unknown:
        raise TemplateError(
            f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]. "
            f"The laptop's CloudFormation knows: {', '.join(sorted(types))}"
        )
    resources = {name: _resource(name, body, types[body["Type"]]) for name, body in declared.items()}
    outputs = _section(document, "Outputs")
    for name, body in outputs.items():
        if not isinstance(body, dict) or "Value" not in body:
            raise TemplateError(f"Template format error: Output {name} has no Value")
        _refuse_unknown(f"Template format error: Output {name}:", body, _OUTPUT_FIELDS)
    return Template(
        document,
        _section(document, "Parameters"),
        _section(document, "Mappings"),
        _section(document, "Conditions"),
        resources,
        outputs,
    )


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise TemplateError(f"Template format error: [/{name}] is not a mapping")
    return section


def _type_of(name: str, body: Any) -> str:
    if not isinstance(body, dict) or not isinstance(body.get("Type"), str):
        raise TemplateError(f"Template format error: [/Resources/{name}] has no Type")
    return str(body["Type"])


def _resource(name: str, body: dict[str, Any], kind: ResourceType) -> Resource:
    where = f"Resource {name} ({kind.type_name}):"
    if not name.isalnum():
        raise TemplateError(f"{where} a logical id is letters and digits only")
    _refuse_unknown(where, body, _RESOURCE_FIELDS)
    properties = body.get("Properties", {})
    if not isinstance(properties, dict):
        raise TemplateError(f"{where} Properties is not a mapping")
    if problem := kind.problem(set(properties)):
        raise TemplateError(f"{where} {problem}")
    depends_on = body.get("DependsOn", [])
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        if body.get(policy, "Delete") not in _POLICIES:
            raise TemplateError(
                f"{where} {policy} {json.dumps(body[policy])} is not one of {sorted(_POLICIES)}"
            )
    return Resource(
        name,
        kind.type_name,
        properties,
        tuple([depends_on] if isinstance(depends_on, str) else depends_on),
        body.get("Condition"),
        retained=str(body.get("DeletionPolicy", "Delete")).startswith("Retain"),
    )


def _refuse_unknown(where: str, given: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise TemplateError(
            f"{where} {', '.join(unknown)}: the laptop's CloudFormation does not implement that"
        )
