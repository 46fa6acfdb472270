"""The inbox of a batch: the numbered and parsed records of its files, as Parquet in <inbox><source>/.

One row per record: of which piece of which file and number in it, its text, what is wrong with it, and its fields
by their names. The tasks of the check write it, those of the transformation read it; no record passes Spark between.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from gluebook.aws.objects import Objects
from gluebook.aws.ports import ObjectsPort
from gluebook.core.model import FileVersion
from gluebook.job.counting import Checked
from gluebook.sources.model import Source
from gluebook.sources.reading import ParsedRecord
from gluebook.transforms.frames import Part
from gluebook.transforms.rows import PROBLEM, RAW

_PIECE, _RECORD = "_piece", "_record"
_ABOUT = ((_PIECE, pa.int32()), (_RECORD, pa.int64()), (RAW, pa.string()), (PROBLEM, pa.string()))
_ROWS_AT_ONCE = 16_384
_BYTES_AT_ONCE = 8 << 20
# Text of the records in an object: what one task of the transformation reads.
_OBJECT_BYTES = 48 << 20


def source_inbox(inbox: str, name: str) -> str:
    """Where the records of a source are in a batch's inbox."""
    return f"{inbox}{name}/"


def inbox_schema(of: Source) -> pa.Schema:
    """What the inbox holds of each record of a source; its fields are columns of text."""
    return pa.schema([*_ABOUT, *((name, pa.string()) for name in of.columns)])


class InboxWriter:
    """Writes records of a source to objects whose keys begin with `key`, a new one whenever one is full.

    A task that is tried again writes the same objects.
    """

    def __init__(self, objects: ObjectsPort, bucket: str, key: str, of: Source) -> None:
        self._objects = objects
        self._bucket = bucket
        self._key = key
        self._of = of
        self._folder = tempfile.TemporaryDirectory(prefix="gluebook-check-")
        self._path = Path(self._folder.name) / "records.parquet"
        self._writer: pq.ParquetWriter | None = None
        self._parts = 0
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish_object()
        finally:
            self._folder.cleanup()

    def write(self, piece: int, records: Iterable[ParsedRecord]) -> None:
        """Write the records of the piece with this number in the batch."""
        held: list[ParsedRecord] = []
        size = 0
        for record in records:
            held.append(record)
            size += len(record.raw)
            if len(held) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
                self._write(piece, held, size)
                held, size = [], 0
        if held:
            self._write(piece, held, size)

    def _write(self, piece: int, records: list[ParsedRecord], size: int) -> None:
        if self._writer is None:
            schema = inbox_schema(self._of)
            self._writer = pq.ParquetWriter(self._path, schema, compression="zstd", compression_level=1)
        self._writer.write_batch(_arrow_batch(piece, self._of, records))
        self._size += size
        if self._size >= _OBJECT_BYTES:
            self._finish_object()

    def _finish_object(self) -> None:
        if self._writer is None:
            return
        self._writer.close()
        self._objects.upload(self._path, self._bucket, f"{self._key}-{self._parts:05d}.parquet")
        self._writer, self._size, self._parts = None, 0, self._parts + 1


def _arrow_batch(piece: int, of: Source, records: list[ParsedRecord]) -> pa.RecordBatch:
    schema = inbox_schema(of)
    numbers, raws, problems, fields = zip(*records, strict=True)
    about = ([piece] * len(records), numbers, raws, problems)
    values = (*about, *([each.get(name) for each in fields] for name in of.columns))
    arrays = [pa.array(each, field.type) for each, field in zip(values, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@dataclass(frozen=True)
class Origin:
    """Where the records of a piece come from. `before`: how many records of the file are before the piece."""

    file: FileVersion
    before: int = 0


def origins(files: Iterable[tuple[int, FileVersion, Checked]]) -> dict[int, Origin]:
    """By piece, where its records come from, of files with their places in the batch and what the check found."""
    found: dict[int, Origin] = {}
    for place, file, checked in files:
        pieces = ((place, 0), *checked.later)
        found |= {number: Origin(file, before) for number, before in pieces}
    return found


@dataclass(frozen=True)
class InboxReader:
    """Reads objects of the inbox: given batches of their places in `keys`, the records of those `pieces`.

    `pieces`: by their number in the batch; records of others are left out.
    """

    bucket: str
    keys: Sequence[str]
    batch_id: str
    pieces: Mapping[int, Origin]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The records, with the columns of `records_schema`."""
        objects = Objects()
        numbers, about = pa.array(list(self.pieces), pa.int32()), self._about()
        with tempfile.TemporaryDirectory(prefix="gluebook-inbox-") as folder:
            path = Path(folder) / "records.parquet"
            for batch in batches:
                for place in batch.column(0).to_pylist():
                    objects.download(self.bucket, self.keys[place], path)
                    for stored in pq.ParquetFile(path).iter_batches(_ROWS_AT_ONCE):
                        yield _with_origin(stored, numbers, about)

    def _about(self) -> pa.RecordBatch:
        """What is known of the records of each piece."""
        files = [origin.file for origin in self.pieces.values()]
        return pa.RecordBatch.from_pydict(
            {
                _RECORD: pa.array((origin.before for origin in self.pieces.values()), pa.int64()),
                "_source_file": [file.key for file in files],
                "_source_version": [file.version_id for file in files],
                "_batch_id": [self.batch_id] * len(files),
                "dt": [file.dt for file in files],
            }
        )


def _with_origin(stored: pa.RecordBatch, numbers: pa.Array, about: pa.RecordBatch) -> pa.RecordBatch:
    """The records of the pieces with these numbers, each with what `about` says of its piece."""
    chosen = stored.filter(pc.is_in(stored.column(_PIECE), numbers))
    of = about.take(pc.index_in(chosen.column(_PIECE), numbers))
    own = {name: chosen.column(name) for name in chosen.schema.names if name not in (_PIECE, _RECORD)}
    known = {name: of.column(name) for name in of.schema.names if name != _RECORD}
    number = pc.add(of.column(_RECORD), chosen.column(_RECORD))
    columns = {"_source_record": number, **known, **own}
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def inbox_part(spark: SparkSession, of: Source, read: InboxReader) -> Part:
    """The records of a source, read by one task per object."""
    return Part(of, spark.range(0, len(read.keys), 1, len(read.keys)), read)
