"""What texts become: each kind of value, on Spark. A comment beside a case says what it became before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from gluebook.sources.blanks import BLANKS
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW
from gluebook.sources.times import PATTERN_LETTERS, problem_of_pattern
from gluebook.transforms.times import date_of, in_range, timestamp_of
from gluebook.transforms.verbs import blank_to_null
from times_kit import DAY_FIRST_TIMES, DAYS, ISO_TIMES, PATTERN_TIMES


def read(spark: SparkSession, texts: Sequence[str], column: Column) -> list[str | None]:
    """What `column`, over `text`, makes of each text, in its order, as Spark writes it."""
    rows = spark.createDataFrame(list(enumerate(texts)), "place int, text string")
    found = rows.select("place", column.cast("string")).orderBy("place").collect()
    return [value for _, value in found]


def moments(spark: SparkSession, texts: Sequence[str], patterns: tuple[str, ...]) -> list[datetime | None]:
    column = in_range(timestamp_of(F.col("text"), patterns), "timestamp")
    return [datetime.fromisoformat(value) if value else None for value in read(spark, texts, column)]


@pytest.mark.parametrize(
    ("cases", "patterns"),
    [(ISO_TIMES, ()), (DAY_FIRST_TIMES, SERVICENOW.time_patterns), (ISO_TIMES, SERVICENOW.time_patterns)],
    ids=["ISO 8601", "day first", "ISO 8601 beside patterns"],
)
def test_times_are_read_as_they_are_meant_or_not_at_all(
    spark: SparkSession, cases: dict[str, datetime | None], patterns: tuple[str, ...]
) -> None:
    assert dict(zip(cases, moments(spark, list(cases), patterns), strict=True)) == cases


def test_a_pattern_means_what_it_says(spark: SparkSession) -> None:
    found = {
        (pattern, text): moment
        for pattern, text in PATTERN_TIMES
        for moment in moments(spark, [text], (pattern,))
    }
    assert found == PATTERN_TIMES


def test_a_date_is_the_day_that_is_written(spark: SparkSession) -> None:
    found: dict[tuple[str, str], date | None] = {}
    for pattern, text in DAYS:
        column = in_range(date_of(F.col("text"), (pattern,) if pattern else ()), "date")
        [value] = read(spark, [text], column)
        found[pattern, text] = date.fromisoformat(value) if value else None
    assert found == DAYS


def test_spark_takes_every_pattern_that_a_source_may_have(spark: SparkSession) -> None:
    """Spark says what it doesn't take when it reads the first text by it."""
    runs = [letter * length for letter, lengths in PATTERN_LETTERS.items() for length in lengths]
    patterns = [f"d/M/yyyy a '{run}' {run} [{run}]" for run in runs]
    assert not any(problem_of_pattern(pattern) for pattern in patterns)
    text = F.concat(F.lit("no time"), F.rand().cast("string"))
    read_by = (F.try_to_timestamp(text, F.lit(pattern)).alias(f"c{n}") for n, pattern in enumerate(patterns))
    [row] = spark.range(1).select(*read_by).collect()
    assert set(row) == {None}


TEXTS = st.text(st.sampled_from(["a", "Z", "9", "?", "ü", *BLANKS, "\x1f", "\u2060"]), max_size=8)


@given(st.lists(TEXTS, min_size=200, max_size=400))
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_source_column_ever_begins_or_ends_with_a_blank(spark: SparkSession, texts: list[str]) -> None:
    """Only spaces were taken off: `C01` and `C01`, tab were two tickets."""
    columns = SERVICENOW.columns
    cleaned = blank_to_null(
        spark.createDataFrame([[text] * len(columns) for text in texts], columns), SERVICENOW
    )
    for given_text, row in zip(texts, cleaned.collect(), strict=True):
        wanted = given_text.strip(BLANKS)
        assert set(row) == {None if wanted in ("", "?") else wanted}


def test_a_null_marker_is_one_with_blanks_around_it(spark: SparkSession) -> None:
    source = replace(SERVICENOW, null_markers=("n/a",))
    frame = spark.createDataFrame([["\tn/a\u00a0"] * len(source.columns)], source.columns)
    assert set(blank_to_null(frame, source).first() or ()) == {None}
