"""Records of a source as verbs take them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping

import pyarrow as pa

from gluebook.sources.framing import Framer
from gluebook.sources.model import Source
from gluebook.sources.reading import parsed
from gluebook.transforms.rows import PROBLEM, RAW, Rows

_ABOUT = ("_source_record", "_source_file", "_source_version", "_batch_id", "dt", RAW, PROBLEM)


def rows_of_fields(source: Source, records: Iterable[Mapping[str, str | None]]) -> Rows:
    """Records with these fields; their text is empty."""
    return _rows(source, [(n, "", None, fields) for n, fields in enumerate(records, 1)])


def rows_of_file(source: Source, body: bytes) -> Rows:
    """The records of a file."""
    return _rows(
        source, [(r.number, r.raw, r.problem, r.fields) for r in parsed(_framer(source, body), source)]
    )


def _framer(source: Source, body: bytes) -> Framer:
    return Framer(io.BytesIO(body), source.layout)


def _rows(source: Source, records: list[tuple[int, str, str | None, Mapping[str, str | None]]]) -> Rows:
    about = [(n, "file", "v1", "batch", "2026-01-05", raw, problem) for n, raw, problem, _ in records]
    columns = dict(zip(_ABOUT, map(list, zip(*about, strict=True)), strict=True)) if about else {}
    arrays = {n: pa.array(columns.get(n, []), pa.int64() if n == _ABOUT[0] else pa.string()) for n in _ABOUT}
    arrays |= {n: pa.array([fields.get(n) for *_, fields in records], pa.string()) for n in source.columns}
    return Rows.of(pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays)))
