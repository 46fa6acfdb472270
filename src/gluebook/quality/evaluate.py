"""Evaluate a suite on a Spark frame: all expectations in one aggregate, and one more for each uniqueness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from gluebook.quality.arguments import Kwargs, columns_of
from gluebook.quality.baseline import Expectation
from gluebook.quality.expectation_types import (
    COLUMNS,
    EXPECTATION_TYPES,
    UNIQUE,
    MeasureType,
    RowType,
    applies,
    violation,
)
from gluebook.quality.report import Outcome
from gluebook.quality.suites import Suite

Numbers = Mapping[str, Any]  # an aggregate in SQL -> its value


def evaluate(frame: DataFrame, suite: Suite, also: Iterable[str] = ()) -> tuple[list[Outcome], Numbers]:
    """The outcome of every expectation of a checked suite, in its order, without examples; and values of `also`.

    `also`: further aggregates in SQL, computed in the same pass. An expectation whose columns are missing in
    `frame`, or are of a type that it does not apply to, fails; its outcome says why.
    """
    types = {field.name: type(field.dataType).__name__ for field in frame.schema.fields}
    misfits = [_misfit(one, types) for one in suite["expectations"]]
    asked = [one for one, misfit in zip(suite["expectations"], misfits, strict=True) if misfit is None]
    numbers = _aggregate(frame, [*also, *(sql for one in asked for sql in _aggregates(one))])
    for one in asked:
        if one["type"] == UNIQUE:
            numbers |= _repeated(frame, one)
    outcomes = [
        _outcome(suite["name"], one, *_judged(one, types, numbers))
        if misfit is None
        else _outcome(suite["name"], one, False, observed=misfit)
        for one, misfit in zip(suite["expectations"], misfits, strict=True)
    ]
    return outcomes, numbers


def _misfit(expectation: Expectation, types: Mapping[str, str]) -> str | None:
    if expectation["type"] == COLUMNS:
        return None  # a missing column is what it looks for
    return EXPECTATION_TYPES[expectation["type"]].signature.misfit(expectation["kwargs"], types)


# -- what is computed --------------------------------------------------------------------------------------


def _aggregates(expectation: Expectation) -> Iterator[str]:
    """The aggregates of the one pass that decide an expectation."""
    found = EXPECTATION_TYPES[expectation["type"]]
    if isinstance(found, MeasureType):
        yield found.measure(expectation["kwargs"])
    elif isinstance(found, RowType) and expectation["type"] != UNIQUE:
        yield from (_given(expectation), _broken(expectation))


def _given(expectation: Expectation) -> str:
    return f"count_if({applies(expectation)})"


def _broken(expectation: Expectation) -> str:
    return f"count_if({violation(expectation)})"


def _aggregate(frame: DataFrame, aggregates: Iterable[str]) -> dict[str, Any]:
    each = list(dict.fromkeys(aggregates))
    if not each:
        return {}
    row = frame.agg(*(F.expr(sql).alias(f"v{number}") for number, sql in enumerate(each))).collect()[0]
    return dict(zip(each, row, strict=True))


def _repeated(frame: DataFrame, expectation: Expectation) -> dict[str, int]:
    """Rows that have a key, and rows whose key others have too. Only the key's columns are read and moved."""
    rows = F.expr(applies(expectation))
    each = frame.where(rows).groupBy(*expectation["kwargs"]["column_list"]).agg(F.expr("count(*) as copies"))
    given, broken = "coalesce(sum(copies), 0)", "coalesce(sum(if(copies > 1, copies, 0)), 0)"
    found = _aggregate(each, [given, broken])
    return {_given(expectation): found[given], _broken(expectation): found[broken]}


# -- what it means -----------------------------------------------------------------------------------------


def _judged(
    expectation: Expectation, types: Mapping[str, str], numbers: Numbers
) -> tuple[bool, int | None, float | None, str]:
    """Whether it holds, the rows that break it, their share in percent, and what was found instead."""
    found, kwargs = EXPECTATION_TYPES[expectation["type"]], expectation["kwargs"]
    if isinstance(found, RowType):
        given, broken = numbers[_given(expectation)], numbers[_broken(expectation)]
        if not given:
            return True, broken, None, ""
        return (given - broken) / given >= kwargs.get("mostly", 1), broken, broken / given * 100, ""
    if isinstance(found, MeasureType):
        value = numbers[found.measure(kwargs)]
        return _within(value, kwargs), None, None, str(value)
    if expectation["type"] == COLUMNS:
        return list(types) == kwargs["column_list"], None, None, str(list(types))
    return types[kwargs["column"]] in kwargs["type_list"], None, None, types[kwargs["column"]]


def _within(value: Any, kwargs: Kwargs) -> bool:
    """Whether a number is within the bounds; no number, as of an empty column, is not."""
    if value is None:
        return False
    low, high = kwargs.get("min_value", value), kwargs.get("max_value", value)
    above = value > low if "min_value" in kwargs and kwargs.get("strict_min") else value >= low
    below = value < high if "max_value" in kwargs and kwargs.get("strict_max") else value <= high
    return bool(above and below)


def _outcome(
    suite: str,
    expectation: Expectation,
    passed: bool,
    unexpected_rows: int | None = None,
    unexpected_percent: float | None = None,
    observed: str = "",
) -> Outcome:
    return Outcome(
        suite=suite,
        expectation=expectation["type"],
        column=", ".join(columns_of(expectation["kwargs"])),
        kwargs=expectation["kwargs"],
        severity=expectation["severity"],
        passed=passed,
        unexpected_rows=unexpected_rows,
        unexpected_percent=unexpected_percent,
        observed="" if passed else observed[:500],
        notes=expectation.get("meta", {}).get("notes", ""),
    )
