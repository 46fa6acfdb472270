"""The inbox of a batch: the numbered and parsed records of its files, as Parquet in <inbox><source>/.

One row per record: of which file (its place in the batch) and number, its text, what is wrong with it, and its fields
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
from gluebook.sources.model import Source
from gluebook.sources.reading import ParsedRecord
from gluebook.transforms.frames import Part
from gluebook.transforms.rows import PROBLEM, RAW

_FILE, _RECORD = "_file", "_record"
_ABOUT = ((_FILE, pa.int32()), (_RECORD, pa.int64()), (RAW, pa.string()), (PROBLEM, pa.string()))
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

    def write(self, place: int, records: Iterable[ParsedRecord]) -> None:
        """Write the records of the file at `place` in the batch."""
        held: list[ParsedRecord] = []
        size = 0
        for record in records:
            held.append(record)
            size += len(record.raw)
            if len(held) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
                self._write(place, held, size)
                held, size = [], 0
        if held:
            self._write(place, held, size)

    def _write(self, place: int, records: list[ParsedRecord], size: int) -> None:
        if self._writer is None:
            schema = inbox_schema(self._of)
            self._writer = pq.ParquetWriter(self._path, schema, compression="zstd", compression_level=1)
        self._writer.write_batch(_arrow_batch(place, self._of, records))
        self._size += size
        if self._size >= _OBJECT_BYTES:
            self._finish_object()

    def _finish_object(self) -> None:
        if self._writer is None:
            return
        self._writer.close()
        self._objects.upload(self._path, self._bucket, f"{self._key}-{self._parts:05d}.parquet")
        self._writer, self._size, self._parts = None, 0, self._parts + 1


def _arrow_batch(place: int, of: Source, records: list[ParsedRecord]) -> pa.RecordBatch:
    schema = inbox_schema(of)
    numbers, raws, problems, fields = zip(*records, strict=True)
    about = ([place] * len(records), numbers, raws, problems)
    values = (*about, *([each.get(name) for each in fields] for name in of.columns))
    arrays = [pa.array(each, field.type) for each, field in zip(values, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@dataclass(frozen=True)
class InboxReader:
    """Reads objects of the inbox: given batches of their places in `keys`, the records of those `files`.

    `files`: by their place in the batch; records of others are left out.
    """

    bucket: str
    keys: Sequence[str]
    batch_id: str
    files: Mapping[int, FileVersion]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The records, with the columns of `records_schema`."""
        objects = Objects()
        about = pa.RecordBatch.from_pydict(
            {
                "_source_file": [file.key for file in self.files.values()],
                "_source_version": [file.version_id for file in self.files.values()],
                "_batch_id": [self.batch_id] * len(self.files),
                "dt": [file.dt for file in self.files.values()],
            }
        )
        places = pa.array(list(self.files), pa.int32())
        with tempfile.TemporaryDirectory(prefix="gluebook-inbox-") as folder:
            path = Path(folder) / "records.parquet"
            for batch in batches:
                for place in batch.column(0).to_pylist():
                    objects.download(self.bucket, self.keys[place], path)
                    for stored in pq.ParquetFile(path).iter_batches(_ROWS_AT_ONCE):
                        yield _with_file(stored, places, about)


def _with_file(stored: pa.RecordBatch, places: pa.Array, about: pa.RecordBatch) -> pa.RecordBatch:
    """The records of the files at `places`, each with what `about` says of its file."""
    chosen = stored.filter(pc.is_in(stored.column(_FILE), places))
    of = about.take(pc.index_in(chosen.column(_FILE), places))
    own = {name: chosen.column(name) for name in chosen.schema.names if name not in (_FILE, _RECORD)}
    known = dict(zip(of.schema.names, of.columns, strict=True))
    columns = {"_source_record": chosen.column(_RECORD), **known, **own}
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def inbox_part(spark: SparkSession, of: Source, read: InboxReader) -> Part:
    """The records of a source, read by one task per object."""
    return Part(of, spark.range(0, len(read.keys), 1, len(read.keys)), read)
