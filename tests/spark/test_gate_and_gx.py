"""The gate evaluates suites itself; what it says is what Great Expectations says of the same rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from gluebook.contracts import CONTRACTS, Contract
from gluebook.core.model import Counts
from gluebook.quality.arguments import columns_of
from gluebook.quality.evaluate import evaluate
from gluebook.quality.expectation_types import EXPECTATION_TYPES, violation
from gluebook.quality.gate import check_batch
from gluebook.quality.numbers import batch_numbers
from gluebook.quality.report import Outcome
from gluebook.quality.suites import Suite, load_suites
from gx_kit import gx_verdicts
from suite_kit import Row, broken, good_rows

ROWS = 200
EACH = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
SOURCES = {"app_logs": ("mongod", "containers"), "support_tickets": ("servicenow", "helpdesk")}


def frame_of(spark: SparkSession, contract: Contract, rows: list[Row]) -> DataFrame:
    schema = ", ".join(f"`{column.name}` {column.spark_type}" for column in contract.columns)
    values = [tuple(row[name] for name in contract.names) for row in rows]
    return spark.createDataFrame(values, schema).coalesce(1).cache()


Verdict = tuple[bool, int | None, float | None]


def differences(outcomes: list[Outcome], frame: Any, suite: Suite) -> list[tuple[str, Any, Verdict, Verdict]]:
    """Where Great Expectations says otherwise: whether it holds, how many rows break it, and their share."""
    found = []
    for outcome, (passed, rows, percent) in zip(outcomes, gx_verdicts(frame, suite), strict=True):
        ours = (outcome.passed, outcome.unexpected_rows, outcome.unexpected_percent)
        # Where there is no row to count, Great Expectations' count is null; the gate's is zero.
        theirs = (
            passed,
            0 if passed and rows is None and ours[1] == 0 and percent is None else rows,
            percent,
        )
        if ours != theirs:
            found.append((outcome.expectation, outcome.kwargs, ours, theirs))
    return found


def compared(frame: DataFrame, suite: Suite) -> list[tuple[str, str]]:
    """What fails by the gate and by Great Expectations, which must agree to the row."""
    outcomes, _ = evaluate(frame, suite)
    assert differences(outcomes, frame, suite) == []
    return [(o.expectation, o.column) for o in outcomes if not o.passed]


def of_rows(suite: Suite) -> list[tuple[str, str]]:
    return [
        (one["type"], ", ".join(columns_of(one["kwargs"])))
        for one in suite["expectations"]
        if violation(one) is not None
    ]


@EACH
def test_a_suite_holds_up_to_what_it_tolerates_and_for_no_row_more(
    spark: SparkSession, contract: Contract
) -> None:
    suite = load_suites(contract).rows
    rows = good_rows(contract, SOURCES[contract.name], ROWS)
    assert compared(frame_of(spark, contract, broken(rows, suite, more=0)), suite) == []
    assert compared(frame_of(spark, contract, broken(rows, suite, more=1)), suite) == of_rows(suite)


@EACH
def test_rows_that_chance_has_made_are_judged_alike(spark: SparkSession, contract: Contract) -> None:
    suite, chance = load_suites(contract).rows, random.Random(7)
    good = good_rows(contract, SOURCES[contract.name], ROWS)
    bad = broken(good, suite, more=ROWS // 2)

    def value(name: str, row: Row) -> Any:
        if chance.random() > 0.1:
            return row[name]
        return chance.choice([None, chance.choice(bad)[name], chance.choice(good)[name]])

    rows = [{name: value(name, row) for name in contract.names} for row in good]
    assert compared(frame_of(spark, contract, rows), suite)


SHAPES: dict[str, Callable[[DataFrame, Contract], DataFrame]] = {
    "without rows": lambda df, _: df.where("false"),
    "null throughout": lambda df, contract: df.withColumns(
        {c.name: F.lit(None).cast(c.spark_type) for c in contract.columns}
    ),
    "of other columns": lambda df, contract: (
        df.select(*reversed(contract.names)).drop(contract.key[-1]).withColumn("more", F.lit(1))
    ),
}


@EACH
@pytest.mark.parametrize("what", SHAPES)
def test_tables_of_an_odd_shape_are_judged_alike(spark: SparkSession, contract: Contract, what: str) -> None:
    rows = good_rows(contract, SOURCES[contract.name], 10)
    compared(SHAPES[what](frame_of(spark, contract, rows), contract), load_suites(contract).rows)


# -- what the project's suites do not use ------------------------------------------------------------------

NUMBERS = (
    "n bigint, d double, t string, b boolean, at timestamp, then timestamp",
    [
        (1, 0.5, "a", True, "2026-01-05 00:00:00", "2026-01-04 00:00:00"),
        (2, float("nan"), "é'\\", False, "2026-01-05 00:00:00.000001", "2026-01-05 00:00:00.000001"),
        (2, 1e-7, "", True, "2026-01-06 12:00:00", None),
        (None, -0.0, "a\n", None, None, "2026-01-05 00:00:00"),
        (2**53 + 1, float("inf"), None, None, "9999-12-31 23:59:59", "2026-01-05 00:00:00"),
    ],
)


def of(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "severity": "warning"}


def only(column: str, operator: str, parameter: Any) -> dict[str, Any]:
    return {
        "type": "comparison",
        "column": {"name": column},
        "operator": operator,
        "parameter": parameter,
    }


BETWEEN, SET = "column_values_to_be_between", "column_values_to_be_in_set"
PAIR, UNIQUE = "column_pair_values_a_to_be_greater_than_b", "compound_columns_to_be_unique"
TIMES = {"column_A": "at", "column_B": "then", "ignore_row_if": "either_value_is_missing"}
MORE = [
    *(of(BETWEEN, column="n", **{end: bound}) for end in ("min_value", "max_value") for bound in (1, 2, 2.5)),
    of(BETWEEN, column="n", min_value=1, strict_min=True),
    of(BETWEEN, column="n", max_value=2, strict_max=True),
    of(BETWEEN, column="n", min_value=1, max_value=2, strict_min=True, strict_max=True),
    *(of(BETWEEN, column="d", **{end: x}) for end in ("min_value", "max_value") for x in (0, 1e-7, 0.5)),
    *(of(BETWEEN, column="at", min_value=t) for t in ("2026-01-05T00:00:00", "2026-01-05T00:00:00.000001")),
    of(BETWEEN, column="at", max_value="2026-01-06T12:00:00", strict_max=True),
    of(BETWEEN, column="n", min_value=2, row_condition=only("t", "!=", "a")),
    of(BETWEEN, column="n", min_value=2, row_condition=only("b", "==", True)),
    of(BETWEEN, column="n", min_value=2, row_condition=only("d", ">", 0.25)),
    of(BETWEEN, column="n", min_value=2, row_condition=only("t", "==", "nobody")),
    of(SET, column="n", value_set=[2, 9]),
    of(SET, column="t", value_set=["a", "é'\\"]),
    of(SET, column="b", value_set=[True]),
    of(PAIR, **TIMES),
    of(PAIR, **TIMES, or_equal=True),
    of(PAIR, **TIMES, mostly=0.6),
    of(UNIQUE, column_list=["b", "then"]),
    of(UNIQUE, column_list=["n", "b"], row_condition=only("d", "<", 1)),
    of(UNIQUE, column_list=["t", "b"], mostly=0.5),
    of("column_values_to_not_be_null", column="t", row_condition=only("b", "==", True), mostly=0.5),
    of("column_value_lengths_to_equal", column="t", value=1),
    of("column_value_byte_lengths_to_be_between", column="t", max_value=1),
    of("column_values_to_match_regex", column="t", regex="^a$"),
    of("table_row_count_to_be_between", min_value=5, max_value=5),
    of("table_row_count_to_be_between", min_value=5, strict_min=True),
    of("table_row_count_to_be_between", max_value=4),
    *(
        of(f"column_{what}_to_be_between", column="n", min_value=1, max_value=2)
        for what in ("min", "max", "mean")
    ),
    of("column_min_to_be_between", column="n", max_value=1, strict_max=True),
    *(of("column_values_to_be_in_type_list", column="n", type_list=[t]) for t in ("LongType", "IntegerType")),
    of("table_columns_to_match_ordered_list", column_list=["n", "d", "t", "b", "at", "then"]),
    of("table_columns_to_match_ordered_list", column_list=["n", "d"]),
]


def test_every_argument_is_understood_as_great_expectations_does(spark: SparkSession) -> None:
    schema, rows = NUMBERS
    frame = spark.createDataFrame(rows, schema.replace("timestamp", "string"))
    frame = frame.withColumns({name: F.col(name).cast("timestamp") for name in ("at", "then")})
    suite = {"name": "more", "expectations": MORE}
    assert {one["type"] for one in MORE} == EXPECTATION_TYPES.keys()
    assert compared(frame.coalesce(1).cache(), suite)
    assert compared(frame.where("false").select(*frame.columns), suite)


def test_what_holds_no_such_values_fails_and_says_so(spark: SparkSession) -> None:
    """Great Expectations lets Spark cast them: it counts the bytes of a number, or fails with the cast's error."""
    frame = spark.range(3).selectExpr("cast(id as string) as t", "id as n", "array(id) as a")
    suite = {
        "name": "odd",
        "expectations": [
            of("column_value_byte_lengths_to_be_between", column="n", max_value=1),
            of(BETWEEN, column="t", min_value=0),
            of(SET, column="a", value_set=["x"]),
            of(BETWEEN, column="n", min_value=0, row_condition=only("t", ">", 0)),
            of("column_values_to_not_be_null", column="a"),
        ],
    }
    assert [(o.passed, o.observed) for o in evaluate(frame, suite)[0]] == [
        (False, "n is LongType, which holds no text"),
        (False, "t is StringType, which holds no number"),
        (False, "a is ArrayType, which holds no text"),
        (False, "t is StringType, which holds no number"),
        (True, ""),
    ]


# -- a batch's numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "rejected", "hours"),
    [
        (0, 0, None),
        (1, 1, 72.0),
        (99, 50, 72.000001),
        (100, 5, -24.0),
        (100, 6, -24.000001),
        (100, 50, 9.0),
        (100, 51, None),
        (2_000_000, 1_000_001, 9.0),
    ],
)
def test_a_batchs_numbers_are_judged_alike(
    spark: SparkSession, read: int, rejected: int, hours: float | None
) -> None:
    newest = None if hours is None else datetime(2026, 1, 6) - timedelta(hours=hours)
    numbers = batch_numbers(1, Counts(read, read - rejected, 0, rejected), newest, "2026-01-05")
    for contract in CONTRACTS.values():
        suite = load_suites(contract).batch
        assert differences(check_batch(spark, numbers, suite), pd.DataFrame([numbers]), suite) == []
