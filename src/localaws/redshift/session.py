"""One transaction on PostgreSQL: the statements of one call of the Data API, run in order."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg import sql as pgsql

from localaws.redshift.errors import RedshiftError, StatementCancelled
from localaws.redshift.load import Loader
from localaws.redshift.postgres.connecting import connect
from localaws.redshift.results import Result, fetch
from localaws.redshift.sql.rewrite import Statement
from localaws.redshift.users import Principal

# AWS docs: "Considerations when calling the Amazon Redshift Data API": a query may run for 24 hours.
MAX_DURATION_SECONDS = 24 * 60 * 60
_CANCEL_TIMEOUT_SECONDS = 10
_SETTINGS = {
    "statement_timeout": f"{MAX_DURATION_SECONDS}s",
    "timezone": "UTC",
    "datestyle": "ISO,MDY",
    "intervalstyle": "postgres",
    "standard_conforming_strings": "on",
    "client_encoding": "UTF8",
    # Results are read to their end, so plan for that.
    "cursor_tuple_fraction": "1",
    # Sorts, hashes and temporary tables of a load of some 100,000 rows stay in memory.
    "work_mem": "64MB",
    "temp_buffers": "64MB",
    # What is read at random is in memory: without it, a look into an index counts as four pages.
    "random_page_cost": "1",
    # A sample of 3,000 rows tells a large table from a small one, which is what plans depend on.
    "default_statistics_target": "10",
}


@dataclass(frozen=True)
class Outcome:
    """The outcome of a statement: rows returned or affected (-1: neither), and the result of a query."""

    rows: int
    result: Result | None = None


class Cancellation:
    """Lets one thread cancel what another runs. After the commit has begun, it is too late."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self._cancelled = False
        self._committing = False

    def cancel(self) -> bool:
        """False if it is too late.

        A query that begins at this very moment may be missed; it then ends at the next check, or at another call.
        """
        with self._lock:
            if self._committing:
                return False
            self._cancelled = True
            connection = self._connection
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.cancel_safe(timeout=_CANCEL_TIMEOUT_SECONDS)
        return True

    def attach(self, connection: psycopg.Connection[Any] | None) -> None:
        with self._lock:
            self._connection = connection

    @property
    def cancelled(self) -> bool:
        with self._lock:
            return self._cancelled

    def check(self) -> None:
        """Raises StatementCancelled if it was cancelled."""
        if self.cancelled:
            raise StatementCancelled("Query canceled on user's request")

    def begin_commit(self) -> None:
        """After this, it can't be cancelled. Raises StatementCancelled if it was."""
        with self._lock:
            if self._cancelled:
                raise StatementCancelled("Query canceled on user's request")
            self._committing = True


class Session:
    """A connection in one transaction, REPEATABLE READ, which is nearest to Redshift's SNAPSHOT isolation.

    Leaving the block without `commit` rolls back. Raises psycopg.Error, RedshiftError, StatementCancelled.
    """

    def __init__(self, conninfo: str, role: str, loader: Loader, cancellation: Cancellation) -> None:
        """`role`: the PostgreSQL role of the database user that the statements run as."""
        self._conninfo = conninfo
        self._role = role
        self._loader = loader
        self._cancellation = cancellation

    def __enter__(self) -> Session:
        options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        self._connection = connect(
            self._conninfo,
            self._cancellation.check,
            options=options,
            keepalives_idle=30,
            application_name="localaws-redshift",
        )
        # Outside the transaction, whose snapshot is taken by its own first statement.
        self._connection.autocommit = True
        self._connection.execute(
            pgsql.SQL("set session authorization {}").format(pgsql.Identifier(self._role))
        )
        self._connection.autocommit = False
        self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
        # Every statement runs once: nothing is gained by preparing it.
        self._connection.prepare_threshold = None
        self._cancellation.attach(self._connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cancellation.attach(None)
        # Closing without a commit rolls back; a temporary table is dropped with the connection.
        self._connection.close()

    @property
    def backend_pid(self) -> int:
        return self._connection.info.backend_pid

    def run(self, statement: Statement) -> Outcome:
        """Runs one statement within the transaction."""
        self._cancellation.check()
        for table in statement.tables:
            self._require_table(table)
        for principal in statement.principals:
            self._require_principal(principal)
        if statement.copy is not None:
            rows = self._loader.run(self._connection, statement.copy, self._cancellation.check)
            self._analyze(statement.copy.table)
            return Outcome(rows)
        if statement.returns_rows:
            result = fetch(self._connection, statement.postgres)
            return Outcome(result.rows, result)
        if not statement.postgres:
            return Outcome(-1)
        cursor = self._connection.execute(statement.postgres.encode())
        if changed := statement.new_columns_of:
            self._connection.execute("call redshift.limit_bytes(%s::regclass)", (changed,))
            if key := statement.distributed_by:
                self._connection.execute("call redshift.distribute(%s::regclass, %s)", (changed, key))
            self._analyze(changed)
        return Outcome(cursor.rowcount if statement.verb in _COUNTED else -1)

    def commit(self) -> None:
        self._cancellation.begin_commit()
        self._connection.commit()

    def _analyze(self, table: str) -> None:
        """Without it PostgreSQL takes every temporary table for a small one, and joins two large ones row by row.

        AWS docs: "Analyzing tables": Redshift analyzes after CREATE TABLE AS, and after COPY into an empty table.
        """
        self._connection.execute(f"analyze {table}".encode())

    def _require_table(self, name: str) -> None:
        """MERGE takes tables only; a name that doesn't exist is left to MERGE itself."""
        row = self._connection.execute(
            "select relkind::text from pg_class where oid = to_regclass(%s)", (name,)
        ).fetchone()
        if row is not None and row[0] not in ("r", "p"):
            raise RedshiftError(f"MERGE takes tables only: {name} is not a table")

    def _require_principal(self, principal: Principal) -> None:
        known = self._connection.execute(
            "select redshift.is_known(%s, %s)", (principal.kind, principal.name)
        ).fetchone()
        if known != (True,):
            raise RedshiftError(f'{principal.kind} "{principal.name}" does not exist')


_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
