"""The gate on real Spark DataFrames: what must hold, holds, or nothing is published."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from chain.kit import log_line
from gluebook.datasets import APP_LOGS
from gluebook.errors import ContractError
from gluebook.quality.gate import run_gate
from gluebook.quality.suites import load_suite
from gluebook.transforms.mongod import MONGOD
from gluebook.transforms.verbs import conform
from spark.conftest import Frame
from spark.pipelines import run_notebook


@pytest.fixture(scope="module")
def good(spark: SparkSession, frame: Frame) -> DataFrame:
    done = run_notebook(spark, MONGOD, frame(MONGOD.layout, a=b"".join(log_line(n) for n in range(1, 6))))
    assert done.kept is not None
    return conform(done.kept, APP_LOGS).cache()


def without(df: DataFrame, column: str) -> DataFrame:
    """The same rows with nothing in `column`."""
    return df.withColumn(column, F.lit(None).cast("string"))


def failed(df: DataFrame, suite: dict[str, Any] | None = None) -> set[tuple[str, str]]:
    report = run_gate(df, suite or load_suite(APP_LOGS))
    assert report.passed == (not any(o.severity == "critical" for o in report.failed))
    return {(outcome.expectation, outcome.column) for outcome in report.failed}


def test_a_good_batch_passes(good: DataFrame) -> None:
    assert failed(good) == set()


@pytest.mark.parametrize(
    ("broken", "caught"),
    [
        (lambda df: df.where("false"), ("expect_table_row_count_to_be_between", "")),
        (
            lambda df: without(df, "level"),
            ("expect_column_values_to_not_be_null", "level"),
        ),
        (lambda df: df.withColumn("level", F.lit("loud")), ("expect_column_values_to_be_in_set", "level")),
        (lambda df: df.union(df), ("expect_compound_columns_to_be_unique", "source, log_id")),
        (
            lambda df: df.withColumn("duration_ms", F.lit(-1)),
            ("expect_column_values_to_be_between", "duration_ms"),
        ),
    ],
)
def test_a_batch_that_breaks_a_critical_expectation_is_caught_by_name(
    good: DataFrame, broken: Any, caught: tuple[str, str]
) -> None:
    assert caught in failed(broken(good))
    assert not run_gate(broken(good), load_suite(APP_LOGS)).passed


def test_a_warning_does_not_stop_a_batch(good: DataFrame) -> None:
    report = run_gate(without(good, "message"), load_suite(APP_LOGS))
    assert report.passed
    assert [(o.severity, o.column) for o in report.failed] == [("warning", "message")]


def test_times_long_ago_and_ids_that_are_none_are_warned_of(good: DataFrame) -> None:
    odd = {
        "occurred_at": F.lit("1754-08-30 22:43:41").cast("timestamp"),
        "trace_id": F.lit("none"),
        "span_id": F.lit(""),
    }
    report = run_gate(good.withColumns(odd), load_suite(APP_LOGS))
    assert report.passed
    assert {(o.severity, o.column) for o in report.failed} == {("warning", name) for name in odd}


def test_a_mistyped_expectation_is_refused_and_not_dropped(good: DataFrame) -> None:
    suite = copy.deepcopy(load_suite(APP_LOGS))
    suite["expectations"][1]["type"] = "expect_column_values_to_not_be_nul"
    with pytest.raises(ContractError, match="expect_column_values_to_not_be_nul"):
        run_gate(good, suite)
