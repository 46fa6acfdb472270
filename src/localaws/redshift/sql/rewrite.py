"""From a statement of Redshift to what PostgreSQL is to do. Pure: no connection, no clock.

The one entry is `rewrite`. A statement kind that isn't listed here is refused by name. Queries, changes of rows and
definitions are read as trees (queries.py, changes.py, definitions.py); COPY, LOCK and what has to do with users and
roles as tokens, since sqlglot's parser doesn't know them or reads them as an opaque command. A tree takes some
milliseconds, and a pipeline repeats itself: each of these three keeps its last thousand texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from localaws.redshift.errors import UnsupportedSql
from localaws.redshift.sql import grants
from localaws.redshift.sql.changes import change
from localaws.redshift.sql.copy import Copy, parse_copy
from localaws.redshift.sql.definitions import definition
from localaws.redshift.sql.names import parse_names
from localaws.redshift.sql.queries import query
from localaws.redshift.sql.tokens import Sql
from localaws.redshift.users import Principal


@dataclass(frozen=True)
class Statement:
    """What to run for one statement.

    `verb`: its first word. `postgres`: the SQL to run, "" for nothing (or for a COPY, which is in `copy`).
    `new_columns_of`: the table that got columns, whose VARCHARs are yet to be limited in bytes.
    `tables`: names that must be tables, not views (MERGE). `principals`: users and roles that must exist.
    """

    verb: str
    postgres: str = ""
    returns_rows: bool = False
    copy: Copy | None = None
    new_columns_of: str | None = None
    tables: tuple[str, ...] = ()
    principals: tuple[Principal, ...] = ()


_QUERY_VERBS = frozenset({"SELECT", "WITH", "("})
_CHANGE_VERBS = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_DEFINITION_VERBS = frozenset({"CREATE", "ALTER", "DROP", "TRUNCATE", "COMMENT"})
_TRANSACTION_VERBS = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT"})
_SETTINGS = frozenset({"QUERY_GROUP", "STATEMENT_TIMEOUT", "SEARCH_PATH"})


def rewrite(text: str, *, in_batch: bool, role_name: grants.RoleName = str) -> Statement:
    """What to run for the Redshift statement `text`; `role_name` gives PostgreSQL's name of a database user or role.

    Raises UnsupportedSql for what Redshift refuses or what isn't known here, RedshiftError for what Redshift would
    call an error of the statement.
    """
    sql = Sql(text)
    verb = sql.word(0) or sql.raw(0)
    if verb in _QUERY_VERBS:
        return Statement("SELECT", query(sql.slice(0, len(sql))), returns_rows=True)
    if verb in _CHANGE_VERBS:
        postgres, tables = change(sql.slice(0, len(sql)))
        return Statement(verb, postgres, tables=tables)
    if verb in _TRANSACTION_VERBS:
        raise UnsupportedSql(f"{verb} isn't supported by the Data API: a call is one transaction")
    if in_batch and verb in ("TRUNCATE", "VACUUM"):
        hint = "; use DELETE" if verb == "TRUNCATE" else ""
        raise UnsupportedSql(
            f"{verb} within a batch isn't supported: on Redshift it ends the open transaction{hint}"
        )
    if verb in ("GRANT", "REVOKE"):
        principals = grants.grant_or_revoke(sql, role_name)
        return Statement(verb, sql.render(), principals=principals)
    if verb == "CREATE" and sql.word(1) in ("USER", "ROLE"):
        return Statement("CREATE", grants.create_principal(sql, role_name))
    if verb in _DEFINITION_VERBS:
        postgres, new_columns_of = definition(sql.slice(0, len(sql)))
        return Statement(verb, postgres, new_columns_of=new_columns_of)
    if verb not in _VERBS:
        raise UnsupportedSql(f"statement {verb} isn't supported: only {', '.join(sorted(STATEMENTS))}")
    return _VERBS[verb](sql)


def _copy(sql: Sql) -> Statement:
    return Statement("COPY", copy=parse_copy(sql))


def _lock(sql: Sql) -> Statement:
    _, index = parse_names(sql, 1 + (sql.word(1) == "TABLE"))
    if index != len(sql):
        raise UnsupportedSql("LOCK takes tables and no mode on Redshift")
    return Statement("LOCK", sql.render())


def _maintenance(sql: Sql) -> Statement:
    if sql.word(1) == "COMPRESSION":
        raise UnsupportedSql("statement ANALYZE COMPRESSION isn't supported")
    return Statement(sql.word(0))


def _set(sql: Sql) -> Statement:
    name = sql.word(1)
    if name not in _SETTINGS:
        raise UnsupportedSql(
            f"SET {sql.raw(1)} isn't supported: only {', '.join(sorted(_SETTINGS)).lower()} are"
        )
    if sql.raw(2).upper() not in ("TO", "="):
        raise sql.syntax_error(2)
    # Queues of a workload manager there are none; the name is taken and forgotten.
    return Statement("SET", "" if name == "QUERY_GROUP" else sql.render())


_VERBS: dict[str, Callable[[Sql], Statement]] = {
    "COPY": _copy,
    "LOCK": _lock,
    "SET": _set,
    "VACUUM": _maintenance,
    "ANALYZE": _maintenance,
    "ANALYSE": _maintenance,
}
# Every kind of statement that is known, by its first word.
STATEMENTS = frozenset({"SELECT", "GRANT", "REVOKE", *_CHANGE_VERBS, *_DEFINITION_VERBS, *_VERBS})
