"""A statement's result: rows that are kept, and returned page by page in the Data API's shape."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg.types.string import TextLoader

from localaws.errors import ApiError
from localaws.redshift.errors import RedshiftError

# AWS docs: "Considerations when calling the Amazon Redshift Data API": a result may have 500 MB.
MAX_RESULT_BYTES = 500 * 1000 * 1000
PAGE_ROWS = 1000
PAGE_BYTES = 1_000_000

_INT2, _INT4, _INT8, _BOOL, _FLOAT4, _FLOAT8, _NUMERIC = 21, 23, 20, 16, 700, 701, 1700
_VARCHAR, _BPCHAR, _TEXT, _JSONB, _BYTEA, _UNKNOWN = 1043, 1042, 25, 3802, 17, 705
_TYPE_NAMES = {
    _INT2: "int2",
    _INT4: "int4",
    _INT8: "int8",
    _BOOL: "bool",
    _FLOAT4: "float4",
    _FLOAT8: "float8",
    _NUMERIC: "numeric",
    _VARCHAR: "varchar",
    _TEXT: "varchar",
    _UNKNOWN: "varchar",
    _BPCHAR: "bpchar",
    _JSONB: "super",
    _BYTEA: "varbyte",
    1082: "date",
    1083: "time",
    1266: "timetz",
    1114: "timestamp",
    1184: "timestamptz",
    1186: "interval",
}
_DIGITS = {_INT2: 5, _INT4: 10, _INT8: 19, _FLOAT4: 8, _FLOAT8: 17}
_SIGNED = frozenset({*_DIGITS, _NUMERIC})

_ORIGINS = """
select a.attrelid::bigint, a.attnum, a.attnotnull, n.nspname, c.relname
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where a.attrelid::bigint = any(%s) and a.attnum > 0
"""


def read_as_text(cursor: psycopg.ServerCursor[Any]) -> None:
    """Makes the cursor give every value as PostgreSQL writes it, which is nearly as Redshift does.

    The cursor, not its connection: later statements of a batch read the catalog on the same connection.
    """
    for oid in _TYPE_NAMES:
        cursor.adapters.register_loader(oid, TextLoader)


class Result:
    """Rows, one page per line: a large result is in a temporary file. Safe to read from several threads."""

    def __init__(self, columns: list[dict[str, Any]]) -> None:
        self.columns = columns
        self.rows = 0
        self.size_bytes = 0
        self._pages: list[tuple[int, int]] = []
        # Results are kept for a day; most are a few bytes, and a process has only so many open files.
        self._file = tempfile.SpooledTemporaryFile(PAGE_BYTES, prefix="redshift-result-")  # noqa: SIM115  see close()
        self._lock = threading.Lock()

    def fill(self, rows: Iterable[Sequence[str | None]], oids: Sequence[int]) -> None:
        """Writes all rows. Raises RedshiftError beyond MAX_RESULT_BYTES."""
        page: list[str] = []
        length = 0
        for row in rows:
            record = json.dumps([_field(value, oid) for value, oid in zip(row, oids, strict=True)])
            page.append(record)
            length += len(record)
            self.rows += 1
            if len(page) >= PAGE_ROWS or length >= PAGE_BYTES:
                self._write(page)
                page, length = [], 0
        self._write(page)

    def _write(self, page: list[str]) -> None:
        if not page:
            return
        data = f"[{','.join(page)}]".encode()
        if self.size_bytes + len(data) > MAX_RESULT_BYTES:
            raise RedshiftError(f"The result is larger than {MAX_RESULT_BYTES // 1_000_000} MB")
        self._pages.append((self.size_bytes, len(data)))
        self.size_bytes += len(data)
        self._file.write(data)

    def page(self, token: str | None) -> dict[str, Any]:
        """GetStatementResult's answer. Raises ApiError for a token that isn't one of this result."""
        number = 0 if token is None else _page_number(token)
        if number >= max(len(self._pages), 1) or (token is not None and number < 1):
            raise ApiError("ValidationException", "NextToken is not valid for this result")
        records: list[Any] = []
        if self._pages:
            offset, length = self._pages[number]
            with self._lock:
                self._file.seek(offset)
                records = json.loads(self._file.read(length))
        answer = {"ColumnMetadata": self.columns, "Records": records, "TotalNumRows": self.rows}
        if number + 1 < len(self._pages):
            answer["NextToken"] = f"page:{number + 1}"
        return answer

    def close(self) -> None:
        self._file.close()


def _page_number(token: str) -> int:
    word, _, number = token.partition(":")
    return int(number) if word == "page" and number.isdecimal() else -1


def _field(value: str | None, oid: int) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    if oid == _BOOL:
        return {"booleanValue": value == "t"}
    if oid in (_INT2, _INT4, _INT8):
        return {"longValue": int(value)}
    if oid in (_FLOAT4, _FLOAT8) and value not in ("NaN", "Infinity", "-Infinity"):
        return {"doubleValue": float(value)}
    if oid == _JSONB:
        return {"stringValue": json.dumps(json.loads(value), ensure_ascii=False, separators=(",", ":"))}
    if oid == _BYTEA:
        return {"stringValue": value.removeprefix("\\x")}
    return {"stringValue": value}


def fetch(connection: psycopg.Connection[Any], query: str) -> Result:
    """Runs a query and keeps its result; rows pass a page at a time.

    Raises psycopg.Error, and RedshiftError for a type that the API can't return.
    """
    with connection.cursor("result") as cursor:
        read_as_text(cursor)
        cursor.itersize = PAGE_ROWS
        cursor.execute(query.encode())
        described = cursor.pgresult
        if described is None:
            raise RedshiftError("the query gave no result")
        count = described.nfields
        oids = [described.ftype(i) for i in range(count)]
        columns = [_column(described, i) for i in range(count)]
        origins = [(described.ftable(i), described.ftablecol(i)) for i in range(count)]
        result = Result(columns)
        try:
            result.fill(cursor, oids)
            _add_origins(connection, columns, origins)
        except BaseException:
            result.close()
            raise
    return result


def _column(described: Any, index: int) -> dict[str, Any]:
    oid, modifier = described.ftype(index), described.fmod(index)
    name = described.fname(index).decode()
    if oid not in _TYPE_NAMES:
        raise RedshiftError(f'column "{name}" has a type that Redshift doesn\'t have (PostgreSQL type {oid})')
    bare = modifier - 4 if modifier >= 0 else None
    length, precision, scale = 0, _DIGITS.get(oid, 0), 0
    if oid in (_VARCHAR, _BPCHAR, _TEXT, _UNKNOWN):
        length = precision = bare if bare is not None else 65535
    elif oid == _NUMERIC:
        precision, scale = (bare >> 16, bare & 0x7FF) if bare is not None else (38, 0)
    return {
        "columnDefault": "",
        "isCaseSensitive": oid in (_VARCHAR, _BPCHAR, _TEXT, _UNKNOWN),
        "isCurrency": False,
        "isSigned": oid in _SIGNED,
        "label": name,
        "length": length,
        "name": name,
        "nullable": 1,
        "precision": precision,
        "scale": scale,
        "schemaName": "",
        "tableName": "",
        "typeName": _TYPE_NAMES[oid],
    }


def _add_origins(
    connection: psycopg.Connection[Any], columns: list[dict[str, Any]], origins: list[tuple[int, int]]
) -> None:
    """Adds table, schema and nullability of columns that come straight from a table."""
    tables = sorted({table for table, _ in origins if table})
    if not tables:
        return
    found = {
        (int(table), int(number)): (not_null, schema, name)
        for table, number, not_null, schema, name in connection.execute(_ORIGINS, (tables,)).fetchall()
    }
    for column, origin in zip(columns, origins, strict=True):
        if origin in found:
            not_null, schema, name = found[origin]
            temporary = schema.startswith("pg_temp")
            column.update(
                nullable=0 if not_null else 1, schemaName="" if temporary else schema, tableName=name
            )
