"""What a contract requires of a dataset's Parquet, as expectations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gluebook.contracts import TYPES, Column, Contract

Expectation = dict[str, Any]


def baseline(contract: Contract) -> list[Expectation]:
    """The expectations that follow from `contract`, all critical, in contract order.

    At least one row; the columns by name, order and type; a value where one is required; the values of
    enumerations; lengths in bytes; no duplicate rows. COPY goes by position, so the order matters.
    """
    table = [
        _demand("expect_table_row_count_to_be_between", "an empty batch brings nothing", min_value=1),
        _demand(
            "expect_table_columns_to_match_ordered_list",
            "the warehouse copies columns by position",
            column_list=list(contract.names),
        ),
        _demand(
            "expect_compound_columns_to_be_unique",
            "the same row twice would be counted twice",
            column_list=list(identity(contract)),
        ),
    ]
    return [*table, *(one for column in contract.columns for one in _of(column))]


def identity(contract: Contract) -> tuple[str, ...]:
    """The columns that identify a row of the lake, which keeps all distinct revisions."""
    last = contract.newest_by[-1]
    return contract.key if last in contract.key else (*contract.key, last)


def _of(column: Column) -> Iterator[Expectation]:
    name, type_ = column.name, TYPES[column.type]
    yield _demand(
        "expect_column_values_to_be_in_type_list",
        "the warehouse's column has this type",
        column=name,
        type_list=[type_.spark_class],
    )
    if not column.nullable:
        yield _demand(
            "expect_column_values_to_not_be_null", "the contract demands a value in every row", column=name
        )
    if column.allowed:
        yield _demand(
            "expect_column_values_to_be_in_set",
            "the contract knows no other value",
            column=name,
            value_set=list(column.allowed),
        )
    elif column.type == "text":
        yield _demand(
            "expect_column_value_byte_lengths_to_be_between",
            "the warehouse counts bytes of UTF-8, not characters",
            column=name,
            max_value=column.length,
        )


def _demand(kind: str, notes: str, **kwargs: Any) -> Expectation:
    return {"type": kind, "kwargs": kwargs, "severity": "critical", "meta": {"notes": notes}}
