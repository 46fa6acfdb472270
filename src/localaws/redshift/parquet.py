"""Checks that a Parquet file fits a table, and reads its rows as record batches for PostgreSQL.

AWS docs: "COPY from columnar data formats". Columns go by position and their counts must match; the physical types
must be those of the table (an INT64 doesn't go into an INTEGER); VARCHAR(n) counts bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from localaws.redshift.errors import RedshiftError, UnsupportedSql

BATCH_ROWS = 65_536
_INCOMPATIBLE = 15007
_BAD_VALUE = 15001


@dataclass(frozen=True)
class TableColumn:
    """A column of the table: `type` is the base type ("varchar", "numeric", ..), `length` in bytes."""

    name: str
    type: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    not_null: bool = False
    identity: str = ""

    @property
    def declared(self) -> str:
        """As Redshift's messages name it."""
        if self.type == "numeric" and self.precision is not None:
            return f"DECIMAL({self.precision},{self.scale})"
        return f"{self.type.upper()}({self.length})" if self.length is not None else self.type.upper()


@dataclass(frozen=True)
class Leaf:
    """A column of the file as Parquet has it: physical type, logical type, and the logical type's details."""

    name: str
    physical: str
    logical: str
    details: dict[str, Any]
    nested: bool

    def __str__(self) -> str:
        if self.nested:
            return f"nested {self.name}"
        annotation = {
            "Int": f" ({self.details.get('bitWidth')}-bit, {'' if self.details.get('isSigned') else 'un'}signed)",
            "Decimal": f" (DECIMAL({self.details.get('precision')},{self.details.get('scale')}))",
            "Timestamp": f" (TIMESTAMP({self.details.get('timeUnit')}))",
            "None": "",
        }
        return (
            f"{self.physical.lower()} {self.name}{annotation.get(self.logical, f' ({self.logical.upper()})')}"
        )


@dataclass(frozen=True)
class Rules:
    """COPY's options that change how files are read."""

    fill_record: bool = False
    serialize_to_json: bool = False
    replacement: str | None = None


def leaves(file: pq.ParquetFile) -> list[Leaf]:
    """The file's top-level columns."""
    schema, arrow = file.schema, file.schema_arrow
    by_path = {schema.column(i).path: schema.column(i) for i in range(len(schema))}
    found = []
    for name in arrow.names:
        column = by_path.get(name)
        if column is None or column.max_repetition_level:
            found.append(Leaf(name, "GROUP", "Nested", {}, nested=True))
            continue
        details = json.loads(column.logical_type.to_json())
        found.append(Leaf(name, column.physical_type, details["Type"], details, nested=False))
    return found


def check_schema(found: list[Leaf], columns: list[TableColumn], url: str, rules: Rules) -> None:
    """Raises RedshiftError unless the file's columns fit the table's, one by one."""
    if len(found) > len(columns) or (len(found) < len(columns) and not rules.fill_record):
        counts = f"Table columns: {len(columns)}, Data columns: {len(found)}"
        raise RedshiftError.scan(
            _INCOMPATIBLE, f"Unmatched number of columns between table and file. {counts}, File name: {url}"
        )
    for leaf, column in zip(found, columns, strict=False):
        if not fits(leaf, column, rules):
            raise RedshiftError.scan(
                _INCOMPATIBLE,
                f"File '{url}' has an incompatible Parquet schema for column '{column.name}'."
                f" Column type: {column.declared}, Parquet schema: {leaf}",
            )


def fits(leaf: Leaf, column: TableColumn, rules: Rules) -> bool:
    """Whether values of `leaf` may go into `column`. Raises UnsupportedSql where that isn't known."""
    kind, details = column.type, leaf.details
    if leaf.nested or kind == "super":
        return leaf.nested and kind == "super" and rules.serialize_to_json
    signed_bits = details.get("bitWidth") if leaf.logical == "Int" and details.get("isSigned") else None
    match kind:
        case "smallint":
            # There is no 16-bit physical type; a plain INT32 is read too.
            return leaf.physical == "INT32" and (leaf.logical == "None" or signed_bits in (16, 32))
        case "integer":
            return leaf.physical == "INT32" and (leaf.logical == "None" or signed_bits == 32)
        case "bigint":
            return leaf.physical == "INT64" and (leaf.logical == "None" or signed_bits == 64)
        case "real":
            return leaf.physical == "FLOAT" and leaf.logical == "None"
        case "double precision":
            return leaf.physical == "DOUBLE"
        case "boolean":
            return leaf.physical == "BOOLEAN"
        case "date":
            return leaf.logical == "Date"
        case "timestamp" | "timestamptz":
            # Nanoseconds would be read as microseconds; INT96 is what Spark writes by default.
            known = details.get("timeUnit") in ("microseconds", "milliseconds")
            return leaf.physical == "INT96" or (leaf.logical == "Timestamp" and known)
        case "numeric":
            same = (details.get("precision"), details.get("scale")) == (column.precision, column.scale)
            return leaf.logical == "Decimal" and same
        case "varchar" | "char":
            return leaf.physical == "BYTE_ARRAY" and leaf.logical in ("String", "Enum", "JSON")
    raise UnsupportedSql(f"COPY from Parquet into a column of type {column.declared} isn't supported here")


def batches(path: Path, columns: list[TableColumn], url: str, rules: Rules) -> Iterator[pa.RecordBatch]:
    """The file's rows, checked and with the types PostgreSQL is to get, at most BATCH_ROWS at a time.

    Raises RedshiftError for a file that is no Parquet, doesn't fit, or holds a value that Redshift refuses.
    """
    try:
        file = pq.ParquetFile(path, coerce_int96_timestamp_unit="us")
    except (pa.ArrowInvalid, OSError) as error:
        raise RedshiftError.scan(
            _BAD_VALUE, f"File '{url}' has an invalid Parquet format: {error}"
        ) from error
    with file:
        check_schema(leaves(file), columns, url, rules)
        if file.metadata.num_columns == 0:
            raise RedshiftError.scan(_INCOMPATIBLE, f"File '{url}' has no columns")
        iterator = file.iter_batches(BATCH_ROWS)
        while True:
            try:
                batch = next(iterator, None)
            except (pa.ArrowInvalid, OSError) as error:
                raise RedshiftError.scan(_BAD_VALUE, f"File '{url}' can't be read: {error}") from error
            if batch is None:
                return
            yield _prepared(batch, columns, url, rules)


def _prepared(batch: pa.RecordBatch, columns: list[TableColumn], url: str, rules: Rules) -> pa.RecordBatch:
    arrays = []
    for position, column in enumerate(columns):
        if position < batch.num_columns:
            array = _converted(batch.column(position), column, url, rules)
        else:
            array = pa.nulls(batch.num_rows, _ARROW[column.type](column))
        if column.not_null and array.null_count:
            raise RedshiftError(f"Cannot insert a NULL value into column {column.name}")
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


_ARROW: dict[str, Any] = {
    "smallint": lambda _: pa.int16(),
    "integer": lambda _: pa.int32(),
    "bigint": lambda _: pa.int64(),
    "real": lambda _: pa.float32(),
    "double precision": lambda _: pa.float64(),
    "boolean": lambda _: pa.bool_(),
    "date": lambda _: pa.date32(),
    "timestamp": lambda _: pa.timestamp("us"),
    "timestamptz": lambda _: pa.timestamp("us", "UTC"),
    "numeric": lambda column: pa.decimal128(column.precision, column.scale),
    "varchar": lambda _: pa.string(),
    "char": lambda _: pa.string(),
    "super": lambda _: pa.string(),
}


def _converted(array: pa.Array, column: TableColumn, url: str, rules: Rules) -> pa.Array:
    if column.type == "super":
        return pa.array([_json(value) for value in array.to_pylist(maps_as_pydicts="strict")], pa.string())
    try:
        converted = array.cast(_ARROW[column.type](column))
    except pa.ArrowInvalid as error:
        raise RedshiftError.scan(
            _BAD_VALUE,
            f"File '{url}' has a value out of range for {column.declared} column '{column.name}': {error}",
        ) from error
    return _text(converted, column, url, rules) if column.type in ("varchar", "char") else converted


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, default=str, separators=(",", ":"))


def _text(array: pa.Array, column: TableColumn, url: str, rules: Rules) -> pa.Array:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        if rules.replacement is None:
            raise RedshiftError.scan(
                _BAD_VALUE, f"File '{url}' has invalid UTF-8 in column '{column.name}'; see ACCEPTINVCHARS"
            ) from error
        array = _repaired(array, rules.replacement)
    if _may_hold_nul(array) and pc.any(pc.match_substring(array, "\0")).as_py():
        # AWS docs: "Preparing your input data": NULs are loaded by NULL AS only, which columnar formats don't have.
        # The words are those of COPY from text (STL_LOAD_ERRORS); what a columnar COPY says isn't documented.
        raise RedshiftError.block(
            "Invalid null byte - field longer than 1 byte",
            _BAD_VALUE,
            f"Column: {column.name}, File name: {url}",
        )
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    if column.length is not None and longest > column.length:
        raise RedshiftError.scan(
            _BAD_VALUE,
            f"The length of the data column {column.name} is longer than the length defined in the table."
            f" Table: {column.length}, Data: {longest}, File name: {url}",
        )
    return array


def _may_hold_nul(array: pa.Array) -> bool:
    """Whether there is a NUL among all bytes of the values: a hundredth of what a search in each value takes."""
    content = array.buffers()[2]
    if content is None:
        return False
    return bool(pc.min(pa.Array.from_buffers(pa.uint8(), content.size, [None, content])).as_py() == 0)


def _repaired(array: pa.Array, replacement: str) -> pa.Array:
    """Every byte that isn't UTF-8 becomes the replacement character, so that the length stays."""
    repaired: list[str | None] = []
    for value in array.cast(pa.binary()).to_pylist():
        text = None if value is None else value.decode(errors="surrogateescape")
        repaired.append(text and "".join(replacement if "\udc80" <= c <= "\udcff" else c for c in text))
    return pa.array(repaired, pa.string())
