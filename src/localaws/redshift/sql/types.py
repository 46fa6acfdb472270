"""Redshift's data types, and what stands for them in PostgreSQL.

AWS docs: "Data types" and "Unsupported PostgreSQL data types" in the Amazon Redshift Database Developer Guide.
"""

from __future__ import annotations

from dataclasses import dataclass

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.tokens import Sql

VARCHAR_MAX_BYTES = 65535
CHAR_MAX_BYTES = 4096
NUMERIC_MAX_PRECISION = 38
VARBYTE_MAX_BYTES = 16_777_216

_SIMPLE = {
    "SMALLINT": "smallint",
    "INT2": "smallint",
    "INTEGER": "integer",
    "INT": "integer",
    "INT4": "integer",
    "BIGINT": "bigint",
    "INT8": "bigint",
    "REAL": "real",
    "FLOAT4": "real",
    "FLOAT": "double precision",
    "FLOAT8": "double precision",
    "DOUBLE PRECISION": "double precision",
    "BOOLEAN": "boolean",
    "BOOL": "boolean",
    "DATE": "date",
    "TIME": "time",
    "TIMETZ": "timetz",
    "TIMESTAMP": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
    "SUPER": "jsonb",
}
_VARCHAR = frozenset({"VARCHAR", "CHARACTER VARYING", "NVARCHAR", "TEXT"})
_CHAR = frozenset({"CHAR", "CHARACTER", "NCHAR", "BPCHAR"})
_NUMERIC = frozenset({"DECIMAL", "NUMERIC"})
_VARBYTE = frozenset({"VARBYTE", "VARBINARY", "BINARY VARYING"})
_ZONES = {"WITHOUT TIME ZONE": "", "WITH TIME ZONE": "tz"}
_LONGEST_NAME_WORDS = 4


@dataclass(frozen=True)
class Type:
    """A type as found in a statement: PostgreSQL's name for it, the index after it, VARCHAR's length in bytes."""

    postgres: str
    stop: int
    varchar_bytes: int | None = None


def parse_type(sql: Sql, index: int, *, column: bool) -> Type:
    """The type at `index`.

    `column`: in a column definition VARCHAR means VARCHAR(256) and CHAR means CHAR(1); in an expression
    their length is that of the value. DECIMAL means DECIMAL(18,0) in both.
    Raises UnsupportedSql for a type that Redshift hasn't got or that isn't known here, RedshiftError for a length
    beyond Redshift's limits.
    """
    found = _name_at(sql, index)
    if found is None:
        raise UnsupportedSql(f'type "{sql.raw(index).lower()}" isn\'t supported')
    name, stop = found
    arguments, stop = _arguments(sql, stop)
    if sql.raw(stop) == "[":
        raise UnsupportedSql(f'type "{name.lower()}[]" isn\'t supported: Redshift has no arrays')
    if name in _SIMPLE:
        if arguments:
            raise UnsupportedSql(f'type "{name.lower()}" takes no length or precision')
        return Type(*_zoned(sql, _SIMPLE[name], stop))
    if name in _NUMERIC:
        return Type(_numeric(name, arguments), stop)
    if len(arguments) > 1:
        raise UnsupportedSql(f'type "{name.lower()}" takes one length')
    if name in _VARBYTE:
        _length(name, arguments, VARBYTE_MAX_BYTES)
        return Type("bytea", stop)
    if name in _CHAR:
        characters = _length(name, arguments, CHAR_MAX_BYTES) or (256 if name == "BPCHAR" else 1)
        return Type(f"char({characters})" if column or arguments else "bpchar", stop)
    size = _length(name, arguments, VARCHAR_MAX_BYTES)
    if name == "TEXT" or (column and size is None):
        # TEXT(n) is accepted and means VARCHAR(256) as TEXT does.
        size = 256 if column else None
    return Type("varchar" if size is None else f"varchar({size})", stop, size)


def _name_at(sql: Sql, index: int) -> tuple[str, int] | None:
    known = _SIMPLE.keys() | _VARCHAR | _CHAR | _NUMERIC | _VARBYTE
    for count in range(_LONGEST_NAME_WORDS, 0, -1):
        words = [sql.word(index + offset) for offset in range(count)]
        if all(words) and " ".join(words) in known:
            return " ".join(words), index + count
    return None


def _arguments(sql: Sql, index: int) -> tuple[list[str], int]:
    if sql.raw(index) != "(":
        return [], index
    close = sql.match(index)
    return [sql.slice(first, last).upper() for first, last in sql.split(index + 1, close)], close + 1


def _zoned(sql: Sql, name: str, index: int) -> tuple[str, int]:
    for words, suffix in _ZONES.items():
        for count in range(1, _LONGEST_NAME_WORDS):
            if " ".join(sql.word(index + offset) for offset in range(count)) == words:
                if name not in ("time", "timestamp"):
                    raise sql.syntax_error(index)
                return name + suffix, index + count
    return name, index


def _numeric(name: str, arguments: list[str]) -> str:
    if not all(argument.isdigit() for argument in arguments) or len(arguments) > 2:
        raise UnsupportedSql(f'type "{name.lower()}({", ".join(arguments)})" isn\'t supported')
    precision, scale = [*map(int, arguments), *(18, 0)[len(arguments) :]]
    if not 1 <= precision <= NUMERIC_MAX_PRECISION:
        raise RedshiftError(f"DECIMAL precision {precision} must be between 1 and {NUMERIC_MAX_PRECISION}")
    if scale > min(precision, NUMERIC_MAX_PRECISION - 1):
        raise RedshiftError(f"DECIMAL scale {scale} must be between 0 and precision {precision}")
    return f"numeric({precision},{scale})"


def _length(name: str, arguments: list[str], most: int) -> int | None:
    if not arguments:
        return None
    if arguments[0] == "MAX":
        return most
    if not arguments[0].isdigit():
        raise UnsupportedSql(f'type "{name.lower()}({arguments[0]})" isn\'t supported')
    length = int(arguments[0])
    if length < 1:
        raise RedshiftError(f"length for type {name.lower()} must be at least 1")
    if length > most:
        raise RedshiftError(f"length for type {name.lower()} cannot exceed {most}")
    return length
