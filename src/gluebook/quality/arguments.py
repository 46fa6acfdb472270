"""What an expectation may be given: names and values of its arguments, and the columns that it can be asked of."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from gluebook.contracts import TYPES
from gluebook.errors import ContractError

Kwargs = Mapping[str, Any]
Families = Iterator[tuple[str, str]]

# Signs of a `row_condition`, in SQL.
OPERATORS: Mapping[str, str] = MappingProxyType(
    {"==": "=", "!=": "<>", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
)
# Class of a Spark type -> what its values can be compared with. Values of other types are not compared.
_FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "StringType": "text",
        "IntegerType": "number",
        "LongType": "number",
        "DoubleType": "number",
        "BooleanType": "boolean",
        "DateType": "time",
        "TimestampType": "time",
    }
)


def columns_of(kwargs: Kwargs) -> list[str]:
    """The columns that an expectation with these arguments evaluates."""
    found = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return [*found, *kwargs.get("column_list", [])]


def moment(text: str) -> str:
    """An ISO time as Spark reads it: UTC, without a zone. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return (found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found).isoformat()


# -- values ------------------------------------------------------------------------------------------------


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _family(value: Any) -> str | None:
    """What kind of column a value can be compared with."""
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number" if _is_number(value) else None


def _is_bound(value: Any) -> bool:
    if not isinstance(value, str):
        return _is_number(value)
    try:
        return bool(moment(value))
    except (ValueError, OverflowError):
        return False


def _is_regex(value: Any) -> bool:
    try:
        return bool(re.compile(value))
    except (re.error, TypeError):
        return False


def _is_condition(value: Any) -> bool:
    match value:
        case {"type": "comparison", "column": {"name": str()}, "operator": sign, "parameter": parameter}:
            return len(value) == 4 and sign in OPERATORS and _family(parameter) is not None
    return False


def _is_list(of: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list) and bool(value) and all(map(of, value)) and len({*value}) == len(value)
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_value_set(value: Any) -> bool:
    return _is_list(lambda one: _family(one) is not None)(value) and len({_family(one) for one in value}) == 1


# Argument -> whether a value will do, and what it has to be.
_VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {
        "column": (_is_text, "the name of a column"),
        "column_A": (_is_text, "the name of a column"),
        "column_B": (_is_text, "the name of a column"),
        "column_list": (_is_list(_is_text), "a list of names of columns, each once"),
        "value_set": (_is_value_set, "a list of texts, of numbers or of booleans, each once"),
        "type_list": (
            _is_list(lambda name: _is_text(name) and name in {type_.spark_class for type_ in TYPES.values()}),
            f"a list of {', '.join(type_.spark_class for type_ in TYPES.values())}",
        ),
        "min_value": (_is_bound, "a number or an ISO time"),
        "max_value": (_is_bound, "a number or an ISO time"),
        "strict_min": (lambda value: isinstance(value, bool), "true or false"),
        "strict_max": (lambda value: isinstance(value, bool), "true or false"),
        "or_equal": (lambda value: isinstance(value, bool), "true or false"),
        "value": (lambda value: _is_number(value) and isinstance(value, int), "a whole number"),
        "regex": (_is_regex, "a regular expression"),
        "mostly": (lambda value: _is_number(value) and 0 <= value <= 1, "a number from 0 to 1"),
        # Great Expectations' engines differ in what they make of one missing value.
        "ignore_row_if": (lambda value: value == "either_value_is_missing", "either_value_is_missing"),
        "row_condition": (
            _is_condition,
            f"a comparison of a column by one of {', '.join(OPERATORS)} with a text, a number or a boolean",
        ),
    }
)


# -- signatures --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signature:
    """The arguments of a type of expectation. `families`: what its columns have to hold, by column."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    families: Callable[[Kwargs], Families] = lambda _kwargs: iter(())

    def check(self, kwargs: Kwargs) -> None:
        """Raise ContractError unless the arguments are those of this type, with values that will do."""
        known = self.required | self.optional
        if unknown := sorted(kwargs.keys() - known):
            raise ContractError(
                f"it has no argument {', '.join(unknown)}; there are {', '.join(sorted(known))}"
            )
        if missing := sorted(self.required - kwargs.keys()):
            raise ContractError(f"it lacks the argument {', '.join(missing)}")
        for name, value in kwargs.items():
            will_do, wanted = _VALUES[name]
            if not will_do(value):
                raise ContractError(f"{name} must be {wanted}, not {value!r}")
        bounds = [kwargs[name] for name in ("min_value", "max_value") if name in kwargs]
        if self.families is not of_bounds and any(isinstance(bound, str) for bound in bounds):
            raise ContractError("min_value and max_value must be numbers")
        if "min_value" in known:
            _check_range(bounds)

    def misfit(self, kwargs: Kwargs, types: Mapping[str, str]) -> str | None:
        """Why the expectation can't be evaluated on columns with these Spark types; None if it can."""
        families = [*self.families(kwargs), *_compared(kwargs)]
        for column in [*columns_of(kwargs), *(name for name, _ in families)]:
            if column not in types:
                return f"there is no column {column!r}"
        for column, family in families:
            if _FAMILIES.get(types[column]) != family:
                return f"{column} is {types[column]}, which holds no {family}"
        return None


def _check_range(bounds: list[Any]) -> None:
    if not bounds:
        raise ContractError("it needs min_value or max_value")
    if len({isinstance(bound, str) for bound in bounds}) > 1:
        raise ContractError("min_value and max_value must both be numbers or both be times")
    low, high = (moment(bound) if isinstance(bound, str) else bound for bound in (bounds[0], bounds[-1]))
    if low > high:
        raise ContractError(f"min_value {bounds[0]!r} is above max_value {bounds[-1]!r}")


def _compared(kwargs: Kwargs) -> Families:
    if (condition := kwargs.get("row_condition")) is not None:
        yield condition["column"]["name"], _family(condition["parameter"]) or ""


def of_text(kwargs: Kwargs) -> Families:
    """A column of texts."""
    yield kwargs["column"], "text"


def of_numbers(kwargs: Kwargs) -> Families:
    """A column of numbers."""
    yield kwargs["column"], "number"


def of_value_set(kwargs: Kwargs) -> Families:
    """A column of what the set holds."""
    yield kwargs["column"], _family(kwargs["value_set"][0]) or ""


def of_bounds(kwargs: Kwargs) -> Families:
    """A column of what its bounds are."""
    bound = kwargs.get("min_value", kwargs.get("max_value"))
    yield kwargs["column"], "time" if isinstance(bound, str) else "number"


def of_times(kwargs: Kwargs) -> Families:
    """A pair of columns of times."""
    yield kwargs["column_A"], "time"
    yield kwargs["column_B"], "time"
