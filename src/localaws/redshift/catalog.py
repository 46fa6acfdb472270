"""What PostgreSQL's catalog says of a COPY's target."""

from __future__ import annotations

from typing import Any

import psycopg

from localaws.redshift.errors import RedshiftError
from localaws.redshift.parquet import TableColumn
from localaws.redshift.sql.copy import Copy

_COLUMNS = """
select a.attname, t.typname, a.atttypmod, a.attnotnull, a.attidentity::text
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
_TYPE_NAMES = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "bpchar": "char",
    "jsonb": "super",
    "bytea": "varbyte",
    "text": "varchar",
}


def _column(name: str, type_name: str, modifier: int, not_null: bool, identity: str) -> TableColumn:
    kind = _TYPE_NAMES.get(type_name, type_name)
    # PostgreSQL's type modifier: length + 4, or precision and scale in the halves of what is left without the 4.
    bare = modifier - 4 if modifier >= 0 else None
    if kind in ("varchar", "char"):
        return TableColumn(name, kind, length=bare, not_null=not_null, identity=identity)
    if kind == "numeric" and bare is not None:
        return TableColumn(
            name, kind, precision=bare >> 16, scale=bare & 0x7FF, not_null=not_null, identity=identity
        )
    return TableColumn(name, kind, not_null=not_null, identity=identity)


def target_columns(connection: psycopg.Connection[Any], copy: Copy) -> list[TableColumn]:
    """The columns that the files' columns go to, in this order. Raises RedshiftError, psycopg.Error."""
    found = [_column(*row) for row in connection.execute(_COLUMNS, (copy.table,)).fetchall()]
    if copy.columns is None:
        return [column for column in found if copy.explicit_ids or not column.identity]
    by_name = {column.name: column for column in found}
    for name in copy.columns:
        if name not in by_name:
            raise RedshiftError(f'column "{name}" of relation {copy.table} does not exist')
        if by_name[name].identity == "a" and not copy.explicit_ids:
            raise RedshiftError(f'cannot set an identity column "{name}" to a value; see EXPLICIT_IDS')
    if len(set(copy.columns)) < len(copy.columns):
        raise RedshiftError("a column is specified more than once in COPY's column list")
    if copy.explicit_ids and not any(by_name[name].identity for name in copy.columns):
        raise RedshiftError("EXPLICIT_IDS needs the identity column in COPY's column list")
    return [by_name[name] for name in copy.columns]
