"""What the benchmark compares is the same work: contenders give the rows of the notebook."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from bench.contenders import pandas_frames, pyspark_plain
from bench.inputs import INPUTS
from bench.running import a_task
from bench.task import Counts, Task
from bench_kit import write_input
from gluebook.sources import source
from spark.golden import outcome

# Enough for each kind of broken record, and for copies of valid ones.
RECORDS = 2_100


@pytest.mark.parametrize("name", ["mongod", "servicenow"])
def test_contenders_make_the_rows_of_the_notebook(spark: SparkSession, tmp_path: Path, name: str) -> None:
    files = write_input(name, RECORDS, tmp_path / "raw")
    ours = outcome(spark, source(INPUTS[name].dataset, INPUTS[name].source), {"f": files[0].read_bytes()})[
        "f"
    ]
    counts = Counts(*(ours["counts"][each] for each in ("read", "curated", "duplicates", "rejected")))
    assert counts.duplicates > 0 and counts.rejects == 3
    jobs: dict[str, Callable[[Task], Counts]] = {
        "pandas": pandas_frames.job,
        "pyspark": lambda task: pyspark_plain.clean(spark, task),
    }
    for contender, job in jobs.items():
        (tmp_path / contender).mkdir()
        task = a_task(name, files, tmp_path / contender, "")
        assert job(task) == counts, contender
        assert _comparable(pq.read_table(task.parquet).to_pylist(), task) == _comparable(
            ours["rows"], task
        ), contender


def _comparable(rows: list[dict[str, Any]], task: Task) -> list[str]:
    """The rows as sorted texts, without pseudonyms and fingerprints, which each contender makes its own way."""
    names = [field.target for field in task.fields if not field.personal]
    names += ["log_id"] if task.is_log else ["minutes_to_resolve"]
    return sorted(json.dumps({name: _plain(row.get(name)) for name in names}) for row in rows)


def _plain(value: Any) -> Any:
    return str(value.replace(tzinfo=None)) if isinstance(value, datetime) else value
