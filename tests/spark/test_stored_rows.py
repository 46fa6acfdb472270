"""Rows that the tasks write themselves: Spark reads what the verbs left, however often a task was tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from chain.kit import log_line
from fakes import FakeObjects
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.job import lake_files
from gluebook.job.lake_files import LakeFiles, LakeFolder
from gluebook.job.stored_rows import StoredRows
from gluebook.sources.app_logs.mongod import SOURCE as MONGOD
from gluebook.transforms import verbs
from gluebook.transforms.frames import Part, Records
from spark.conftest import frame_of

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("small", pa.int32()),
        ("text", pa.string()),
        ("yes", pa.bool_()),
        ("at", pa.timestamp("us", "UTC")),
        ("day", pa.date32()),
    ]
)
Work = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]
AT = datetime(1, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def values() -> Work:
    """A row of every type for each id, and nulls for every third. Spark's workers can't import this module."""

    def of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            full = {"text": "é", "yes": True, "at": AT, "day": date(9999, 12, 31)}
            rows = [
                {"id": n, "small": -n, **full} if n % 3 else {"id": n} for n in batch.column(0).to_pylist()
            ]
            yield pa.RecordBatch.from_pylist(rows, SCHEMA)

    return of


@pytest.fixture
def files(spark: SparkSession) -> Iterator[LakeFiles]:
    opened = LakeFiles(spark, FakeObjects(), "lake")
    yield opened
    opened.close()


def rows(df: DataFrame) -> list[tuple[object, ...]]:
    return sorted((tuple(row) for row in df.collect()), key=repr)


def test_rows_of_every_type_are_read_as_they_were_written(
    spark: SparkSession, files: LakeFiles, values: Work
) -> None:
    numbers = spark.range(0, 20, 1, 3)
    stored = StoredRows(files, "inbox/b/rows-")(numbers, values, SCHEMA)
    assert stored.schema == from_arrow_schema(SCHEMA)
    assert rows(stored) == rows(numbers.mapInArrow(values, from_arrow_schema(SCHEMA)))


def test_what_is_stored_twice_has_a_place_of_its_own_each_time(
    spark: SparkSession, files: LakeFiles, values: Work
) -> None:
    store = StoredRows(files, "inbox/b/rows-")
    first, second = (store(spark.range(0, number, 1, 2), values, SCHEMA) for number in (4, 6))
    assert (first.count(), second.count()) == (4, 6)


def test_tasks_without_rows_leave_a_table_without_rows(spark: SparkSession, files: LakeFiles) -> None:
    stored = StoredRows(files, "inbox/b/rows-")(spark.range(0, 2, 1, 2), lambda batches: iter(()), SCHEMA)
    assert stored.collect() == []


def test_the_records_of_a_run_are_those_that_are_computed_on_demand(
    spark: SparkSession, files: LakeFiles
) -> None:
    lines = b"".join(log_line(n) for n in range(30)) + b"no json\n"
    part = Part.of(MONGOD, frame_of(spark, MONGOD, {"a": lines}))
    on_demand, stored = (
        Records(APP_LOGS, (replace(part, store=store),))
        .apply(verbs.record_id, "log_id")
        .apply(verbs.blank_to_null)
        .apply(verbs.rename_columns)
        .apply(verbs.normalise_types)
        .frames()
        .union()
        for store in (None, StoredRows(files, "inbox/b/rows-"))
    )
    assert stored.columns == on_demand.columns
    assert len(rows(stored)) == 31 and rows(stored) == rows(on_demand)


def test_a_task_that_is_tried_again_leaves_one_file_and_one_that_fails_none(tmp_path: Path) -> None:
    folder = LakeFolder("lake", "inbox/b/rows-01/", str(tmp_path / "rows"))
    with pytest.raises(RuntimeError), folder.new_file("part-0.parquet") as path:
        path.write_bytes(b"half")
        raise RuntimeError
    assert list((tmp_path / "rows").iterdir()) == []
    for body in (b"first", b"second"):
        with folder.new_file("part-0.parquet") as path:
            path.write_bytes(body)
    assert [(each.name, each.read_bytes()) for each in (tmp_path / "rows").iterdir()] == [
        ("part-0.parquet", b"second")
    ]


def test_with_a_file_system_for_s3_the_file_becomes_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = FakeObjects()
    monkeypatch.setattr(lake_files, "Objects", lambda: objects)
    with LakeFolder("lake", "inbox/b/rows-01/", None).new_file("part-0.parquet") as path:
        path.write_bytes(b"rows")
        assert objects.sizes("lake", "") == {}
    assert objects.body("lake", "inbox/b/rows-01/part-0.parquet") == b"rows"
