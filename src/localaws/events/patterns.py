"""EventBridge event patterns: does this event match?

AWS docs: "Comparison operators for use in event patterns in Amazon EventBridge". moto's own matcher is
not used: it counts any unknown operator as a match, and does not match inside arrays of objects.
"""

from __future__ import annotations

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..errors import NotSupported

_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether every field named in `pattern` holds one of its values in `event`.

    Raises NotSupported for an operator that EventBridge, or this matcher, does not know.
    """
    check(pattern)
    return _all_match(pattern, event)


@lru_cache(maxsize=256)
def read(text: str) -> Mapping[str, Any]:
    """The pattern in a rule's EventPattern."""
    pattern: Mapping[str, Any] = json.loads(text)
    return pattern


def check(pattern: Mapping[str, Any]) -> None:
    """Raise NotSupported, naming field and operator, unless all of the pattern is understood."""
    for name, expected in pattern.items():
        if name == "$or":
            for alternative in expected:
                check(alternative)
        elif isinstance(expected, Mapping):
            check(expected)
        elif isinstance(expected, Sequence) and not isinstance(expected, str):
            for one in expected:
                _check_filter(name, one)
        else:
            raise NotSupported(f"event pattern: {name!r} must be an object or an array, not {expected!r}")


def _check_filter(name: str, expected: Any) -> None:
    if not isinstance(expected, Mapping):
        return
    if len(expected) != 1:
        raise NotSupported(
            f"event pattern: {name!r} has a filter with {len(expected)} operators: {expected!r}"
        )
    ((kind, argument),) = expected.items()
    if kind != "exists" and kind not in _OPERATORS:
        raise NotSupported(f"event pattern: unknown operator {kind!r} at {name!r}")
    inner = _INNER.get(kind, set())
    if isinstance(argument, Mapping) and (len(argument) != 1 or not set(argument) <= inner):
        raise NotSupported(f"event pattern: {kind} takes no {argument!r}, at {name!r}")
    if kind == "numeric" and (
        len(argument) < 2 or len(argument) % 2 or not set(argument[::2]) <= set(_NUMERIC)
    ):
        raise NotSupported(
            f"event pattern: numeric takes pairs of sign and number, not {argument!r}, at {name!r}"
        )


def _all_match(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    return all(_field_matches(name, expected, event) for name, expected in pattern.items())


def _field_matches(name: str, expected: Any, event: Mapping[str, Any]) -> bool:
    if name == "$or":
        return any(_all_match(alternative, event) for alternative in expected)
    found = event.get(name, ())
    if isinstance(expected, Mapping):
        nodes = [node for node in _each(found) if isinstance(node, Mapping)]
        # Looking into {} lets {"exists": false} hold below a parent that isn't there.
        return any(_all_match(expected, node) for node in nodes or [{}])
    leaves = [] if name not in event else [leaf for leaf in _each(found) if not isinstance(leaf, Mapping)]
    return any(_filter_matches(one, leaves) for one in expected)


def _each(value: Any) -> Iterator[Any]:
    """The value itself, or the values of an array, however deep."""
    if isinstance(value, list | tuple):
        for one in value:
            yield from _each(one)
    else:
        yield value


def _filter_matches(expected: Any, leaves: list[Any]) -> bool:
    if not isinstance(expected, Mapping):
        return any(_same(leaf, expected) for leaf in leaves)
    ((kind, argument),) = expected.items()
    if kind == "exists":
        return bool(leaves) is bool(argument)
    return any(_OPERATORS[kind](leaf, argument) for leaf in leaves)


def _same(value: Any, expected: Any) -> bool:
    """Equal as JSON values: true is not 1."""
    return isinstance(value, bool) is isinstance(expected, bool) and bool(value == expected)


def _text(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """An operator on texts; within it `{"equals-ignore-case": text}` may stand for the text."""

    def matches_text(value: Any, argument: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(argument, Mapping):
            return test(value.lower(), str(argument["equals-ignore-case"]).lower())
        return test(value, str(argument))

    return matches_text


def _numeric(value: Any, argument: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(
        _NUMERIC[sign](value, limit) for sign, limit in zip(argument[::2], argument[1::2], strict=True)
    )


def _wildcard(value: Any, argument: Any) -> bool:
    """`*` stands for any characters; `\\*` and `\\\\` for themselves."""
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", str(argument))
    expression = "".join(
        ".*" if part == "*" else re.escape(re.sub(r"\\([*\\])", r"\1", part)) for part in parts
    )
    return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None


def _cidr(value: Any, argument: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(argument)
    except ValueError:
        return False


def _anything_but(value: Any, argument: Any) -> bool:
    if not isinstance(argument, Mapping):
        return not any(_same(value, one) for one in _each(argument))
    ((kind, inner),) = argument.items()
    return not any(_OPERATORS[kind](value, one) for one in _each(inner))


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _text(str.startswith),
    "suffix": _text(str.endswith),
    "equals-ignore-case": _text(lambda value, argument: value.lower() == argument.lower()),
    "numeric": _numeric,
    "wildcard": _wildcard,
    "cidr": _cidr,
    "anything-but": _anything_but,
}

# Operators that may stand inside another one.
_INNER: dict[str, set[str]] = {
    "prefix": {"equals-ignore-case"},
    "suffix": {"equals-ignore-case"},
    "anything-but": {"prefix", "suffix", "equals-ignore-case", "wildcard"},
}
