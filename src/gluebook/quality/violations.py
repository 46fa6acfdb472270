"""Which rows break an expectation, as a condition in SQL: to show examples, which GX doesn't on Spark.

The conditions are Spark's SQL. A null breaks nothing but `not_be_null`, as in Great Expectations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from gluebook.quality.baseline import Expectation

_Kwargs = Mapping[str, Any]
# What our suites may say in `row_condition`: one column against one text.
_CONDITION = re.compile(
    r"""col\("(?P<column>\w+)"\)\s*(?P<operator>==|!=|>=|<=|>|<)\s*(?P<value>"[^"]*"|-?[\d.]+)"""
)
_OPERATORS = {"==": "=", "!=": "<>"}


def violation(expectation: Expectation) -> str | None:
    """The SQL condition that holds for a row that breaks `expectation`; None if rows alone don't break it.

    Of what shall be unique, every row breaks it that isn't.
    """
    kwargs = expectation["kwargs"]
    make = _CONDITIONS.get(expectation["type"])
    if make is None:
        return None
    condition = make(kwargs)
    if (only := kwargs.get("row_condition")) is not None:
        condition = f"({condition}) and ({applies(only)})"
    return condition


def applies(row_condition: str) -> str:
    """A `row_condition` in SQL. Raises ValueError for one that is more than a comparison."""
    match = _CONDITION.fullmatch(row_condition.strip())
    if match is None:
        raise ValueError(f'row_condition {row_condition!r} is not like col("source") == "helpdesk"')
    operator = _OPERATORS.get(match["operator"], match["operator"])
    value = match["value"]
    return f"`{match['column']}` {operator} {_literal(value[1:-1]) if value.startswith(chr(34)) else value}"


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
