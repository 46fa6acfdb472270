"""Columns of Parquet files, in the type names of Glue's catalog (Hive's)."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import LocalAwsError, NotSupported

Columns = tuple[tuple[str, str], ...]

# One ranged read of this many bytes from the end brings the whole footer of most files.
_TAIL_BYTES = 64 * 1024

# By Arrow's name of the type, without its parameters.
_SIMPLE = {
    "string": "string",
    "large_string": "string",
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "float": "float",
    "double": "double",
    "timestamp": "timestamp",
    "date32": "date",
    "date64": "date",
    "binary": "binary",
    "large_binary": "binary",
}
# Where files differ, the wider type holds both.
_WIDER = ("tinyint", "smallint", "int", "bigint")


@dataclass(frozen=True)
class Footer:
    """What a Parquet file's footer says: columns as (name, Glue type), and its number of rows."""

    columns: Columns
    rows: int


def read_footer(s3: Any, bucket: str, key: str, size: int) -> Footer:
    """Read the footer of one Parquet file, and nothing else of it, by ranged requests.

    Raises LocalAwsError if it is no Parquet file, NotSupported for a column type Glue has no name for.
    """

    def tail(length: int) -> bytes:
        answer = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={max(0, size - length)}-{size - 1}")
        data: bytes = answer["Body"].read()
        return data

    data = tail(_TAIL_BYTES)
    if len(data) < 12 or data[-4:] != b"PAR1":
        raise LocalAwsError(f"s3://{bucket}/{key} is not a Parquet file")
    needed = struct.unpack("<I", data[-8:-4])[0] + 8
    if needed > len(data):
        data = tail(needed)
    # A footer's offsets into the file don't matter to someone who only reads the footer.
    metadata = pq.read_metadata(io.BytesIO(b"PAR1" + data[-needed:]))
    schema = metadata.schema.to_arrow_schema()
    columns = tuple(
        (field.name.lower(), _glue_type(field.type, f"s3://{bucket}/{key}: {field.name}")) for field in schema
    )
    return Footer(columns, metadata.num_rows)


def _glue_type(kind: Any, place: str) -> str:
    if simple := _SIMPLE.get(str(kind).partition("[")[0]):
        return simple
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_dictionary(kind):
        return _glue_type(kind.value_type, place)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{_glue_type(kind.value_type, place)}>"
    if pa.types.is_map(kind):
        return f"map<{_glue_type(kind.key_type, place)},{_glue_type(kind.item_type, place)}>"
    if pa.types.is_struct(kind):
        fields = ",".join(f"{field.name.lower()}:{_glue_type(field.type, place)}" for field in kind)
        return f"struct<{fields}>"
    raise NotSupported(f"{place}: Parquet type {kind} has no Glue type here")


def merge(schemas: Iterable[Columns]) -> Columns:
    """All columns of all schemas, in the order they are first seen.

    Raises LocalAwsError for a column that has types of different kinds: Glue would guess.
    """
    merged: dict[str, str] = {}
    for columns in schemas:
        for name, kind in columns:
            merged[name] = _wider(name, merged[name], kind) if name in merged else kind
    return tuple(merged.items())


def _wider(name: str, one: str, other: str) -> str:
    if one == other:
        return one
    if one in _WIDER and other in _WIDER:
        return max(one, other, key=_WIDER.index)
    if {one, other} == {"float", "double"}:
        return "double"
    raise LocalAwsError(f"column {name} is {one} in some files and {other} in others")


def partition_type(values: Iterable[str]) -> str:
    """A partition key's type: int or bigint if all values are whole numbers, else string (a date, too)."""
    found = tuple(values)
    if not found or not all(re.fullmatch(r"-?(0|[1-9]\d{0,17})", value) for value in found):
        return "string"
    return "int" if all(-(2**31) <= int(value) < 2**31 for value in found) else "bigint"
