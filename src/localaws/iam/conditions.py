"""The Condition element of a policy statement: operators, quantifiers, missing keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localaws.errors import ApiError, NotSupported
from localaws.iam import operators
from localaws.iam.globs import Context
from localaws.iam.principals import listed

_NAME = re.compile(r"(?:(ForAllValues|ForAnyValue):)?(.+?)(IfExists)?")


@dataclass(frozen=True)
class Clause:
    """One `{operator: {key: values}}` of a Condition element; `key` in lower case."""

    operator: str
    quantifier: str | None
    if_exists: bool
    key: str
    values: tuple[str, ...]

    def holds(self, context: Context, variables: Context | None) -> bool:
        """Whether the request's `context` meets this clause. `${...}` is replaced from `variables`, if given.

        AWS docs: "Conditions with multiple context keys or values", "Set operators for multivalued keys".
        """
        found = context.get(self.key)
        present = () if found is None else (found,) if isinstance(found, str) else found
        if self.operator == "Null":
            return any((not present) == (value.lower() == "true") for value in self.values)
        test, negated = operators.test_of(self.operator)
        if not present:
            return self._holds_without_the_key(negated)
        agreed = [any(test(value, have, variables) for value in self.values) for have in present]
        if self.quantifier == "ForAllValues":
            return all(one != negated for one in agreed)
        if self.quantifier == "ForAnyValue":
            return any(one != negated for one in agreed)
        return any(agreed) != negated

    def _holds_without_the_key(self, negated: bool) -> bool:
        if self.if_exists or self.quantifier == "ForAllValues":
            return True
        return negated and self.quantifier is None


def parse(condition: Any) -> tuple[Clause, ...]:
    """The clauses of a Condition element; all of them must hold.

    Raises NotSupported naming an operator that isn't known, ApiError MalformedPolicyDocument for a value
    the operator can't read.
    """
    if condition is None:
        return ()
    if not isinstance(condition, Mapping) or not all(
        isinstance(keys, Mapping) for keys in condition.values()
    ):
        raise ApiError(
            "MalformedPolicyDocument", f"Condition must be {{operator: {{key: value}}}}: {condition}"
        )
    return tuple(_clause(name, key, value) for name, keys in condition.items() for key, value in keys.items())


def _clause(name: str, key: str, wanted: Any) -> Clause:
    found = _NAME.fullmatch(name)
    quantifier, operator, if_exists = found.groups() if found else (None, name, None)
    if operator not in operators.known() or (operator == "Null" and operator != name):
        known = ", ".join(operators.known())
        raise NotSupported(f"condition operator {name!r} (on key {key!r}) is not known; known are: {known}")
    values = tuple(_text(value) for value in listed(wanted))
    for value in values:
        try:
            operators.check_value(operator, value)
        except ValueError as error:
            message = f"condition {name} on {key!r} can't read {value!r}: {error}"
            raise ApiError("MalformedPolicyDocument", message) from error
    return Clause(operator, quantifier, if_exists is not None, key.lower(), values)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
