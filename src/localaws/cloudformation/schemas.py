"""What AWS's resource provider schemas say of a resource type: its properties, and what a change of each one means.

The schemas are those that cfn-lint ships, read as files: importing cfn-lint takes longer than a deployment here. A
type's schema is read when a template first uses the type. AWS docs: "Resource type schema" (CloudFormation CLI).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from localaws.endpoint import REGION
from localaws.errors import LocalAwsError

Pointer = tuple[str, ...]  # to a property, from the outermost name inwards


@dataclass(frozen=True)
class Schema:
    """`properties`: those that a template may set; `replacing`: a change of one of these makes a new resource."""

    properties: frozenset[str]
    required: frozenset[str]
    replacing: frozenset[Pointer]


@cache
def schema_of(type_name: str) -> Schema:
    """The schema of a resource type, e.g. "AWS::SQS::Queue". Raises LocalAwsError if there is none."""
    if type_name not in _files():
        raise LocalAwsError(f"cfn-lint's schemas have no resource type {type_name}")
    schema = _read("resources", _files()[type_name])
    read_only = {pointer[0] for pointer in _pointers(schema, "readOnlyProperties") if len(pointer) == 1}
    return Schema(
        properties=frozenset(schema["properties"]) - read_only,
        required=frozenset(schema.get("required", ())),
        replacing=frozenset(
            [
                *_pointers(schema, "createOnlyProperties"),
                # "Conditional" is decided by the service; that a new resource is made is the safe reading.
                *_pointers(schema, "conditionalCreateOnlyProperties"),
            ]
        ),
    )


def value_at(properties: Mapping[str, Any], pointer: Pointer) -> Any:
    """The value that `pointer` points to; None if there is none."""
    value: Any = properties
    for name in pointer:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


@cache
def _files() -> dict[str, str]:
    """The file of each resource type's schema."""
    return _read("providers", REGION)


def _pointers(schema: Mapping[str, Any], field: str) -> Iterable[Pointer]:
    """JSON pointers such as "/properties/TableInput/Name"."""
    return [tuple(text.split("/")[2:]) for text in schema.get(field, ())]


def _read(folder: str, name: str) -> dict[str, Any]:
    package = find_spec("cfnlint")
    if package is None or not package.submodule_search_locations:
        raise LocalAwsError(
            "cfn-lint, which brings the schemas of resource types, is not installed; install cfn-lint"
        )
    file = Path(package.submodule_search_locations[0]) / "data" / "schemas" / folder / f"{name}.json"
    if not file.is_file():
        raise LocalAwsError(
            f"{file} is missing: the installed cfn-lint keeps its schemas elsewhere; install 1.58.0"
        )
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found
