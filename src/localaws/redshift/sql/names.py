"""Names of tables and columns in a statement."""

from __future__ import annotations

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.tokens import Sql
from localaws.redshift.sql.words import RESERVED


def fold_name(sql: Sql, index: int) -> None:
    """Redshift folds quoted names to lower case too; a temporary table's # must be quoted in PostgreSQL."""
    token = sql.tokens[index]
    if token.is_quoted and token.raw != token.raw.lower():
        sql.replace(index, index, token.raw.lower())
    elif token.is_word and token.raw.startswith("#"):
        sql.replace(index, index, f'"{token.raw.lower()}"')


def name_key(sql: Sql, index: int) -> str:
    """A name folded as Redshift does: to lower case, quoted or not."""
    token = sql.tokens[index]
    if not token.is_name:
        raise sql.syntax_error(index)
    return (token.value if token.is_quoted else token.raw).lower()


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def parse_name(sql: Sql, index: int) -> tuple[str, int]:
    """The name [schema.]name at `index`, as PostgreSQL is to read it, and the index after it.

    Raises RedshiftError for a reserved word, UnsupportedSql for a name with a database.
    """
    parts: list[str] = []
    while True:
        if not sql.is_name(index):
            raise sql.syntax_error(index)
        if not parts and sql.word(index) in RESERVED:
            raise RedshiftError(f'syntax error at or near "{sql.raw(index)}": a reserved word of Redshift')
        fold_name(sql, index)
        parts.append(quoted(name_key(sql, index)))
        index += 1
        if sql.raw(index) != ".":
            break
        index += 1
    if len(parts) > 2:
        raise UnsupportedSql(f"cross-database name {'.'.join(parts)} isn't supported")
    return ".".join(parts), index


def parse_names(sql: Sql, index: int) -> tuple[list[str], int]:
    """Names between commas, and the index after the last."""
    name, index = parse_name(sql, index)
    names = [name]
    while sql.raw(index) == ",":
        name, index = parse_name(sql, index + 1)
        names.append(name)
    return names, index
