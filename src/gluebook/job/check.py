"""Check claimed files one by one and put their records, numbered and parsed, into the batch's inbox.

Runs as Spark tasks, so that many files are checked at once and none of them passes through the driver. Each task
reads the exact claimed versions of one source from S3 and writes Parquet to <inbox><source>/: one row per record, of
which file (its place in the batch) and number, its text, its fields by their names, and what is wrong with it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from gluebook.aws.objects import Objects
from gluebook.contracts.reasons import Reason
from gluebook.core.model import FileVersion
from gluebook.job.counting import Checked
from gluebook.sources import source
from gluebook.sources.framing import BadFile, Framer
from gluebook.sources.model import Source
from gluebook.sources.reading import ParsedRecord, parsed

FILE, RECORD, RAW, PROBLEM = "_file", "_record", "_raw", "_problem"
_ABOUT = ((FILE, pa.int32()), (RECORD, pa.int64()), (RAW, pa.string()), (PROBLEM, pa.string()))
_ROWS_AT_ONCE = 16_384
_BYTES_AT_ONCE = 8 << 20
# Small files share a task: starting one costs more than reading a few kilobytes.
_TASK_BYTES = 64 << 20
_TASK_FILES = 500
_CHECKED = pa.schema(
    [("index", pa.int32()), ("records", pa.int64()), ("header", pa.string()), ("bad", pa.string())]
)


@dataclass(frozen=True)
class Task:
    """Files of one source with their places in the batch, and the folder and number of the object to be written."""

    files: tuple[tuple[int, FileVersion], ...]
    folder: str
    number: int


def source_inbox(inbox: str, name: str) -> str:
    """Where the records of a source are in a batch's inbox."""
    return f"{inbox}{name}/"


def check_files(
    spark: SparkSession, files: list[FileVersion], lake_bucket: str, inbox: str
) -> dict[int, Checked]:
    """Check every file and fill the inbox; returns the results by index in `files`.

    The inbox may hold records of files that turn out unreadable half-way; readers skip those files.
    """
    tasks = plan_tasks(files, inbox)
    if not tasks:
        return {}
    numbers = spark.range(0, len(tasks), 1, len(tasks))
    schema = "index int, records bigint, header string, bad string"
    found = numbers.mapInArrow(partial(_check_numbered, tasks, lake_bucket), schema).collect()
    return {row[0]: Checked(*row) for row in found}


def plan_tasks(files: Sequence[FileVersion], inbox: str) -> list[Task]:
    """The files in tasks of even size, each of one source."""
    places = sorted(enumerate(files), key=lambda place: place[1].source)
    tasks: list[Task] = []
    for name, own in groupby(places, key=lambda place: place[1].source):
        folder = source_inbox(inbox, name)
        tasks += [Task(part, folder, number) for number, part in enumerate(_parts(own))]
    return tasks


def _parts(files: Iterable[tuple[int, FileVersion]]) -> Iterator[tuple[tuple[int, FileVersion], ...]]:
    part: list[tuple[int, FileVersion]] = []
    size = 0
    for place, file in files:
        if part and (size + file.size > _TASK_BYTES or len(part) == _TASK_FILES):
            yield tuple(part)
            part, size = [], 0
        part.append((place, file))
        size += file.size
    if part:
        yield tuple(part)


def _check_numbered(
    tasks: list[Task], bucket: str, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for number in batch.column(0).to_pylist():
            found = [asdict(checked) for checked in check_task(tasks[number], bucket)]
            yield pa.RecordBatch.from_pylist(found, _CHECKED)


def check_task(task: Task, bucket: str) -> list[Checked]:
    """Check the files of a task and write their records to the inbox; what was found in each."""
    objects = Objects()
    _, first = task.files[0]
    of = source(first.dataset, first.source)
    with tempfile.TemporaryDirectory(prefix="gluebook-check-") as folder:
        path = Path(folder) / "records.parquet"
        with pq.ParquetWriter(path, inbox_schema(of), compression="zstd", compression_level=1) as writer:
            found = [_check_file(objects, place, file, of, writer) for place, file in task.files]
        objects.upload(path, bucket, f"{task.folder}{task.number:05d}.parquet")
    return found


def _check_file(
    objects: Objects, place: int, file: FileVersion, of: Source, writer: pq.ParquetWriter
) -> Checked:
    try:
        stream = objects.open_version(file.bucket, file.key, file.version_id)
    except FileNotFoundError:
        gone = Reason.VERSION_GONE.because(f"{file.version_id} was deleted before it could be read")
        return Checked(place, 0, bad=gone)
    with closing(stream):
        framer = Framer(stream, of.layout)
        try:
            for batch in _arrow_batches(place, of, parsed(framer, of)):
                writer.write_batch(batch)
        except BadFile as bad:
            return Checked(place, framer.records, framer.header, bad.reason)
        return Checked(place, framer.records, framer.header)


def inbox_schema(of: Source) -> pa.Schema:
    """What the inbox holds of each record of a source; its fields are columns of text."""
    return pa.schema([*_ABOUT, *((name, pa.string()) for name in of.columns)])


def _arrow_batches(place: int, of: Source, records: Iterable[ParsedRecord]) -> Iterator[pa.RecordBatch]:
    schema = inbox_schema(of)
    held: list[ParsedRecord] = []
    size = 0
    for record in records:
        held.append(record)
        size += len(record.raw)
        if len(held) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield _arrow_batch(place, schema, of.columns, held)
            held, size = [], 0
    if held:
        yield _arrow_batch(place, schema, of.columns, held)


def _arrow_batch(
    place: int, schema: pa.Schema, columns: tuple[str, ...], records: list[ParsedRecord]
) -> pa.RecordBatch:
    numbers, raws, problems, fields = zip(*records, strict=True)
    about = ([place] * len(records), numbers, raws, problems)
    values = (*about, *([each.get(name) for each in fields] for name in columns))
    arrays = [pa.array(each, field.type) for each, field in zip(values, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
