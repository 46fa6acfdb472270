"""Check claimed files one by one and put their records, numbered, into the batch's inbox.

Runs as Spark tasks, so that many files are checked at once and none of them passes through the driver. Each task
reads the exact claimed versions from S3 and writes Parquet of `file, record, raw, problem`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from gluebook.aws.objects import Objects
from gluebook.contracts.reasons import Reason
from gluebook.core.model import FileVersion
from gluebook.job.counting import Checked
from gluebook.sources import source
from gluebook.sources.framing import BadFile, Framer, Record

INBOX_SCHEMA = "file int, record bigint, raw string, problem string"
_ARROW = pa.schema(
    [("file", pa.int32()), ("record", pa.int64()), ("raw", pa.string()), ("problem", pa.string())]
)
_ROWS_AT_ONCE = 16_384
_BYTES_AT_ONCE = 8 << 20
# Small files share a task: starting one costs more than reading a few kilobytes.
_TASK_BYTES = 64 << 20
_TASK_FILES = 500


def check_files(
    spark: SparkSession, files: list[FileVersion], lake_bucket: str, inbox: str
) -> dict[int, Checked]:
    """Check every file and fill the inbox; returns the results by index in `files`.

    The inbox may hold records of files that turn out unreadable half-way; readers skip those files.
    """
    tasks = _tasks(list(enumerate(files)))
    if not tasks:
        return {}
    numbered = [(number, task, lake_bucket, inbox) for number, task in enumerate(tasks)]
    results = spark.sparkContext.parallelize(numbered, len(numbered)).flatMap(_check_task).collect()
    return {checked.index: checked for checked in results}


def _tasks(files: list[tuple[int, FileVersion]]) -> list[list[tuple[int, FileVersion]]]:
    """Files in groups of even size, in order."""
    tasks: list[list[tuple[int, FileVersion]]] = []
    room = 0
    for index, file in files:
        if not tasks or file.size > room or len(tasks[-1]) == _TASK_FILES:
            tasks.append([])
            room = _TASK_BYTES
        tasks[-1].append((index, file))
        room -= file.size
    return tasks


def _check_task(task: tuple[int, list[tuple[int, FileVersion]], str, str]) -> list[Checked]:
    number, files, bucket, inbox = task
    objects = Objects()
    with tempfile.TemporaryDirectory(prefix="gluebook-check-") as folder:
        path = Path(folder) / "records.parquet"
        with pq.ParquetWriter(path, _ARROW, compression="zstd", compression_level=1) as writer:
            found = [_check_file(objects, index, file, writer) for index, file in files]
        objects.upload(path, bucket, f"{inbox}{number:05d}.parquet")
    return found


def _check_file(objects: Objects, index: int, file: FileVersion, writer: pq.ParquetWriter) -> Checked:
    layout = source(file.dataset, file.source).layout
    try:
        stream = objects.open_version(file.bucket, file.key, file.version_id)
    except FileNotFoundError:
        return Checked(
            index,
            0,
            bad=Reason.VERSION_GONE.because(f"{file.version_id} was deleted before it could be read"),
        )
    framer = Framer(stream, layout)
    try:
        for batch in _arrow_batches(index, framer):
            writer.write_batch(batch)
    except BadFile as bad:
        return Checked(index, framer.records, framer.header, bad.reason)
    finally:
        stream.close()
    return Checked(index, framer.records, framer.header)


def _arrow_batches(index: int, framer: Iterable[Record]) -> Iterator[pa.RecordBatch]:
    records: list[tuple[int, str, str | None]] = []
    held = 0
    for record in framer:
        records.append((record.number, record.raw, record.problem))
        held += len(records[-1][1])
        if len(records) >= _ROWS_AT_ONCE or held >= _BYTES_AT_ONCE:
            yield _arrow_batch(index, records)
            records, held = [], 0
    if records:
        yield _arrow_batch(index, records)


def _arrow_batch(index: int, records: list[tuple[int, str, str | None]]) -> pa.RecordBatch:
    numbers, raws, problems = zip(*records, strict=True)
    columns = [[index] * len(records), numbers, raws, problems]
    return pa.RecordBatch.from_arrays(
        [pa.array(values, field.type) for values, field in zip(columns, _ARROW, strict=True)], schema=_ARROW
    )
