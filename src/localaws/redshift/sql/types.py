"""Redshift's data types, and what stands for them in PostgreSQL.

AWS docs: "Data types" and "Unsupported PostgreSQL data types" in the Amazon Redshift Database Developer Guide.
"""

from __future__ import annotations

import re

from localaws.redshift.errors import RedshiftError, UnsupportedSql

_SIMPLE = {
    "smallint": "smallint",
    "int2": "smallint",
    "integer": "integer",
    "int": "integer",
    "int4": "integer",
    "bigint": "bigint",
    "int8": "bigint",
    "real": "real",
    "float4": "real",
    "float": "double precision",
    "float8": "double precision",
    "double precision": "double precision",
    "boolean": "boolean",
    "bool": "boolean",
    "date": "date",
    **{f"{name}{zone}": name for name in ("time", "timestamp") for zone in ("", " without time zone")},
    **{f"{name}{zone}": f"{name}tz" for name in ("time", "timestamp") for zone in ("tz", " with time zone")},
    "super": "jsonb",
}
# Kind ▸ its names, and the most bytes of one with a length.
_CHAR = frozenset({"char", "character", "nchar", "bpchar"})
_VARCHAR = frozenset({"varchar", "character varying", "nvarchar", "text"})
_VARBYTE = frozenset({"varbyte", "varbinary", "binary varying"})
_NUMERIC = frozenset({"decimal", "numeric"})
_MOST_BYTES = (
    dict.fromkeys(_CHAR, 4096) | dict.fromkeys(_VARCHAR, 65535) | dict.fromkeys(_VARBYTE, 16_777_216)
)
_MOST_DIGITS = 38


def type_of(written: str, *, column: bool) -> tuple[str, int | None]:
    """PostgreSQL's name of the type that is written so, and VARCHAR's length in bytes.

    `column`: in a column definition VARCHAR means VARCHAR(256) and CHAR means CHAR(1); in an expression
    their length is that of the value. DECIMAL means DECIMAL(18,0) in both.
    Raises UnsupportedSql for a type that Redshift lacks or that isn't supported here, RedshiftError for a length
    beyond Redshift's limits.
    """
    found = re.fullmatch(r"([a-z_][\w ]*?) ?(?:\(([\w, ]*)\))?", " ".join(written.lower().split()))
    if "[" in written:
        raise UnsupportedSql(f'type "{written}" isn\'t supported: Redshift has no arrays')
    name = found[1] if found else written
    arguments = [part.strip() for part in found[2].split(",")] if found and found[2] else []
    if name in _SIMPLE and not arguments:
        return _SIMPLE[name], None
    if name in _NUMERIC:
        return _numeric(written, arguments), None
    if name not in _MOST_BYTES or len(arguments) > 1:
        raise UnsupportedSql(f'type "{written}" isn\'t supported, or takes no such length or precision')
    length = _length(name, arguments[0]) if arguments else None
    if name in _VARBYTE:
        return "bytea", None
    if name in _CHAR:
        return f"char({length or (256 if name == 'bpchar' else 1)})" if column or length else "bpchar", None
    if name == "text" or length is None:
        # TEXT(n) is accepted and means VARCHAR(256) as TEXT does.
        length = 256 if column else None
    return "varchar" if length is None else f"varchar({length})", length


def _numeric(written: str, arguments: list[str]) -> str:
    if not all(argument.isdigit() for argument in arguments) or len(arguments) > 2:
        raise UnsupportedSql(f'type "{written}" isn\'t supported')
    precision, scale = [*map(int, arguments), *(18, 0)[len(arguments) :]]
    if not 1 <= precision <= _MOST_DIGITS:
        raise RedshiftError(f"DECIMAL precision {precision} must be between 1 and {_MOST_DIGITS}")
    if scale > min(precision, _MOST_DIGITS - 1):
        raise RedshiftError(f"DECIMAL scale {scale} must be between 0 and precision {precision}")
    return f"numeric({precision},{scale})"


def _length(name: str, argument: str) -> int:
    most = _MOST_BYTES[name]
    if argument != "max" and not argument.isdigit():
        raise UnsupportedSql(f'type "{name}({argument})" isn\'t supported')
    length = most if argument == "max" else int(argument)
    if length < 1:
        raise RedshiftError(f"length for type {name} must be at least 1")
    if length > most:
        raise RedshiftError(f"length for type {name} cannot exceed {most}")
    return length
