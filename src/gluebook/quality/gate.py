"""The gate: a dataset's suites on the written Parquet and on the batch's numbers, before anything is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from gluebook.contracts import Contract
from gluebook.core.model import Batch, Counts
from gluebook.quality.arguments import columns_of
from gluebook.quality.evaluate import evaluate
from gluebook.quality.expectation_types import violation
from gluebook.quality.numbers import NUMBERS, batch_numbers
from gluebook.quality.report import MOST_EXAMPLES, Example, GateReport, Outcome
from gluebook.quality.suites import Suite, Suites

_LONGEST_EXAMPLE = 200


def run_gate(
    spark: SparkSession,
    staged: DataFrame | None,
    contract: Contract,
    suites: Suites,
    *,
    batch: Batch,
    files: int,
    counts: Counts,
    arrived: str | None,
    at: str,
) -> GateReport:
    """Run both suites on a batch.

    `staged`: the rows as they were written, with the columns and types of the files; None if there is no curated
    row: then only the batch's numbers are checked. `files`: the number of files that were read; `arrived`: their
    last date of arrival, YYYY-MM-DD.
    """
    outcomes, newest = check_rows(staged, contract, suites.rows) if staged is not None else ([], None)
    numbers = batch_numbers(files, counts, newest, arrived)
    return GateReport(
        dataset=batch.dataset,
        batch_id=batch.batch_id,
        generation=batch.generation,
        checked_at=at,
        rows=counts.curated,
        files=files,
        counts=counts,
        newest_at=newest,
        outcomes=(*outcomes, *check_batch(spark, numbers, suites.batch)),
    )


def check_rows(staged: DataFrame, contract: Contract, suite: Suite) -> tuple[list[Outcome], datetime | None]:
    """The outcomes of a suite of rows, with examples of what fails; and the time of the newest row, in UTC."""
    moment = contract.moment
    # Microseconds: a time would be turned into the time zone of this process.
    newest = [f"unix_micros(max(`{moment}`))"] if dict(staged.dtypes).get(moment) == "timestamp" else []
    outcomes, found = evaluate(staged, suite, newest)
    micros = found[newest[0]] if newest else None
    return (
        [_with_examples(outcome, staged, contract) for outcome in outcomes],
        None if micros is None else datetime(1970, 1, 1) + timedelta(microseconds=micros),
    )


def check_batch(spark: SparkSession, numbers: dict[str, float | None], suite: Suite) -> list[Outcome]:
    """The outcomes of a suite of a batch's numbers, as a table of one row."""
    one_row = spark.range(0, 1, 1, 1)
    return evaluate(one_row.select(*(F.lit(numbers[n]).cast("double").alias(n) for n in NUMBERS)), suite)[0]


def _with_examples(outcome: Outcome, staged: DataFrame, contract: Contract) -> Outcome:
    if outcome.passed or not outcome.unexpected_rows:
        return outcome
    condition = violation({"type": outcome.expectation, "kwargs": dict(outcome.kwargs)})
    assert condition is not None
    return replace(
        outcome, examples=tuple(_examples(staged, contract, condition, columns_of(outcome.kwargs)))
    )


def _examples(staged: DataFrame, contract: Contract, condition: str, columns: Sequence[str]) -> list[Example]:
    """The first examples by file and record, so that the same batch shows the same rows."""
    place = ("_source_file", "_source_version", "_source_record")
    shown = [n for n in dict.fromkeys((*contract.key, *columns, *place)) if n in staged.columns]
    breaking = staged.withColumn("_breaks", F.expr(condition)).where("_breaks")
    texts = (
        breaking.orderBy(*(n for n in place if n in shown))
        .limit(MOST_EXAMPLES)
        .select(*(F.substring(F.col(f"`{n}`").cast("string"), 1, _LONGEST_EXAMPLE).alias(n) for n in shown))
    )
    return [row.asDict() for row in texts.collect()]
