"""dlt: its filesystem source gives the files, pandas cleans them, and dlt merges the rows into PostgreSQL.

Blocks go through dlt as Arrow tables and into PostgreSQL as CSV, its fastest way. dlt writes no lake: what counts as
Parquet here is the load package that it extracts, and the job ends when that is normalised.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.sources.filesystem import filesystem

from bench.frames import Cleaning, schema
from bench.task import Counts, Task


def job(task: Task) -> Counts:
    """Raw files to a normalised load package."""
    pipeline = _pipeline(task)
    cleaning = Cleaning(task)
    pipeline.extract(_resource(cleaning, task))
    task.parquet.mkdir()
    for path in _extracted(task):
        os.link(path, task.parquet / path.name)
    pipeline.normalize(workers=1)
    return cleaning.counts


def load(task: Task) -> None:
    """The package into PostgreSQL."""
    info = _pipeline(task).load()
    info.raise_on_failed_jobs()


def _extracted(task: Task) -> Iterator[Any]:
    return (task.folder / "dlt").rglob("*/extracted/**/*.parquet")


def _pipeline(task: Task) -> Any:
    os.environ.update(
        {
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "ERROR",
            "NORMALIZE__LOADER_FILE_FORMAT": "csv",
        }
    )
    return dlt.pipeline(
        "bench",
        pipelines_dir=str(task.folder / "dlt"),
        destination=dlt.destinations.postgres(task.database),
        dataset_name="public",
        progress=None,
    )


def _resource(cleaning: Cleaning, task: Task) -> Any:
    target = schema(task)
    listed = filesystem(bucket_url=task.files[0].parent.as_uri(), file_glob=f"*{task.files[0].suffix}")

    def cleaned(page: list[Any]) -> Iterator[Any]:
        for block in cleaning.blocks(Path(file.local_file_path) for file in page):
            yield pa.Table.from_pandas(block, target, preserve_index=False)

    transformer = dlt.transformer(
        cleaned,
        name=task.dataset,
        write_disposition={"disposition": "merge", "strategy": "delete-insert"},
        primary_key=task.identity if task.is_log else "ticket_id",
        columns={} if task.is_log else {"revision": {"dedup_sort": "desc"}},
    )
    return listed.with_name("files") | transformer
