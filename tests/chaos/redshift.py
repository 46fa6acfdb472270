"""The product's SQL on PostgreSQL, rewritten like in the laptop's Redshift; only COPY reads another source.

To save time, each SQL text is rewritten once, and the temporary tables of a load are emptied for the next one instead
of being created again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import sql as pgsql

from gluebook.contracts import CONTRACTS
from gluebook.core.sql.load import FILES, LOADS, extra_references_table
from gluebook.core.sql.quality import quality_ddl
from gluebook.core.sql.schema import schema_sql
from localaws.redshift import Postgres
from localaws.redshift.postgres.databases import Databases
from localaws.redshift.postgres.messages import translate
from localaws.redshift.sql.copy import Copy
from localaws.redshift.sql.rewrite import Statement, rewrite

CopySource = Callable[[str], list[list[Any]]]
_TEMPORARY = re.compile(r"create\s+temp(?:orary)?\s+table\s+(\w+)\s+(as\s+)?(.*)", re.I | re.S)
_STRINGS = re.compile(r"'(?:[^']|'')*'")
_PLACES = re.compile(r"'~(\d+)~'")
_LITERALS = re.compile(r"'(?:[^']|'')*'|\d+")
_LOADS_UNTIL_TIDY = 400


class StatementFailed(Exception):
    """The transaction was rolled back; the text is the Data API's error."""


class ConnectionLost(Exception):
    """The outcome of the transaction is unknown."""


@dataclass(frozen=True)
class Answer:
    """The result of the last statement."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()


@lru_cache(maxsize=20_000)
def _template(text: str) -> Statement:
    return rewrite(text, in_batch=True)


def _rewritten(text: str) -> Statement:
    """Texts that differ in their strings alone, as those of two batches do, are rewritten once."""
    if "\\" in text or text.startswith("copy"):
        return rewrite(text, in_batch=True)
    strings = _STRINGS.findall(text)
    numbers = iter(range(len(strings)))
    found = _template(_STRINGS.sub(lambda _: f"'~{next(numbers)}~'", text))
    return replace(found, postgres=_PLACES.sub(lambda place: strings[int(place[1])], found.postgres))


class Redshift:
    """One connection; `transaction` runs a list of statements, all or nothing."""

    def __init__(self, uri: str) -> None:
        self._connection = psycopg.connect(uri)
        self._connection.prepare_threshold = None
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._connection.execute("set timezone to 'UTC'; set synchronous_commit to off; set jit to off")
        self._connection.commit()
        self._made: dict[str, str] = {}
        self._transactions = 0
        self._tables = self._make_schema()

    def _make_schema(self) -> list[str]:
        contracts = tuple(CONTRACTS.values())
        self.transaction(schema_sql(contracts), lambda uri: [])
        return [
            LOADS,
            FILES,
            *quality_ddl(),
            *CONTRACTS,
            *(extra_references_table(c) for c in contracts if c.append),
        ]

    def transaction(
        self, sqls: list[str], source: CopySource, lose: str | None = None, *, fail: str | None = None
    ) -> Answer:
        """Run `sqls` in one transaction; returns the result of the last one.

        `lose` the connection "before" or "after" the commit, or `fail` at the end with an error.
        Raises StatementFailed, ConnectionLost.
        """
        made: dict[str, str] = {}
        try:
            answer = self._run(sqls, source, made)
            if fail is not None:
                raise StatementFailed(fail)
            if lose == "before":
                raise ConnectionLost("before the commit")
            self._connection.commit()
        except (psycopg.Error, StatementFailed, ConnectionLost) as error:
            self._connection.rollback()
            if isinstance(error, psycopg.Error):
                raise StatementFailed(f"Query failed with ERROR: {translate(error)}") from error
            raise
        self._made |= made
        if lose == "after":
            raise ConnectionLost("after the commit")
        return answer

    def empty(self) -> None:
        """Delete all rows, and from time to time vacuum."""
        self._connection.execute("; ".join(f"delete from {table}" for table in self._tables).encode())
        self._connection.commit()
        if self._transactions > _LOADS_UNTIL_TIDY:
            self._transactions, self._made = 0, {}
            self._connection.autocommit = True
            for statement in ("discard temp", "vacuum", "vacuum pg_catalog.pg_class"):
                self._connection.execute(statement.encode())
            self._connection.autocommit = False

    def close(self) -> None:
        self._connection.close()

    # -- one transaction -------------------------------------------------------------------------------

    def _run(self, sqls: list[str], source: CopySource, made: dict[str, str]) -> Answer:
        self._transactions += 1
        answer = Answer()
        waiting: list[str] = []
        for statement in map(_rewritten, sqls):
            if statement.copy is not None:
                self._send(waiting)
                self._copy(statement.copy, source(statement.copy.source))
            else:
                waiting += self._to_run(statement, made)
        if waiting:
            answer = self._send(waiting)
        return answer

    def _to_run(self, statement: Statement, made: dict[str, str]) -> list[str]:
        match = _TEMPORARY.match(statement.postgres.strip())
        if match is None:
            limited = f"call redshift.limit_bytes('{statement.new_columns_of}'::regclass)"
            return (
                [statement.postgres, *([limited] if statement.new_columns_of else [])]
                if (statement.postgres)
                else []
            )
        name, query, rest = match.groups()
        shape = _LITERALS.sub("", rest)
        if self._made.get(name) == shape:
            return [f"delete from {name}", *([f"insert into {name} {rest}"] if query else [])]
        made[name] = shape
        limited = f"call redshift.limit_bytes('{name}'::regclass)"
        return [f"drop table if exists pg_temp.{name}", statement.postgres, limited]

    def _send(self, statements: list[str]) -> Answer:
        """Send all of them in one round trip; returns the result of the last one."""
        if not statements:
            return Answer()
        cursor = self._connection.execute(";\n".join(statements).encode())
        statements.clear()
        while cursor.nextset():
            pass
        if cursor.description is None:
            return Answer()
        return Answer(tuple(column.name for column in cursor.description), tuple(cursor.fetchall()))

    def _copy(self, copy: Copy, rows: list[list[Any]]) -> None:
        # COPY matches by position.
        statement = pgsql.SQL("copy {} from stdin").format(pgsql.SQL(copy.table))
        with self._connection.cursor() as cursor, cursor.copy(statement) as target:
            for row in rows:
                target.write_row(row)


@contextmanager
def open_redshift() -> Iterator[Redshift]:
    """A separate PostgreSQL with the pipeline's tables."""
    with Postgres.start() as postgres:
        redshift = Redshift(Databases(postgres.uri).conninfo("chaos", "chaos"))
        try:
            yield redshift
        finally:
            redshift.close()
