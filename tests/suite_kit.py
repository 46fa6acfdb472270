"""Rows that a suite holds for, and rows that break a given number of times what it expects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from gluebook.contracts import Column, Contract
from gluebook.quality.arguments import columns_of
from gluebook.quality.suites import Suite

Row = dict[str, Any]
NOON = datetime(2026, 1, 5, 12)
NOT_NULL = "expect_column_values_to_not_be_null"
# Beyond the contracts: what the suites' own rules ask for.
_GOOD: dict[str, Callable[[int], Any]] = {
    "log_id": lambda n: f"{n:064x}",
    "trace_id": lambda n: f"{n:032x}",
    "span_id": lambda n: f"{n:016x}",
    "satisfaction_rating": lambda n: 1 + n % 5,
    "opened_at": lambda n: NOON + timedelta(minutes=n),
    "first_response_at": lambda n: NOON + timedelta(minutes=n),
    "resolved_at": lambda n: NOON + timedelta(minutes=n + n % 2),
}


def good_rows(contract: Contract, sources: tuple[str, ...], rows: int) -> list[Row]:
    """Rows with a value in every column, that their suite holds for; `sources` take turns."""
    values: dict[str, Callable[[int], Any]] = {**_GOOD, "source": lambda n: sources[n % len(sources)]}
    return [
        {column.name: values.get(column.name, _value(column))(n) for column in contract.columns}
        for n in range(rows)
    ]


def _value(column: Column) -> Callable[[int], Any]:
    if column.allowed:
        return lambda n: column.allowed[n % len(column.allowed)]
    return {
        "text": lambda n: (
            f"{'é' * (column.length // 2 - 5)}{n % 1000:03}" if n == 7 else f"é{n}"[: column.length]
        ),
        "integer": lambda n: n,
        "bigint": lambda n: n + 2**40,
        "boolean": lambda n: n % 2 == 0,
        "date": lambda n: date(2026, 1, 5),
        "timestamp": lambda n: NOON + timedelta(seconds=n),
    }[column.type]


def broken(rows: list[Row], suite: Suite, more: int) -> list[Row]:
    """Copies of `rows` in which each expectation on rows is broken as often as it tolerates, and `more` times."""
    rows = [dict(row) for row in rows]
    # Nulls first: other expectations are about the rows that are left.
    for place, one in sorted(enumerate(suite["expectations"]), key=lambda each: each[1]["type"] != NOT_NULL):
        kwargs, spoil = one["kwargs"], _SPOIL.get(one["type"])
        if spoil is None:
            continue
        only = kwargs.get("row_condition")
        about = [
            row
            for row in rows
            if all(row[name] is not None for name in columns_of(kwargs))
            and (only is None or row[only["column"]["name"]] == only["parameter"])
        ]
        tolerated = sum(
            (len(about) - n) / len(about) >= kwargs.get("mostly", 1) for n in range(1, len(about))
        )
        for n in range(tolerated + more):
            spoil(about[(n * 3 + place) % len(about)], kwargs, rows[-1 - place])
    return rows


def _put(value: Callable[[dict[str, Any]], Any]) -> Callable[[Row, dict[str, Any], Row], None]:
    def spoil(row: Row, kwargs: dict[str, Any], _other: Row) -> None:
        row[kwargs["column"]] = value(kwargs)

    return spoil


def _outside(kwargs: dict[str, Any]) -> Any:
    if isinstance(kwargs.get("min_value"), str):
        return datetime.fromisoformat(kwargs["min_value"]) - timedelta(microseconds=1)
    return kwargs["min_value"] - 1 if "min_value" in kwargs else kwargs["max_value"] + 1


def _reverse(row: Row, kwargs: dict[str, Any], _other: Row) -> None:
    row[kwargs["column_B"]] = row[kwargs["column_A"]] + timedelta(microseconds=1)


def _repeat(row: Row, kwargs: dict[str, Any], other: Row) -> None:
    row.update({name: other[name] for name in kwargs["column_list"]})


_SPOIL: dict[str, Callable[[Row, dict[str, Any], Row], None]] = {
    NOT_NULL: _put(lambda k: None),
    "expect_column_values_to_be_in_set": _put(lambda k: k["value_set"][0].upper()),
    "expect_column_values_to_be_between": _put(_outside),
    # One byte too many in fewer characters than are allowed.
    "expect_column_value_byte_lengths_to_be_between": _put(
        lambda k: "é" * (k["max_value"] // 2) + "x" * (1 + k["max_value"] % 2)
    ),
    "expect_column_value_lengths_to_equal": _put(lambda k: "é" * (k["value"] - 1)),
    "expect_column_values_to_match_regex": _put(lambda k: "?"),
    "expect_column_pair_values_a_to_be_greater_than_b": _reverse,
    "expect_compound_columns_to_be_unique": _repeat,
}
