"""The types of expectations that the gate evaluates, each with its arguments and its SQL.

The SQL is Spark's. A null breaks nothing but `not_be_null`, as in Great Expectations. A type that is not here is
refused when its suite is loaded; a new one is one line here, one in `words.py`, and a case of the test that compares
the gate with Great Expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gluebook.errors import ContractError
from gluebook.quality.arguments import (
    OPERATORS,
    Kwargs,
    Signature,
    columns_of,
    moment,
    of_bounds,
    of_numbers,
    of_text,
    of_times,
    of_value_set,
)
from gluebook.quality.baseline import Expectation

COLUMNS = "expect_table_columns_to_match_ordered_list"
COLUMN_TYPE = "expect_column_values_to_be_in_type_list"
UNIQUE = "expect_compound_columns_to_be_unique"


@dataclass(frozen=True)
class RowType:
    """A type that single rows break. `breaks`, `given`: which of the rows do, and which are looked at, in SQL."""

    signature: Signature
    breaks: Callable[[Kwargs], str]
    given: Callable[[Kwargs], str | None]


@dataclass(frozen=True)
class MeasureType:
    """A type that compares one number of the table with bounds. `measure`: the number, as an aggregate in SQL."""

    signature: Signature
    measure: Callable[[Kwargs], str]


@dataclass(frozen=True)
class SchemaType:
    """A type that the names and types of the columns decide."""

    signature: Signature


def violation(expectation: Expectation) -> str | None:
    """The SQL condition that holds for a row that breaks `expectation`; None if single rows can't.

    Every row that is not unique breaks a uniqueness expectation.
    """
    found, kwargs = EXPECTATION_TYPES.get(expectation["type"]), expectation["kwargs"]
    if not isinstance(found, RowType):
        return None
    condition = found.breaks(kwargs)
    if (only := kwargs.get("row_condition")) is not None:
        condition = f"({condition}) and ({_comparison(only)})"
    return condition


def applies(expectation: Expectation) -> str:
    """The SQL condition that holds for a row that an expectation on rows is about: not null where it matters."""
    found, kwargs = EXPECTATION_TYPES[expectation["type"]], expectation["kwargs"]
    assert isinstance(found, RowType)
    only = kwargs.get("row_condition")
    parts = [_comparison(only) if only is not None else None, found.given(kwargs)]
    return " and ".join(f"({part})" for part in parts if part) or "true"


def check_arguments(expectation: Expectation, types: Mapping[str, str]) -> None:
    """Raise ContractError unless the gate knows the type, its arguments, and columns that fit them.

    `types`: the class of each column's Spark type, by name.
    """
    found = EXPECTATION_TYPES.get(expectation["type"])
    if found is None:
        raise ContractError(
            f"the gate knows no {expectation['type']}; there are {', '.join(EXPECTATION_TYPES)}"
        )
    found.signature.check(expectation["kwargs"])
    if (misfit := found.signature.misfit(expectation["kwargs"], types)) is not None:
        raise ContractError(misfit)


# -- SQL ---------------------------------------------------------------------------------------------------


def _comparison(row_condition: Kwargs) -> str:
    operator = OPERATORS[row_condition["operator"]]
    return f"`{row_condition['column']['name']}` {operator} {_literal(row_condition['parameter'])}"


def _literal(value: Any) -> str:
    if isinstance(value, float):
        return f"{value!r}D"  # without it Spark takes a decimal
    if isinstance(value, bool | int):
        return str(value).lower()
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _column(kwargs: Kwargs) -> str:
    return f"`{kwargs['column']}`"


def _in_set(kwargs: Kwargs) -> str:
    return f"{_column(kwargs)} not in ({', '.join(map(_literal, kwargs['value_set']))})"


def _outside(what: str, kwargs: Kwargs) -> str:
    ends = (("min", "<"), ("max", ">"))
    return " or ".join(
        f"{what} {sign}{'=' if kwargs.get(f'strict_{end}') else ''} {_bound(kwargs[f'{end}_value'])}"
        for end, sign in ends
        if f"{end}_value" in kwargs
    )


def _bound(value: Any) -> str:
    return f"timestamp '{moment(value)}'" if isinstance(value, str) else _literal(value)


def _pair(kwargs: Kwargs) -> str:
    operator = "<" if kwargs.get("or_equal") else "<="
    return f"`{kwargs['column_A']}` {operator} `{kwargs['column_B']}`"


def _not_unique(kwargs: Kwargs) -> str:
    columns = ", ".join(f"`{name}`" for name in kwargs["column_list"])
    rows = applies({"type": UNIQUE, "kwargs": kwargs})
    return f"count_if({rows}) over (partition by {columns}) > 1 and {rows}"


def _all_given(kwargs: Kwargs) -> str:
    return " and ".join(f"`{name}` is not null" for name in columns_of(kwargs))


def _any_given(kwargs: Kwargs) -> str:
    return " or ".join(f"`{name}` is not null" for name in columns_of(kwargs))


# -- the types ---------------------------------------------------------------------------------------------

_COLUMN = frozenset({"column"})
_ROWS = frozenset({"mostly", "row_condition"})
_BOUNDS = frozenset({"min_value", "max_value", "strict_min", "strict_max"})


def _on_column(
    breaks: Callable[[Kwargs], str],
    families: Callable[[Kwargs], Any],
    *required: str,
    optional: frozenset[str] = frozenset(),
) -> RowType:
    return RowType(Signature(_COLUMN | {*required}, _ROWS | optional, families), breaks, _all_given)


def _measured(function: str) -> MeasureType:
    return MeasureType(Signature(_COLUMN, _BOUNDS, of_numbers), lambda k: f"{function}({_column(k)})")


EXPECTATION_TYPES: Mapping[str, RowType | MeasureType | SchemaType] = MappingProxyType(
    {
        "expect_column_values_to_not_be_null": RowType(
            Signature(_COLUMN, _ROWS), lambda k: f"{_column(k)} is null", lambda _: None
        ),
        "expect_column_values_to_be_in_set": _on_column(_in_set, of_value_set, "value_set"),
        "expect_column_values_to_be_between": _on_column(
            lambda k: _outside(_column(k), k), of_bounds, optional=_BOUNDS
        ),
        "expect_column_value_byte_lengths_to_be_between": _on_column(
            lambda k: _outside(f"octet_length({_column(k)})", k), of_text, "max_value"
        ),
        "expect_column_value_lengths_to_equal": _on_column(
            lambda k: f"length({_column(k)}) <> {k['value']}", of_text, "value"
        ),
        "expect_column_values_to_match_regex": _on_column(
            lambda k: f"not {_column(k)} rlike {_literal(k['regex'])}", of_text, "regex"
        ),
        "expect_column_pair_values_a_to_be_greater_than_b": RowType(
            Signature(frozenset({"column_A", "column_B", "ignore_row_if"}), _ROWS | {"or_equal"}, of_times),
            _pair,
            _all_given,
        ),
        UNIQUE: RowType(Signature(frozenset({"column_list"}), _ROWS), _not_unique, _any_given),
        "expect_table_row_count_to_be_between": MeasureType(
            Signature(frozenset(), _BOUNDS), lambda _: "count(*)"
        ),
        "expect_column_min_to_be_between": _measured("min"),
        "expect_column_max_to_be_between": _measured("max"),
        "expect_column_mean_to_be_between": _measured("avg"),
        COLUMN_TYPE: SchemaType(Signature(_COLUMN | {"type_list"})),
        COLUMNS: SchemaType(Signature(frozenset({"column_list"}))),
    }
)
