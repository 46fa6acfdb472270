"""Check claimed files one by one and put their records, numbered and parsed, into the batch's inbox.

Runs as Spark tasks, so that many files are checked at once and none of them passes through the driver. Each task
reads the exact claimed versions of files of one source from S3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby

import pyarrow as pa
from pyspark.sql import SparkSession

from gluebook.aws.objects import Objects
from gluebook.aws.ports import ObjectsPort
from gluebook.contracts.reasons import Reason
from gluebook.core.model import FileVersion
from gluebook.job.counting import Checked
from gluebook.job.inbox import InboxWriter, source_inbox
from gluebook.sources import source
from gluebook.sources.framing import BadFile, Framer
from gluebook.sources.model import Source
from gluebook.sources.reading import parsed

# Small files share a task: starting one costs more than reading a few kilobytes.
_TASK_BYTES = 64 << 20
_TASK_FILES = 500
_CHECKED = pa.schema(
    [("index", pa.int32()), ("records", pa.int64()), ("header", pa.string()), ("bad", pa.string())]
)


@dataclass(frozen=True)
class Task:
    """Files of one source with their places in the batch, and the folder and number of what it writes."""

    files: tuple[tuple[int, FileVersion], ...]
    folder: str
    number: int


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
    with InboxWriter(objects, bucket, f"{task.folder}{task.number:05d}", of) as writer:
        return [_check_file(objects, place, file, of, writer) for place, file in task.files]


def _check_file(
    objects: ObjectsPort, place: int, file: FileVersion, of: Source, writer: InboxWriter
) -> Checked:
    try:
        stream = objects.open_version(file.bucket, file.key, file.version_id)
    except FileNotFoundError:
        gone = Reason.VERSION_GONE.because(f"{file.version_id} was deleted before it could be read")
        return Checked(place, 0, bad=gone)
    with closing(stream):
        framer = Framer(stream, of.layout)
        try:
            writer.write(place, parsed(framer, of))
        except BadFile as bad:
            return Checked(place, framer.records, framer.header, bad.reason)
        return Checked(place, framer.records, framer.header)
