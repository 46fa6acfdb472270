"""Which rows break an expectation, as a condition in SQL: GX gives no examples on Spark.

The conditions are Spark's SQL. A null breaks nothing but `not_be_null`, as in Great Expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from gluebook.quality.baseline import Expectation

_Kwargs = Mapping[str, Any]
_OPERATORS = {"==": "=", "!=": "<>", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


def violation(expectation: Expectation) -> str | None:
    """The SQL condition that holds for a row that breaks `expectation`; None if single rows can't.

    Every row that is not unique breaks a uniqueness expectation.
    """
    kwargs = expectation["kwargs"]
    make = _CONDITIONS.get(expectation["type"])
    if make is None:
        return None
    condition = make(kwargs)
    if (only := kwargs.get("row_condition")) is not None:
        condition = f"({condition}) and ({applies(only)})"
    return condition


def applies(row_condition: _Kwargs) -> str:
    """A `row_condition` in SQL. Raises ValueError for one that is more than a comparison."""
    operator = _OPERATORS.get(row_condition.get("operator", ""))
    if row_condition.get("type") != "comparison" or operator is None:
        raise ValueError(f"row_condition {row_condition!r} compares no column with a value")
    return f"`{row_condition['column']['name']}` {operator} {_literal(row_condition['parameter'])}"


def _literal(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower()
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _column(kwargs: _Kwargs) -> str:
    return f"`{kwargs['column']}`"


def _not_null(kwargs: _Kwargs) -> str:
    return f"{_column(kwargs)} is null"


def _in_set(kwargs: _Kwargs) -> str:
    return f"{_column(kwargs)} not in ({', '.join(map(_literal, kwargs['value_set']))})"


def _between(what: str, kwargs: _Kwargs) -> str:
    bounds = [
        *([f"{what} < {_bound(kwargs['min_value'])}"] if kwargs.get("min_value") is not None else []),
        *([f"{what} > {_bound(kwargs['max_value'])}"] if kwargs.get("max_value") is not None else []),
    ]
    return " or ".join(bounds)


def _bound(value: Any) -> str:
    return f"timestamp {_literal(value)}" if isinstance(value, str) else _literal(value)


def _pair(kwargs: _Kwargs) -> str:
    operator = "<" if kwargs.get("or_equal") else "<="
    return f"`{kwargs['column_A']}` {operator} `{kwargs['column_B']}`"


def _not_unique(kwargs: _Kwargs) -> str:
    columns = ", ".join(f"`{name}`" for name in kwargs["column_list"])
    return f"count(*) over (partition by {columns}) > 1"


_CONDITIONS: Mapping[str, Callable[[_Kwargs], str]] = MappingProxyType(
    {
        "expect_column_values_to_not_be_null": _not_null,
        "expect_column_values_to_be_in_set": _in_set,
        "expect_column_values_to_be_between": lambda k: _between(_column(k), k),
        "expect_column_value_byte_lengths_to_be_between": lambda k: _between(
            f"octet_length({_column(k)})", k
        ),
        "expect_column_value_lengths_to_equal": lambda k: f"length({_column(k)}) <> {k['value']}",
        "expect_column_values_to_match_regex": lambda k: f"not {_column(k)} rlike {_literal(k['regex'])}",
        "expect_column_pair_values_a_to_be_greater_than_b": _pair,
        "expect_compound_columns_to_be_unique": _not_unique,
    }
)
