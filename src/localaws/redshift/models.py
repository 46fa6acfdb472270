"""The statements of the Data API: their states and results, and when they expire."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from localaws.errors import ApiError
from localaws.redshift.results import Result
from localaws.redshift.session import Cancellation, Outcome

# AWS docs: "Considerations when calling the Amazon Redshift Data API".
RETENTION_SECONDS = 24 * 60 * 60
TOKEN_RETENTION_SECONDS = 8 * 60 * 60
MAX_ACTIVE = 500

SUBMITTED, STARTED, FINISHED, FAILED, ABORTED = "SUBMITTED", "STARTED", "FINISHED", "FAILED", "ABORTED"
ACTIVE = frozenset({SUBMITTED, STARTED})
_query_ids = itertools.count(100)


class Caller(Protocol):
    """Who called: `role` is None for the deployer; `user_id` is aws:userid."""

    @property
    def role(self) -> str | None: ...
    @property
    def user_id(self) -> str: ...
    @property
    def arn(self) -> str: ...


@dataclass(frozen=True)
class Request:
    """One call's request. Two requests with one ClientToken must be equal."""

    operation: str
    workgroup: str
    database: str
    sqls: tuple[str, ...]
    name: str
    with_event: bool
    parameters: tuple[tuple[str, str], ...] = ()
    secret: str | None = None

    @property
    def is_batch(self) -> bool:
        return self.operation == "BatchExecuteStatement"


@dataclass
class _Execution:
    """A call or a part of it, with its state. Times are seconds since 1970."""

    id: str
    created: float
    updated: float
    status: str = field(default=SUBMITTED, kw_only=True)
    started: float | None = field(default=None, kw_only=True)
    error: str | None = field(default=None, kw_only=True)

    def describe_state(self, results: list[Result], rows: int, query_id: int) -> dict[str, Any]:
        """What the API shows of both; Duration in nanoseconds."""
        answer = {
            "Id": self.id,
            "Status": self.status,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "HasResultSet": bool(results),
            "ResultRows": rows,
            "ResultSize": sum(result.size_bytes for result in results) if results else -1,
            "RedshiftQueryId": query_id,
            "Duration": -1 if self.started is None else int((self.updated - self.started) * 1e9),
        }
        return answer | ({"Error": self.error} if self.error else {})


@dataclass
class Part(_Execution):
    """One SQL text of a call."""

    sql: str
    rows: int = -1
    result: Result | None = None
    query_id: int = -1

    def start(self, now: float) -> None:
        self.status, self.started, self.updated, self.query_id = STARTED, now, now, next(_query_ids)

    def finish(self, outcome: Outcome, now: float) -> None:
        self.status, self.updated, self.rows, self.result = FINISHED, now, outcome.rows, outcome.result

    def end(self, status: str, now: float, error: str | None = None) -> None:
        self.status, self.updated, self.error = status, now, error

    def describe(self) -> dict[str, Any]:
        """As a SubStatementData."""
        results = [self.result] if self.result else []
        return self.describe_state(results, self.rows, self.query_id) | {"QueryString": self.sql}


@dataclass
class Record(_Execution):
    """One call: its parts, and the state of the whole."""

    request: Request
    owner: str
    role: str | None
    principal: str
    parts: list[Part]
    pid: int = 0
    cancellation: Cancellation = field(default_factory=Cancellation)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def rows(self) -> int:
        """Of a single statement; for a batch the API names none (-1)."""
        return -1 if self.request.is_batch else self.parts[0].rows

    @property
    def query_id(self) -> int:
        return -1 if self.request.is_batch else self.parts[0].query_id

    @property
    def expires(self) -> float:
        return self.created + RETENTION_SECONDS

    def describe(self) -> dict[str, Any]:
        """DescribeStatement's answer."""
        results = [part.result for part in self.parts if part.result]
        answer = self.describe_state(results, self.rows, self.query_id) | {
            "Database": self.request.database,
            "WorkgroupName": self.request.workgroup,
            "RedshiftPid": self.pid,
            "ResultFormat": "JSON",
        }
        if self.request.is_batch:
            answer["SubStatements"] = [part.describe() for part in self.parts]
        else:
            answer["QueryString"] = self.parts[0].sql
        if self.request.parameters:
            answer["QueryParameters"] = [{"name": n, "value": v} for n, v in self.request.parameters]
        return answer

    def close(self) -> None:
        for part in self.parts:
            if part.result is not None:
                part.result.close()


class Statements:
    """All statements that haven't expired. Every change happens under `lock`."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self._records: dict[str, Record] = {}
        self._tokens: dict[str, tuple[str, Request, float]] = {}
        # Of statements that have expired, when they did: seconds since 1970.
        self._expired: dict[str, float] = {}

    def admit(self, request: Request, caller: Caller, token: str | None) -> tuple[Record, bool]:
        """The statement for a request, and whether it is new.

        A ClientToken seen within 8 hours gives that statement, whatever its state.
        Raises ApiError: ValidationException for a token with another request, ActiveStatementsExceededException.
        """
        with self.lock:
            self._forget()
            if token is not None and token in self._tokens:
                known, earlier, _ = self._tokens[token]
                if earlier != request:
                    raise ApiError(
                        "ValidationException", f"ClientToken {token} was used with other parameters"
                    )
                return self._records[known], False
            if sum(record.status in ACTIVE for record in self._records.values()) >= MAX_ACTIVE:
                raise ApiError(
                    "ActiveStatementsExceededException",
                    f"Active statements exceeded the allowed quota ({MAX_ACTIVE}).",
                )
            record = self._new(request, caller)
            self._records[record.id] = record
            if token is not None:
                self._tokens[token] = (record.id, request, record.created)
            return record, True

    def _new(self, request: Request, caller: Caller) -> Record:
        now, identifier = self.clock(), str(uuid.uuid4())
        parts = [
            Part(f"{identifier}:{number}" if request.is_batch else identifier, now, now, sql)
            for number, sql in enumerate(request.sqls, start=1)
        ]
        return Record(identifier, now, now, request, caller.user_id, caller.role, caller.arn, parts)

    def _forget(self) -> None:
        now = self.clock()
        for token, (_, _, created) in list(self._tokens.items()):
            if now - created >= TOKEN_RETENTION_SECONDS:
                del self._tokens[token]
        for identifier, record in list(self._records.items()):
            if now >= record.expires and record.status not in ACTIVE:
                del self._records[identifier]
                self._expired[identifier] = record.expires
                record.close()

    def get(self, identifier: str, caller: Caller) -> Record:
        """A statement of the caller's, by its id or a sub-statement's.

        Raises ApiError: ResourceNotFoundException, AccessDeniedException if another caller ran it, or
        ValidationException if it has expired (terraform-provider-aws, FindStatementByID; pulumi-aws 2055).
        """
        with self.lock:
            self._forget()
            whole = identifier.partition(":")[0]
            if whole in self._expired:
                raise ApiError(
                    "ValidationException",
                    "Could not retrieve the query result as it has expired after "
                    f"{int(self._expired[whole])}.",
                )
            record = self._records.get(whole)
            if record is None or (":" in identifier and identifier not in {part.id for part in record.parts}):
                raise ApiError("ResourceNotFoundException", f"Query {identifier} does not exist.")
            if caller.role is not None and caller.user_id != record.owner:
                raise ApiError(
                    "AccessDeniedException",
                    f"User: {caller.arn} is not authorized to access statement {identifier}: it isn't its owner",
                )
            return record

    def newest_first(self) -> Iterator[Record]:
        with self.lock:
            self._forget()
            return reversed(list(self._records.values()))

    def all(self) -> list[Record]:
        with self.lock:
            return list(self._records.values())
