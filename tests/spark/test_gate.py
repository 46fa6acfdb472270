"""The gate on Parquet that was really written: what must hold, holds, or nothing is published."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from chain.kit import log_line
from fakes import a_batch, a_file
from fakes.pipeline import Pipeline
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.core.model import Batch, Counts
from gluebook.core.states import BatchState
from gluebook.errors import ContractError, CountMismatch
from gluebook.job.counting import Checked
from gluebook.job.run import BatchRun
from gluebook.quality.expectation_types import violation
from gluebook.quality.gate import run_gate
from gluebook.quality.report import GateReport
from gluebook.quality.suites import Suites, load_suites
from gluebook.sources.app_logs.mongod import SOURCE as MONGOD
from gluebook.transforms.verbs import conform
from spark.conftest import Frame
from spark.pipelines import FakeRun, run_notebook

ROWS = 12
Break = Callable[[DataFrame], DataFrame]
NOT_NULL, IN_SET = "expect_column_values_to_not_be_null", "expect_column_values_to_be_in_set"
OF_TYPE, BYTES = "expect_column_values_to_be_in_type_list", "expect_column_value_byte_lengths_to_be_between"
ORDER, UNIQUE = "expect_table_columns_to_match_ordered_list", "expect_compound_columns_to_be_unique"
BETWEEN = "expect_column_values_to_be_between"


@pytest.fixture(scope="module")
def done(spark: SparkSession, frame: Frame) -> FakeRun:
    """What the notebook makes of a dozen lines."""
    return run_notebook(spark, MONGOD, frame(MONGOD, a=b"".join(log_line(n) for n in range(1, ROWS + 1))))


@pytest.fixture(scope="module")
def good(done: FakeRun) -> DataFrame:
    assert done.kept is not None
    return conform(done.kept, APP_LOGS).drop("dt").coalesce(1).cache()


def with_columns(**values: str) -> Break:
    """What stands in these columns, in SQL."""
    return lambda df: df.withColumns({name: F.expr(value) for name, value in values.items()})


def swapped(df: DataFrame) -> DataFrame:
    """`message` and `attributes` have changed places, as a careless select makes them."""
    names = [
        "attributes" if n == "message" else "message" if n == "attributes" else n for n in APP_LOGS.names
    ]
    return df.select(*names, *(n for n in df.columns if n == "dt"))


def mistaken(df: DataFrame) -> DataFrame:
    """`service` holds what belongs into `level`, and the other way round."""
    return df.withColumns({"service": F.col("level"), "level": F.col("service")})


BROKEN: dict[str, tuple[Break, tuple[str, str]]] = {
    "a column that is null throughout": (with_columns(level="cast(null as string)"), (NOT_NULL, "level")),
    "a value that the contract doesn't know": (with_columns(level="'loud'"), (IN_SET, "level")),
    "columns in another order": (swapped, (ORDER, ", ".join(APP_LOGS.names))),
    "two columns taken for each other": (mistaken, (IN_SET, "level")),
    "a type that was widened": (
        with_columns(_source_record="cast(_source_record as string)"),
        (OF_TYPE, "_source_record"),
    ),
    "an integer in the place of a boolean": (
        with_columns(is_error="cast(is_error as int)"),
        (OF_TYPE, "is_error"),
    ),
    # Eighty characters are less than the 128 of the column; 160 bytes are more.
    "a text of too many bytes": (with_columns(service="repeat('é', 80)"), (BYTES, "service")),
    "a key that is there twice": (
        with_columns(log_id="if(_source_record < 4, repeat('f', 64), log_id)"),
        (UNIQUE, "source, log_id"),
    ),
    "a duration below nothing": (with_columns(duration_ms="-1L"), (BETWEEN, "duration_ms")),
}
EACH_BREAK = pytest.mark.parametrize("what", BROKEN)


def checked(df: DataFrame, folder: Path, suites: Suites | None = None) -> GateReport:
    """The gate's report on `df`, once it was written."""
    df.coalesce(1).write.parquet(str(folder / "staged"))
    return run_gate(
        df.sparkSession,
        df.sparkSession.read.parquet(str(folder / "staged")),
        APP_LOGS,
        suites or load_suites(APP_LOGS),
        batch=a_batch("app_logs-1"),
        files=1,
        counts=Counts(ROWS, ROWS),
        arrived="2026-01-05",
        at="2026-01-05T12:00:00Z",
    )


def failed(report: GateReport) -> set[tuple[str, str]]:
    return {(outcome.expectation, outcome.column) for outcome in report.failed}


def test_a_good_batch_passes_with_its_numbers(good: DataFrame, tmp_path: Path) -> None:
    report = checked(good, tmp_path)
    assert failed(report) == set()
    assert (report.passed, report.rows, report.files) == (True, ROWS, 1)
    assert report.newest_at is not None and f"{report.newest_at:%Y-%m-%d %H:%M:%S}" == "2026-01-05 10:00:12"
    suites = load_suites(APP_LOGS)
    assert [o.expectation for o in report.outcomes] == [
        e["type"] for e in (*suites.rows["expectations"], *suites.batch["expectations"])
    ]
    # Rows are counted wherever rows can break something, and nowhere else.
    assert {
        (o.unexpected_rows, violation({"type": o.expectation, "kwargs": o.kwargs}) is None)
        for o in report.outcomes
    } == {
        (0, False),
        (None, True),
    }


def test_the_newest_row_is_told_in_utc_wherever_the_job_runs(
    good: DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        newest = checked(good, tmp_path).newest_at
    finally:
        monkeypatch.undo()
        time.tzset()
    assert newest is not None and newest.isoformat() == "2026-01-05T10:00:12.012000"


def test_without_a_row_only_the_batchs_numbers_are_checked(spark: SparkSession) -> None:
    suites = load_suites(APP_LOGS)
    report = run_gate(
        spark,
        None,
        APP_LOGS,
        suites,
        batch=a_batch("app_logs-1"),
        files=1,
        counts=Counts(100, rejected=100),
        arrived="2026-01-05",
        at="2026-01-05T12:00:00Z",
    )
    assert len(report.outcomes) == len(suites.batch["expectations"])
    assert [(o.severity, o.column, o.unexpected_percent) for o in report.failed] == [
        ("critical", "rejected_percent", 100.0),
        ("warning", "rejected_percent", 100.0),
    ]


@EACH_BREAK
def test_what_is_broken_is_caught_by_name(good: DataFrame, tmp_path: Path, what: str) -> None:
    broken, (expectation, column) = BROKEN[what]
    report = checked(broken(good), tmp_path)
    assert not report.passed
    assert (expectation, column) in failed(report)
    assert expectation in report.summary()


def test_an_empty_batch_is_caught(good: DataFrame, tmp_path: Path) -> None:
    report = checked(good.where("false"), tmp_path)
    assert ("expect_table_row_count_to_be_between", "") in failed(report)
    assert not report.passed


def test_of_what_is_broken_the_share_is_told_and_ten_rows_are_shown(good: DataFrame, tmp_path: Path) -> None:
    bad = good.withColumn(
        "level", F.when(F.col("_source_record") < 12, F.lit("loud")).otherwise(F.lit("info"))
    )
    [outcome] = checked(bad, tmp_path).failed
    assert (outcome.expectation, outcome.unexpected_rows) == (IN_SET, ROWS - 1)
    assert outcome.unexpected_percent == pytest.approx(100 * (ROWS - 1) / ROWS)
    assert len(outcome.examples) == 10
    assert [example["_source_record"] for example in outcome.examples] == [str(n) for n in range(1, 11)]
    assert outcome.examples[0].keys() == {
        *("source", "log_id", "level", "_source_file", "_source_version", "_source_record")
    }
    assert {example["level"] for example in outcome.examples} == {"loud"}


def test_a_warning_does_not_stop_a_batch_and_times_and_ids_that_are_none_are_warned_of(
    good: DataFrame, tmp_path: Path
) -> None:
    odd = {
        "occurred_at": "timestamp '1754-08-30 22:43:41'",
        "trace_id": "'none'",
        "span_id": "''",
        "message": "cast(null as string)",
    }
    report = checked(with_columns(**odd)(good), tmp_path)
    assert report.passed
    # So old a row is also far from fresh.
    assert {(o.severity, o.column) for o in report.failed} == {
        ("warning", name) for name in (*odd, "newest_age_hours")
    }


# -- in the job --------------------------------------------------------------------------------------------


def run_of(pipeline: Pipeline, spark: SparkSession) -> tuple[BatchRun, Batch]:
    """A job run that has checked its one file of a dozen records."""
    batch = pipeline.carried(replace(a_file(), key="a", version_id="v1"))
    run = BatchRun(
        contract=APP_LOGS,
        spark=spark,
        context=pipeline.job_context,
        pseudonym_key="k",
        batch=batch,
        lease=None,
    )
    assert run._curation is not None
    run._curation.check({0: Checked(0, ROWS)})
    return run, batch


def finish(spark: SparkSession, done: FakeRun, broken: Break) -> tuple[Pipeline, Batch]:
    """A job run whose last step has gone wrong, to its end; the pipeline and the batch after it."""
    pipeline = Pipeline()
    run, batch = run_of(pipeline, spark)
    assert done.kept is not None and done.rejects is not None
    with patch("gluebook.job.writing.conform", lambda df, contract: broken(conform(df, contract))):
        run.finish(done.kept, done.rejects)
    return pipeline, pipeline.now(batch)


def test_a_good_batch_is_published(spark: SparkSession, done: FakeRun) -> None:
    pipeline, batch = finish(spark, done, lambda df: df)
    assert batch.state is BatchState.CURATED
    assert any(key.startswith("curated/") for key in pipeline.visible())
    [noted] = pipeline.ledger.verdicts("app_logs")
    assert (noted.passed, noted.failed) == (True, 0)


@EACH_BREAK
def test_nothing_is_published_of_a_batch_in_which_something_is_broken(
    spark: SparkSession, done: FakeRun, what: str
) -> None:
    broken, (expectation, _) = BROKEN[what]
    pipeline, batch = finish(spark, done, broken)
    assert batch.state is BatchState.REJECTED
    assert expectation in (batch.reason or "")
    assert pipeline.visible() == {}
    kept = pipeline.objects.get_json(
        "lake", pipeline.lake.quality("app_logs", batch.batch_id, batch.reported_epoch)
    )
    assert kept["passed"] is False and GateReport.from_json(kept).summary() in (batch.reason or "")
    [noted] = pipeline.ledger.verdicts("app_logs")
    assert (noted.passed, noted.rows) == (False, len(kept["outcomes"]))


def test_a_batch_whose_rows_went_missing_does_not_even_come_to_the_gate(
    spark: SparkSession, done: FakeRun
) -> None:
    with pytest.raises(CountMismatch):
        finish(spark, done, lambda df: df.where("false"))


def test_a_suite_with_a_typo_lets_nothing_pass(spark: SparkSession, done: FakeRun) -> None:
    rows = copy.deepcopy(load_suites(APP_LOGS).rows)
    rows["expectations"][4]["type"] = "expect_column_values_to_not_be_nul"
    pipeline = Pipeline()
    run, batch = run_of(pipeline, spark)
    assert done.kept is not None and done.rejects is not None
    with (
        patch("gluebook.quality.suites._load", lambda name: rows),
        pytest.raises(ContractError, match="expect_column_values_to_not_be_nul"),
    ):
        run.finish(done.kept, done.rejects)
    assert pipeline.now(batch).state is BatchState.CLAIMED
    assert pipeline.visible() == {}
