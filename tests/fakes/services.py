"""Jobs, the Data API, the catalog and a queue in memory, with the behaviour of the real adapters."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from gluebook.contracts import CONTRACTS
from gluebook.core.sql.load import confirm_sql, drift_sql
from gluebook.core.statements import Rows, Statement
from gluebook.errors import TerminalError, WarehouseBusy


class FakeJobs:
    """Glue jobs of which one run at a time is allowed; `on_start` may raise instead."""

    def __init__(self, on_start: Callable[[str], None] = lambda job: None) -> None:
        self.running: dict[str, str] = {}
        self.started: list[str] = []
        self._on_start = on_start

    def start(self, job: str) -> str | None:
        self._on_start(job)
        if job in self.running:
            return None
        self.started.append(job)
        self.running[job] = f"jr_{len(self.started)}"
        return self.running[job]

    def end(self, job: str) -> str:
        """The run of `job` is over; its id."""
        return self.running.pop(job)


@dataclass
class _Submitted:
    sqls: list[str]
    name: str
    status: str = "STARTED"
    error: str = ""
    rows: list[tuple[Any, ...]] = field(default_factory=list)


class FakeWarehouse:
    """The Data API: a token gives the same statement again, statements end when a test says so, questions at once.

    loads    what `etl_loads` holds: (merged, superseded[, retracted]) by batch id, or by (batch id, generation)
    drifts   by dataset: rows now, rows noted, loads, doubled loads, doubled keys
    answers  the rows of any other question, by its exact SQL
    refusal  what every question fails with
    users    database users and roles that exist; `refusals`: what the next runs fail with
    """

    def __init__(self) -> None:
        self.statements: dict[str, _Submitted] = {}
        self.ran: list[tuple[str, list[str]]] = []
        self.loads: dict[str | tuple[str, int], tuple[int, ...]] = {}
        self.drifts: dict[str, tuple[int, int | None, int, int, int]] = {}
        self.answers: dict[str, Rows] = {}
        self.users: set[str] = set()
        self.refusals: list[str] = []
        self.busy = False
        self.refusal = ""
        self._asked: dict[str, Rows] = {}
        self._tokens: dict[str, str] = {}

    def submit(self, sqls: list[str], *, name: str, token: str) -> str:
        if self.busy:
            raise WarehouseBusy(f"the Data API refused statement {name}: ThrottlingException")
        if token not in self._tokens:
            self._tokens[token] = f"statement-{len(self.statements) + 1}"
            self.statements[self._tokens[token]] = _Submitted(sqls, name)
        return self._tokens[token]

    def submit_query(self, sql: str, *, name: str) -> str:
        if self.busy:
            raise WarehouseBusy(f"the Data API refused statement {name}: ThrottlingException")
        number = f"question-{len(self._asked) + 1}"
        self._asked[number] = self._answer(sql, name)
        return number

    def statement(self, statement_id: str) -> Statement | None:
        if statement_id in self._asked:
            status = "FAILED" if self.refusal else "FINISHED"
            return Statement(statement_id, status, self.refusal, result_id=statement_id)
        found = self.statements.get(statement_id)
        if found is None:
            return None
        last = f"{statement_id}:{len(found.sqls)}"
        return Statement(statement_id, found.status, found.error, result_id=last)

    def result(self, statement_id: str) -> Rows:
        if statement_id in self._asked:
            return self._asked[statement_id]
        statement, _, number = statement_id.partition(":")
        if statement.startswith("run-"):
            return Rows(("name",), [(name,) for name in sorted(self.users)])
        found = self.statements[statement]
        assert found.status == "FINISHED" and int(number) == len(found.sqls), (
            "only the last one has this result"
        )
        return Rows(("rows_merged", "rows_superseded", "rows_retracted"), found.rows)

    def run(self, sqls: list[str], *, name: str, timeout_seconds: float) -> str:
        if self.busy:
            raise WarehouseBusy(f"{name} has not finished within {timeout_seconds:.0f} s")
        self.ran.append((name, sqls))
        if name == "gluebook-schema" and self.refusals:
            raise TerminalError(f"{name}: {self.refusals.pop(0)}")
        return f"run-{len(self.ran)}"

    def query(self, sql: str, *, timeout_seconds: float = 600) -> Rows:
        if self.busy:
            raise WarehouseBusy(f"gluebook-query has not finished within {timeout_seconds:.0f} s")
        return self._answer(sql, "gluebook-query")

    def _answer(self, sql: str, name: str) -> Rows:
        self.ran.append((name, [sql]))
        if sql in self.answers:
            return self.answers[sql]
        for contract in CONTRACTS.values():
            if sql == drift_sql(contract):
                names = ("table_rows", "noted_rows", "loads", "doubled_loads", "doubled_keys")
                return Rows(names, [self.drifts.get(contract.name, (0, None, 0, 0, 0))])
        asked = set(re.findall(r"'([^']*)'", sql))
        assert sql == confirm_sql(sorted(asked)), f"the stand-in can't answer {sql!r}"
        rows = [
            (batch_id, generation, *counts, *[0] * (3 - len(counts)))
            for (batch_id, generation), counts in self._noted()
            if batch_id in asked
        ]
        return Rows(("batch_id", "generation", "rows_merged", "rows_superseded", "rows_retracted"), rows)

    def _noted(self) -> list[tuple[tuple[str, int], tuple[int, ...]]]:
        return [
            (load if isinstance(load, tuple) else (load, 1), counts) for load, counts in self.loads.items()
        ]

    # -- what tests make happen ------------------------------------------------------------------------

    @property
    def latest(self) -> str:
        """The statement that was submitted last."""
        return list(self.statements)[-1]

    def finish(self, statement_id: str, merged: int, superseded: int, retracted: int = 0) -> None:
        self.statements[statement_id].status = "FINISHED"
        self.statements[statement_id].rows = [(merged, superseded, retracted)]

    def fail(self, statement_id: str, error: str, status: str = "FAILED") -> None:
        self.statements[statement_id].status = status
        self.statements[statement_id].error = error

    def questions(self, name: str) -> int:
        """How many statements of this name have asked something."""
        return sum(ran == name for ran, _ in self.ran)

    def forget_questions(self) -> None:
        """After 24 hours the Data API knows none of them."""
        self._asked = {f"forgotten-{number}": rows for number, rows in self._asked.items()}

    def forget(self, statement_id: str) -> None:
        """After 24 hours the Data API knows neither the statement nor its token."""
        self.statements[f"forgotten-{statement_id}"] = self.statements.pop(statement_id)
        self._tokens = {token: found for token, found in self._tokens.items() if found != statement_id}


class FakeCatalog:
    """The catalog and its crawlers: what is known changes only when a crawl ends."""

    def __init__(self) -> None:
        self.known: dict[str, set[str]] = {}
        self.known_columns: dict[str, tuple[str, ...]] = {}
        self.crawling: set[str] = set()
        self.crawls: list[str] = []
        self.refuses = False

    def partitions(self, table: str) -> set[str] | None:
        if self.refuses:
            raise ClientError(
                {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "GetPartitions"
            )
        return self.known.get(table)

    def columns(self, table: str) -> tuple[str, ...]:
        return self.known_columns.get(table, ())

    def start_crawler(self, crawler: str) -> bool:
        if crawler in self.crawling:
            return False
        self.crawling.add(crawler)
        self.crawls.append(crawler)
        return True


class FakeQueue:
    """A queue that keeps what was sent: (body, seconds until it can be received)."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []

    def send_later(self, body: str, seconds: int) -> None:
        self.sent.append((body, seconds))
