"""Records of a source as verbs take them, and as Spark does."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema

from gluebook.sources.framing import Framer
from gluebook.sources.model import Source
from gluebook.sources.reading import ParsedRecord, parsed
from gluebook.transforms.frames import records_schema
from gluebook.transforms.rows import Rows

Record = tuple[Any, ...]


def rows_of_fields(source: Source, records: Iterable[Mapping[str, str | None]]) -> Rows:
    """Records with these fields; their text is empty."""
    return _rows(
        source,
        [_record(source, "file", ParsedRecord(n, "", None, dict(one))) for n, one in enumerate(records, 1)],
    )


def rows_of_file(source: Source, body: bytes) -> Rows:
    """The records of a file."""
    return _rows(source, records_of(source, "file", body))


def records_of(source: Source, name: str, body: bytes) -> list[Record]:
    """The records of a file as rows of `records_schema`."""
    return [_record(source, name, one) for one in parsed(Framer(io.BytesIO(body), source.layout), source)]


def _record(source: Source, name: str, one: ParsedRecord) -> Record:
    problem = one.problem and one.problem.value
    about = (one.number, name, "v1", "batch", "2026-01-05", one.raw, problem)
    return (*about, *map(one.fields.get, source.columns))


def _rows(source: Source, records: list[Record]) -> Rows:
    schema = to_arrow_schema(records_schema(source))
    return Rows.of(
        pa.RecordBatch.from_pylist([dict(zip(schema.names, one, strict=True)) for one in records], schema)
    )
