"""A template's parameters: the given values, or the defaults, checked against the declarations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.resource import TemplateError
from localaws.cloudformation.shapes import text, truth

_LISTS = {"CommaDelimitedList", "List<Number>"}
_NUMBERS = {"Number", "List<Number>"}
_TYPES = {"String", *_LISTS, *_NUMBERS}
_FIELDS = {
    "Type",
    "Default",
    "Description",
    "NoEcho",
    "ConstraintDescription",
    "AllowedValues",
    "AllowedPattern",
    "MinLength",
    "MaxLength",
    "MinValue",
    "MaxValue",
}


def choose(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, str]:
    """{parameter: its value as a text}: the given one, else the default.

    Raises TemplateError if one is missing, unknown, or breaks its declaration. AWS docs: "Parameters".
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    chosen = {}
    for name, declaration in declared.items():
        _check_declaration(name, declaration)
        if name not in given and "Default" not in declaration:
            raise TemplateError(f"Parameters: [{name}] must have values")
        value = text(given[name] if name in given else declaration["Default"])
        _check_value(name, value, declaration)
        chosen[name] = value
    return chosen


def value_of(declaration: Mapping[str, Any], chosen: str) -> str | list[str]:
    """What `Ref` gives for a parameter: a text (also for Number), or a list of texts."""
    if declaration["Type"] in _LISTS:
        return [part.strip() for part in chosen.split(",")]
    return chosen


def hidden(declared: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The parameters whose values are never shown."""
    return [name for name, declaration in declared.items() if truth(declaration.get("NoEcho", False))]


def _check_declaration(name: str, declaration: Mapping[str, Any]) -> None:
    if declaration.get("Type") not in _TYPES:
        raise TemplateError(
            f"Parameter {name}: the laptop's CloudFormation doesn't know type {declaration.get('Type')}; "
            f"it knows {', '.join(sorted(_TYPES))}"
        )
    unknown = sorted(set(declaration) - _FIELDS)
    if unknown:
        raise TemplateError(f"Parameter {name}: unknown {', '.join(unknown)}")


def _check_value(name: str, value: str, declaration: Mapping[str, Any]) -> None:
    def refuse(problem: str) -> TemplateError:
        said = declaration.get("ConstraintDescription", problem)
        return TemplateError(f"Parameter {name} failed to satisfy constraint: {said}")

    parts = value_of(declaration, value)
    for part in [parts] if isinstance(parts, str) else parts:
        if declaration["Type"] in _NUMBERS and not _is_number(part):
            raise refuse(f"{part!r} is not a number")
        allowed = declaration.get("AllowedValues")
        if allowed is not None and part not in [text(item) for item in allowed]:
            raise refuse(f"{part!r} is not one of {', '.join(text(item) for item in allowed)}")
        pattern = declaration.get("AllowedPattern")
        if pattern is not None and not re.fullmatch(str(pattern), part):
            raise refuse(f"{part!r} does not match {pattern}")
        _check_bounds(part, declaration, refuse)


def _check_bounds(part: str, declaration: Mapping[str, Any], refuse: Any) -> None:
    if declaration["Type"] in _NUMBERS:
        size, least, most = float(part), "MinValue", "MaxValue"
    else:
        size, least, most = float(len(part)), "MinLength", "MaxLength"
    if least in declaration and size < float(declaration[least]):
        raise refuse(f"{least} is {declaration[least]}")
    if most in declaration and size > float(declaration[most]):
        raise refuse(f"{most} is {declaration[most]}")


def _is_number(value: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value) is not None
