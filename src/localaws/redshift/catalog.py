"""The columns of a COPY's target, from PostgreSQL's catalog."""

from __future__ import annotations

from typing import Any

import psycopg

from localaws.redshift.errors import RedshiftError
from localaws.redshift.parquet import TableColumn
from localaws.redshift.sql.copy import Copy

# In the order of TableColumn's fields.
_COLUMNS = """
select attname, format_type(atttypid, null), information_schema._pg_char_max_length(atttypid, atttypmod),
  information_schema._pg_numeric_precision(atttypid, atttypmod),
  information_schema._pg_numeric_scale(atttypid, atttypmod), attnotnull, attidentity::text
from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
"""
_TYPE_NAMES = {
    "character": "char",
    "character varying": "varchar",
    "text": "varchar",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "jsonb": "super",
    "bytea": "varbyte",
}


def target_columns(connection: psycopg.Connection[Any], copy: Copy) -> list[TableColumn]:
    """The target's columns in the order of the files' columns. Raises RedshiftError, psycopg.Error."""
    rows = connection.execute(_COLUMNS, (copy.table,)).fetchall()
    found = [TableColumn(name, _TYPE_NAMES.get(kind, kind), *rest) for name, kind, *rest in rows]
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
