"""Row references and counts on real Spark DataFrames: who holds which row, and how many."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyspark.sql import DataFrame, SparkSession

from fakes import a_file
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.core.model import FileVersion
from gluebook.core.sql.load import reference_columns
from gluebook.job.counting import Written
from gluebook.job.row_counts import count_rows
from gluebook.job.row_references import row_references

FILES = [replace(a_file(name), key=name, order=f"order of {name}") for name in ("a", "b", "empty")]
NAMES = [column.name for column in reference_columns(APP_LOGS)]
SCHEMA = (
    "source string, log_id string, _source_file string, _source_version string, _source_record bigint, "
    "_copy int, _copy_of struct<_source_file: string, _source_version: string, _source_record: bigint>"
)


@pytest.fixture(scope="module")
def kept(spark: SparkSession) -> DataFrame:
    """Row x stays in `a`, which holds it twice; `b` holds it twice, too, and row y alone."""
    rows = [
        ("mongod", "x", "a", "v1", 1, 1, None),
        ("mongod", "x", "a", "v1", 7, 2, ("a", "v1", 1)),
        ("mongod", "x", "b", "v1", 5, 2, ("a", "v1", 1)),
        ("mongod", "x", "b", "v1", 3, 2, ("a", "v1", 1)),
        ("mongod", "y", "b", "v1", 4, 1, None),
    ]
    return spark.createDataFrame(rows, SCHEMA)


def found(spark: SparkSession, files: list[FileVersion], kept: DataFrame) -> list[dict[str, object]]:
    frame = row_references(spark, APP_LOGS, files, kept)
    assert frame.columns == NAMES
    assert [field.dataType.simpleString() for field in frame.schema] == [
        column.spark_type for column in reference_columns(APP_LOGS)
    ]
    return [row.asDict() for row in frame.collect()]


def test_every_file_version_is_told_of_once_be_it_that_it_holds_nothing(
    spark: SparkSession, kept: DataFrame
) -> None:
    told = [row for row in found(spark, FILES, kept) if row["version_order"] is not None]
    assert [(row["_source_file"], row["version_order"]) for row in told] == [
        (file.key, file.order) for file in FILES
    ]
    assert {(row["source"], row["log_id"], row["_source_record"]) for row in told} == {(None, None, None)}


def test_every_other_file_that_contains_a_row_references_it_once(
    spark: SparkSession, kept: DataFrame
) -> None:
    extra = [row for row in found(spark, FILES, kept) if row["version_order"] is None]
    assert [(r["log_id"], r["_source_file"], r["_source_version"], r["_source_record"]) for r in extra] == [
        ("x", "b", "v1", 3)
    ]


def test_without_files_and_rows_there_are_no_references(spark: SparkSession, kept: DataFrame) -> None:
    assert found(spark, [], kept.where("false")) == []


def test_rows_are_counted_file_by_file_and_rejects_reason_by_reason(
    spark: SparkSession, kept: DataFrame
) -> None:
    rejects = spark.createDataFrame(
        [("a", "v1", "short"), ("a", "v1", "short"), ("a", "v1", "long"), ("a", "v2", "long")],
        "_source_file string, _source_version string, reason string",
    )
    references = row_references(spark, APP_LOGS, FILES, kept)
    assert count_rows(kept.where("_copy = 1"), kept.where("_copy > 1"), rejects, references) == Written(
        curated={("a", "v1"): 1, ("b", "v1"): 1},
        duplicates={("a", "v1"): 1, ("b", "v1"): 2},
        rejects={("a", "v1"): {"short": 2, "long": 1}, ("a", "v2"): {"long": 1}},
        row_references=len(FILES) + 1,
    )
    none = kept.where("false")
    assert count_rows(none, none, rejects.where("false")) == Written({}, {}, {})
