"""Check claimed files and put their records, numbered and parsed, into the batch's inbox.

Runs as Spark tasks, so that many files, and parts of large ones, are checked at once and none of them passes through
the driver. Each task reads the exact claimed versions of files of one source from S3.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby

import pyarrow as pa
from pyspark.sql import SparkSession

from gluebook.aws.objects import Objects
from gluebook.aws.ports import ObjectsPort
from gluebook.core.model import FileVersion
from gluebook.job.counting import Checked
from gluebook.job.inbox import InboxWriter, source_inbox
from gluebook.job.pieces import PIECE_BYTES, Piece, file_checks, open_piece, pieces_of
from gluebook.sources import source
from gluebook.sources.framing import BadFile, Framer
from gluebook.sources.model import Source
from gluebook.sources.reading import parsed

# Small files share a task: starting one costs more than reading a few kilobytes.
_TASK_FILES = 500
_CHECKED = pa.schema(
    [("index", pa.int32()), ("records", pa.int64()), ("header", pa.string()), ("bad", pa.string())]
)


@dataclass(frozen=True)
class Task:
    """Pieces of files of one source, and the folder and number of what it writes."""

    pieces: tuple[Piece, ...]
    folder: str
    number: int


def check_files(
    spark: SparkSession, objects: ObjectsPort, files: Sequence[FileVersion], lake_bucket: str, inbox: str
) -> dict[int, Checked]:
    """Check every file and fill the inbox; returns the results by index in `files`.

    The inbox may hold records of files that turn out unreadable half-way; readers skip those files.
    """
    pieces = pieces_of(objects, files)
    tasks = plan_tasks(pieces, inbox)
    if not tasks:
        return {}
    numbers = spark.range(0, len(tasks), 1, len(tasks))
    schema = "index int, records bigint, header string, bad string"
    found = numbers.mapInArrow(partial(_check_numbered, tasks, lake_bucket), schema).collect()
    return file_checks(pieces, {row[0]: Checked(*row) for row in found})


def plan_tasks(pieces: Sequence[Piece], inbox: str) -> list[Task]:
    """The pieces in tasks of even size, each of one source."""
    ordered = sorted(pieces, key=lambda piece: piece.file.source)
    tasks: list[Task] = []
    for name, own in groupby(ordered, key=lambda piece: piece.file.source):
        folder = source_inbox(inbox, name)
        tasks += [Task(some, folder, number) for number, some in enumerate(_together(own))]
    return tasks


def _together(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, ...]]:
    held: list[Piece] = []
    size = 0
    for piece in pieces:
        if held and (size + piece.size > PIECE_BYTES or len(held) == _TASK_FILES):
            yield tuple(held)
            held, size = [], 0
        held.append(piece)
        size += piece.size
    if held:
        yield tuple(held)


def _check_numbered(
    tasks: list[Task], bucket: str, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for number in batch.column(0).to_pylist():
            found = [asdict(checked) for checked in check_task(tasks[number], bucket)]
            yield pa.RecordBatch.from_pylist(found, _CHECKED)


def check_task(task: Task, bucket: str) -> list[Checked]:
    """Check the pieces of a task and write their records to the inbox; what was found in each, by its number."""
    objects = Objects()
    first = task.pieces[0].file
    of = source(first.dataset, first.source)
    writer = InboxWriter(objects, bucket, f"{task.folder}{task.number:05d}", of)
    with _without_collector(), writer:
        return [_check_piece(objects, piece, of, writer) for piece in task.pieces]


@contextmanager
def _without_collector() -> Iterator[None]:
    """Records are no cycles, and to look for some among them takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check_piece(objects: ObjectsPort, piece: Piece, of: Source, writer: InboxWriter) -> Checked:
    try:
        stream = open_piece(objects, piece)
    except BadFile as bad:
        return Checked(piece.number, 0, bad=bad.reason)
    with closing(stream):
        framer = Framer(stream, of.layout, piece.part)
        try:
            writer.write(piece.number, parsed(framer, of))
        except BadFile as bad:
            return Checked(piece.number, framer.records, framer.header, bad.reason)
        return Checked(piece.number, framer.records, framer.header)
