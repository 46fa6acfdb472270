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
from localaws.redshift.sql.queries import query
from localaws.redshift.sql.tokens import Tokens
from localaws.redshift.users import Principal


@dataclass(frozen=True)
class Statement:
    """What to run for one statement.

    `verb`: its first word. `postgres`: the SQL to run, "" for nothing (or for a COPY, which is in `copy`).
    `new_columns_of`: the table that got columns, whose VARCHARs are yet to be limited in bytes; `distributed_by`: its
    DISTKEY, which is yet to be indexed.
    `tables`: names that must be tables, not views (MERGE). `principals`: users and roles that must exist.
    """

    verb: str
    postgres: str = ""
    returns_rows: bool = False
    copy: Copy | None = None
    new_columns_of: str | None = None
    distributed_by: str | None = None
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
    tokens = Tokens(text)
    verb = tokens.word
    if verb in _QUERY_VERBS:
        return Statement("SELECT", query(tokens.body), returns_rows=True)
    if verb in _CHANGE_VERBS:
        if tokens.take("INSERT") or tokens.take("MERGE"):
            tokens.expect("INTO")
        postgres, tables = change(tokens.body)
        return Statement(verb, postgres, tables=tables)
    if verb in _TRANSACTION_VERBS:
        raise UnsupportedSql(f"{verb} isn't supported by the Data API: a call is one transaction")
    if in_batch and verb in ("TRUNCATE", "VACUUM"):
        hint = "; use DELETE" if verb == "TRUNCATE" else ""
        raise UnsupportedSql(
            f"{verb} within a batch isn't supported: on Redshift it ends the open transaction{hint}"
        )
    if verb in ("GRANT", "REVOKE"):
        postgres, principals = grants.grant_or_revoke(tokens, role_name)
        return Statement(verb, postgres, principals=principals)
    if verb == "CREATE" and len(tokens.all) > 1 and tokens.all[1].text.upper() in ("USER", "ROLE"):
        return Statement("CREATE", grants.create_principal(tokens, role_name))
    if verb in _DEFINITION_VERBS:
        postgres, new_columns_of, distributed_by = definition(tokens.body)
        return Statement(verb, postgres, new_columns_of=new_columns_of, distributed_by=distributed_by)
    if verb not in _VERBS:
        raise UnsupportedSql(f"statement {verb} isn't supported: only {', '.join(sorted(STATEMENTS))}")
    return _VERBS[verb](tokens)


def _copy(tokens: Tokens) -> Statement:
    return Statement("COPY", copy=parse_copy(tokens))


def _lock(tokens: Tokens) -> Statement:
    tokens.expect("LOCK")
    tokens.take("TABLE")
    tables = tokens.csv(tokens.table)
    if not tokens.ended:
        raise UnsupportedSql("LOCK takes tables and no mode on Redshift")
    return Statement("LOCK", f"lock table {', '.join(tables)}")


def _maintenance(tokens: Tokens) -> Statement:
    verb = tokens.next_word()
    if tokens.word == "COMPRESSION":
        raise UnsupportedSql("statement ANALYZE COMPRESSION isn't supported")
    return Statement(verb)


def _set(tokens: Tokens) -> Statement:
    tokens.expect("SET")
    if tokens.word not in _SETTINGS:
        raise UnsupportedSql(
            f"SET {tokens.raw} isn't supported: only {', '.join(sorted(_SETTINGS)).lower()} are"
        )
    name = tokens.next_word()
    if not tokens.take("TO") and not tokens.take("="):
        raise tokens.error()
    # There are no queues of a workload manager; the name is accepted and ignored.
    return Statement("SET", "" if name == "QUERY_GROUP" else tokens.body)


_VERBS: dict[str, Callable[[Tokens], Statement]] = {
    "COPY": _copy,
    "LOCK": _lock,
    "SET": _set,
    "VACUUM": _maintenance,
    "ANALYZE": _maintenance,
    "ANALYSE": _maintenance,
}
# Every kind of statement that is known, by its first word.
STATEMENTS = frozenset({"SELECT", "GRANT", "REVOKE", *_CHANGE_VERBS, *_DEFINITION_VERBS, *_VERBS})
