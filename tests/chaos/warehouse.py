"""The Data API over a PostgreSQL: tokens, statements that run when the schedule says so, and ways to lose them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from chaos.baton import door
from chaos.engine import read_rows
from chaos.redshift import Answer, ConnectionLost, Redshift, StatementFailed
from fakes import FakeObjects
from gluebook.core.statements import Rows, Statement
from gluebook.errors import TerminalError, WarehouseBusy

OK, CONFLICT, BEFORE, AFTER, FORGET = "ok", "conflict", "before", "after", "forget"
_CONFLICT_TEXT = "ERROR: 1023 Detail: Serializable isolation violation on table - transactions form a cycle"
_LOST_TEXT = "ERROR: the connection to the database was lost"
_DENIED_TEXT = "ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 1,CanRetry 1"
# Environment errors, which blame no data.
INNOCENT_TEXTS = (_CONFLICT_TEXT, _LOST_TEXT, _DENIED_TEXT)


@dataclass
class Submitted:
    """A submitted statement."""

    statement_id: str
    sqls: list[str]
    name: str
    status: str = "STARTED"
    error: str = ""
    answer: Answer = field(default_factory=Answer)


class ChaosWarehouse:
    """All of `gluebook.aws.services.Warehouse`, and `play`, which runs a statement with a chosen outcome."""

    def __init__(self, redshift: Redshift, objects: FakeObjects, on_end: Callable[[Submitted], None]) -> None:
        self._redshift = redshift
        self._objects = objects
        self._on_end = on_end
        self._known: dict[str, Submitted] = {}
        self._tokens: dict[str, str] = {}
        self._waiting: list[Submitted] = []
        self._asked: dict[str, list[Answer]] = {}
        self._count = 0
        # While true, COPY may read nothing.
        self.denied = False
        self.denials = 0

    # -- as the product sees it ------------------------------------------------------------------------

    def submit(self, sqls: list[str], *, name: str, token: str) -> str:
        try:
            return door("BatchExecuteStatement", True, lambda: self._taken(sqls, name, token))
        except ClientError as error:
            raise WarehouseBusy(f"the Data API refused statement {name}") from error

    def submit_query(self, sql: str, *, name: str) -> str:
        def asked() -> str:
            self._count += 1
            submitted = Submitted(f"statement-{self._count}", [sql], name, "FINISHED")
            submitted.answer = self._at_once([sql], name)
            self._known[submitted.statement_id] = submitted
            return submitted.statement_id

        try:
            return door("ExecuteStatement", True, asked)
        except ClientError as error:
            raise WarehouseBusy(f"the Data API refused statement {name}") from error

    def statement(self, statement_id: str) -> Statement | None:
        def described() -> Statement | None:
            found = self._known.get(statement_id)
            if found is None:
                return None
            last = f"{statement_id}:{len(found.sqls)}" if len(found.sqls) > 1 else statement_id
            return Statement(statement_id, found.status, found.error, result_id=last)

        return door("DescribeStatement", False, described)

    def result(self, statement_id: str) -> Rows:
        def fetched() -> Rows:
            name, _, number = statement_id.partition(":")
            if name in self._asked:
                return _rows(self._asked[name][int(number) - 1])
            found = self._known[name]
            # Only a batch has numbered sub-statements.
            assert found.status == "FINISHED" and int(number or 1) == len(found.sqls)
            return _rows(found.answer)

        return door("GetStatementResult", False, fetched)

    def run(self, sqls: list[str], *, name: str, timeout_seconds: float) -> str:
        """At once. Of queries, each by itself, `result` gives the rows; what they find is only ever added to."""
        if all(sql.startswith("select ") for sql in sqls):
            self._asked[name] = door("BatchExecuteStatement", False, lambda: self._each(sqls, name))
        else:
            door("BatchExecuteStatement", True, lambda: self._at_once(sqls, name))
        return name

    def query(self, sql: str, *, timeout_seconds: float = 600) -> Rows:
        return _rows(door("ExecuteStatement", True, lambda: self._at_once([sql], "query")))

    # -- what happens ----------------------------------------------------------------------------------

    @property
    def waiting(self) -> list[Submitted]:
        """Statements that have not run yet, in the order of submission; including expired ones."""
        return self._waiting

    def play(self, submitted: Submitted, how: str) -> None:
        """Run a waiting statement as one transaction with this outcome; or expire it and its token first."""
        if how == FORGET:
            self.forget(submitted.statement_id)
            return
        self._waiting.remove(submitted)
        try:
            lose = how if how in (BEFORE, AFTER) else None
            fail = _CONFLICT_TEXT if how == CONFLICT else None
            self._check_access(submitted)
            submitted.answer = self._redshift.transaction(submitted.sqls, self._copied, lose, fail=fail)
            submitted.status = "FINISHED"
        except StatementFailed as failed:
            submitted.status, submitted.error = "FAILED", str(failed)
        except ConnectionLost:
            submitted.status, submitted.error = "FAILED", _LOST_TEXT
        self._on_end(submitted)

    def _check_access(self, submitted: Submitted) -> None:
        if self.denied and any(sql.startswith("copy ") for sql in submitted.sqls):
            self.denials += 1
            raise StatementFailed(_DENIED_TEXT)

    def forget(self, statement_id: str) -> None:
        """After a while the Data API knows neither a statement nor its token; it may run all the same."""
        self._known.pop(statement_id, None)
        self._tokens = {token: known for token, known in self._tokens.items() if known != statement_id}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query, for comparisons."""
        return list(self._redshift.transaction([sql], self._copied).rows)

    def _taken(self, sqls: list[str], name: str, token: str) -> str:
        if token not in self._tokens:
            self._count += 1
            submitted = Submitted(f"statement-{self._count}", sqls, name)
            self._tokens[token] = submitted.statement_id
            self._known[submitted.statement_id] = submitted
            self._waiting.append(submitted)
        return self._tokens[token]

    def _at_once(self, sqls: list[str], name: str) -> Answer:
        try:
            return self._redshift.transaction(sqls, self._copied)
        except StatementFailed as failed:
            raise TerminalError(f"{name}: {failed}") from failed

    def _each(self, sqls: list[str], name: str) -> list[Answer]:
        return [self._at_once([sql], name) for sql in sqls]

    def _copied(self, uri: str) -> list[list[Any]]:
        """The rows of the files in a manifest; all must exist with their sizes."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        manifest = self._objects.get_json(bucket, key)
        if manifest is None:
            raise StatementFailed(f"ERROR: Problem reading manifest file - NoSuchKey {key}")
        rows = []
        for entry in json.loads(json.dumps(manifest))["entries"]:
            body = self._objects.body(bucket, entry["url"].removeprefix(f"s3://{bucket}/"))
            if body is None or len(body) != entry["meta"]["content_length"]:
                raise StatementFailed(
                    f"ERROR: S3ServiceException: {entry['url']} isn't what the manifest says"
                )
            rows += read_rows(body)
        return rows


def _rows(answer: Answer) -> Rows:
    return Rows(answer.columns, list(answer.rows))
