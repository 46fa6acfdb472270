"""CREATE TABLE, ALTER TABLE: the attributes that only Redshift has are taken off, what it lacks is refused.

AWS docs: "CREATE TABLE", "CREATE TABLE AS", "ALTER TABLE" in the Amazon Redshift Database Developer Guide.
PRIMARY KEY, UNIQUE and FOREIGN KEY are informational there, so they are dropped here; NOT NULL is enforced, and a
primary key's columns are NOT NULL.
"""

from __future__ import annotations

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.columns import Table, read_column, read_column_name, references
from localaws.redshift.sql.names import name_key, parse_name
from localaws.redshift.sql.queries import query_from
from localaws.redshift.sql.tokens import Sql

_TABLE_CONSTRAINTS = frozenset({"PRIMARY KEY", "UNIQUE", "FOREIGN KEY", "CHECK", "CONSTRAINT", "EXCLUDE"})
_DISTSTYLES = frozenset({"AUTO", "EVEN", "KEY", "ALL"})


def create_table(sql: Sql) -> str:
    """Rewrites CREATE [LOCAL] [TEMP] TABLE; returns the table's name as PostgreSQL is to read it."""
    index = 1
    if sql.word(index) == "LOCAL":
        sql.delete(index, index)
        index += 1
    is_temporary = sql.word(index) in ("TEMP", "TEMPORARY")
    keyword = index + is_temporary
    index = sql.expect(keyword, "TABLE")
    if sql.phrase(index, "IF", "NOT", "EXISTS"):
        index += 3
    if sql.raw(index).startswith("#") and not is_temporary:
        sql.insert_before(keyword, "TEMP ")
    name, index = parse_name(sql, index)
    table = Table()
    opening = index if sql.raw(index) == "(" else None
    index = sql.match(index) + 1 if opening is not None else index
    after_as = _table_attributes(sql, index, table)
    if opening is not None:
        elements = sql.split(opening + 1, sql.match(opening))
        read = read_column_name if after_as is not None else _element
        for first, last in elements:
            read(sql, first, last, table)
        _check_keys(table)
        _primary_key_not_null(sql, table)
    elif after_as is None:
        raise sql.syntax_error(index)
    if after_as is not None:
        query_from(sql, after_as)
    return name


def alter_table(sql: Sql) -> str | None:
    """Rewrites ALTER TABLE; returns the table's name if it got a column."""
    name, index = parse_name(sql, 2)
    if sql.word(index) == "ADD" and sql.word(index + 1) not in _TABLE_CONSTRAINTS:
        index += 1 + (sql.word(index + 1) == "COLUMN")
        if len(sql.split(index, len(sql))) > 1:
            raise RedshiftError("ALTER TABLE .. ADD COLUMN adds one column at a time")
        _added_column(sql, index)
        return name
    if sql.word(index) == "DROP" and sql.word(index + 1) not in _TABLE_CONSTRAINTS:
        index += 1 + (sql.word(index + 1) == "COLUMN")
        _, index = parse_name(sql, index)
        sql.expect_end(index + (sql.word(index) in ("RESTRICT", "CASCADE")))
        return None
    if sql.word(index) == "RENAME":
        for stop in (index + 1, index + 2):
            if sql.word(stop) == "TO":
                break
        else:
            stop = parse_name(sql, index + 1 + (sql.word(index + 1) == "COLUMN"))[1]
        _, index = parse_name(sql, sql.expect(stop, "TO"))
        sql.expect_end(index)
        return None
    raise UnsupportedSql(
        f"ALTER TABLE .. {sql.raw(index).upper()} {sql.raw(index + 1).upper()} isn't supported here"
    )


def _added_column(sql: Sql, index: int) -> None:
    table = Table()
    words = [sql.word(i) for i in range(index, len(sql))]
    for refused in ("PRIMARY KEY", "UNIQUE", "REFERENCES", "DISTKEY", "SORTKEY", "IDENTITY"):
        if refused in words[2:]:
            raise RedshiftError(f"ALTER TABLE ADD COLUMN doesn't support {refused}")
    _element(sql, index, len(sql), table)
    if table.not_null and "DEFAULT" not in words:
        raise RedshiftError(
            "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression"
        )


def _table_attributes(sql: Sql, index: int, table: Table) -> int | None:
    """Deletes BACKUP, DISTSTYLE, DISTKEY, SORTKEY, ENCODE; returns the index after AS, or None if none follows."""
    while index < len(sql) and sql.word(index) != "AS":
        stop = _table_attribute(sql, index, table)
        sql.delete(index, stop - 1)
        index = stop
    return index + 1 if index < len(sql) else None


def _table_attribute(sql: Sql, index: int, table: Table) -> int:
    word, after = sql.word(index), sql.word(index + 1)
    if word == "BACKUP" and after in ("YES", "NO"):
        return index + 2
    if word == "DISTSTYLE" and after in _DISTSTYLES:
        return index + 2
    if word == "ENCODE" and after == "AUTO":
        return index + 2
    if word == "SORTKEY" and after == "AUTO":
        return index + 2
    if word in ("COMPOUND", "INTERLEAVED") and after == "SORTKEY":
        index, word = index + 1, "SORTKEY"
    if word in ("DISTKEY", "SORTKEY") and sql.raw(index + 1) == "(":
        close = sql.match(index + 1)
        columns = [name_key(sql, first) for first, _ in sql.split(index + 2, close)]
        if word == "DISTKEY" and len(columns) != 1:
            raise RedshiftError("DISTKEY takes one column")
        table.key_columns += columns
        return close + 1
    raise UnsupportedSql(f'table attribute "{sql.raw(index)} {sql.raw(index + 1)}" isn\'t supported')


def _element(sql: Sql, first: int, last: int, table: Table) -> None:
    """One element between the commas of a table's definition: LIKE, a constraint, or a column."""
    word = sql.word(first)
    if word == "LIKE":
        _, index = parse_name(sql, first + 1)
        if sql.word(index) in ("INCLUDING", "EXCLUDING") and sql.word(index + 1) == "DEFAULTS":
            index += 2
        if index != last:
            raise sql.syntax_error(index)
    elif word in _TABLE_CONSTRAINTS:
        _table_constraint(sql, first, last, table)
        comma_before = sql.raw(first - 1) == ","
        sql.delete(first - comma_before, last - 1 if comma_before else last)
    else:
        read_column(sql, first, last, table)


def _table_constraint(sql: Sql, index: int, last: int, table: Table) -> None:
    if sql.word(index) == "CONSTRAINT":
        index += 2
    word = sql.word(index)
    if word not in ("PRIMARY KEY", "UNIQUE", "FOREIGN KEY") or sql.raw(index + 1) != "(":
        raise UnsupportedSql(f"constraint {sql.raw(index).upper()} isn't supported by Redshift")
    close = sql.match(index + 1)
    columns = [name_key(sql, first) for first, _ in sql.split(index + 2, close)]
    table.key_columns += columns
    if word == "PRIMARY KEY":
        table.set_primary_key(columns)
    stop = references(sql, close + 1) if word == "FOREIGN KEY" else close + 1
    if stop != last:
        raise UnsupportedSql(f'"{sql.raw(stop)}" after a constraint isn\'t supported by Redshift')


def _check_keys(table: Table) -> None:
    for column in table.key_columns:
        if column not in table.columns:
            raise RedshiftError(f'column "{column}" named in key does not exist')


def _primary_key_not_null(sql: Sql, table: Table) -> None:
    for column in table.primary_key or []:
        if column not in table.not_null:
            sql.insert_after(table.columns[column], " NOT NULL")
