"""The Redshift Data API: answers calls of "redshift-data".

AWS docs: "Amazon Redshift Data API Reference" and "Considerations when calling the Amazon Redshift Data API".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from localaws.endpoint import Credentials, Endpoint
from localaws.errors import ApiError
from localaws.redshift.models import ACTIVE, Caller, Record, Statements
from localaws.redshift.requests import read_identifier, read_request, require_known
from localaws.redshift.runner import Runner

_WORKERS = 16
_LIST_PAGE = 100
_CANCEL_AGAIN_SECONDS = 0.2
_TERMINAL_MESSAGE = "Could not cancel a query that is already in {} state with ID: {}"


class DataApi:
    """Answers the Data API's operations; statements run in threads, on PostgreSQL.

    `postgres_uri`: where databases can be made; `workgroup_databases`: the deployed workgroups and their databases;
    `on_event`: gets an EventBridge event for every call WithEvent, from the thread that ran it, after it has
    ended and can be described; `assume`: credentials of a role as redshift.amazonaws.com gets them, for COPY (called
    with "default" if the COPY says so); `admin`: the user name, a superuser's, that goes with a workgroup's secret,
    given by its ARN (raises RedshiftError for another secret); `clock`: seconds since 1970.
    """

    def __init__(
        self,
        postgres_uri: str,
        endpoint: Endpoint,
        workgroup_databases: Callable[[], dict[str, str]],
        on_event: Callable[[dict[str, Any]], None],
        assume: Callable[[str], Credentials],
        admin: Callable[[str, str], str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._statements = Statements(clock)
        self._workgroup_databases = workgroup_databases
        self._runner = Runner(
            postgres_uri, endpoint, self._statements, workgroup_databases, on_event, assume, admin
        )
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="redshift-data")
        self._operations: dict[str, Callable[[dict[str, Any], Caller], dict[str, Any]]] = {
            "ExecuteStatement": lambda body, caller: self._execute("ExecuteStatement", body, caller),
            "BatchExecuteStatement": lambda body, caller: self._execute(
                "BatchExecuteStatement", body, caller
            ),
            "DescribeStatement": self._describe,
            "GetStatementResult": self._result,
            "ListStatements": self._list,
            "CancelStatement": self._cancel,
        }

    def __call__(self, operation: str, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Answers `operation` with the JSON body as a dict; times are seconds since 1970. Raises ApiError."""
        answer = self._operations.get(operation)
        if answer is None:
            raise ApiError("UnknownOperationException", f"redshift-data:{operation} isn't supported here")
        require_known(operation, body)
        return answer(body, caller)

    def database_uri(self, workgroup: str) -> str:
        """The PostgreSQL connection string of a deployed workgroup's database, for looking into it."""
        return self._runner.database_uri(workgroup, self._workgroup_databases()[workgroup])

    def owner(self, statement_id: str) -> str | None:
        """The aws:userid that submitted a statement (or the batch of a sub-statement); None if it isn't known."""
        wanted = statement_id.split(":")[0]
        return next((record.owner for record in self._statements.all() if record.id == wanted), None)

    def idle(self) -> bool:
        """Whether no statement is waiting or running, and every event has been sent."""
        return all(record.status not in ACTIVE for record in self._statements.all())

    def close(self) -> None:
        """Cancels what runs and waits for its threads. Their events still go out."""
        while active := [record for record in self._statements.all() if record.status in ACTIVE]:
            for record in active:
                record.cancellation.cancel()
            active[0].done.wait(_CANCEL_AGAIN_SECONDS)
        self._pool.shutdown(wait=True)
        for record in self._statements.all():
            record.close()

    def _execute(self, operation: str, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
        request = read_request(operation, body, self._workgroup_databases())
        record, is_new = self._statements.admit(request, caller, body.get("ClientToken"))
        if is_new:
            self._pool.submit(self._runner.run, record)
        return {
            "Id": record.id,
            "CreatedAt": record.created,
            "Database": request.database,
            "WorkgroupName": request.workgroup,
        }

    def _describe(self, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
        identifier = read_identifier(body)
        record = self._statements.get(identifier, caller)
        with self._statements.lock:
            for part in record.parts:
                if part.id == identifier and identifier != record.id:
                    return part.describe() | {
                        "Database": record.request.database,
                        "WorkgroupName": record.request.workgroup,
                    }
            return record.describe()

    def _result(self, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
        identifier = read_identifier(body)
        record = self._statements.get(identifier, caller)
        if record.request.is_batch and identifier == record.id:
            raise ApiError(
                "ValidationException",
                "BatchExecuteStatement result can only be retrieved with sub-statement id.",
            )
        with self._statements.lock:
            result = next(part.result for part in record.parts if part.id == identifier)
            if result is None or record.status in ACTIVE:
                raise ApiError(
                    "ResourceNotFoundException",
                    "Query does not have result. Please check query status with DescribeStatement.",
                )
            return result.page(body.get("NextToken"))

    def _cancel(self, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
        identifier = read_identifier(body)
        record = self._statements.get(identifier, caller)
        if identifier != record.id:
            raise ApiError(
                "ValidationException", "A sub-statement can't be cancelled; cancel the whole batch."
            )
        if record.status not in ACTIVE or not record.cancellation.cancel():
            status = "FINISHED" if record.status in ACTIVE else record.status
            raise ApiError("ValidationException", _TERMINAL_MESSAGE.format(status, identifier))
        return {"Status": True}

    def _list(self, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
        size = body.get("MaxResults") or _LIST_PAGE
        if not 0 < size <= _LIST_PAGE:
            raise ApiError("ValidationException", f"MaxResults must be at most {_LIST_PAGE}")
        listed = [record for record in self._statements.newest_first() if _is_listed(record, body, caller)]
        start = 0
        if token := body.get("NextToken"):
            identifiers = [record.id for record in listed]
            if token not in identifiers:
                raise ApiError("ValidationException", "NextToken is not valid")
            start = identifiers.index(token)
        answer: dict[str, Any] = {"Statements": [_summary(record) for record in listed[start : start + size]]}
        if start + size < len(listed):
            answer["NextToken"] = listed[start + size].id
        return answer


def _is_listed(record: Record, body: dict[str, Any], caller: Caller) -> bool:
    """AWS docs, ListStatements: RoleLevel (the default) lists those of the role, otherwise those of the session."""
    request = record.request
    by_role = body.get("RoleLevel", True)
    mine = caller.role is None or (record.role == caller.role if by_role else record.owner == caller.user_id)
    return (
        mine
        and body.get("Status", "ALL") in ("ALL", record.status)
        and request.name.startswith(body.get("StatementName", ""))
        and body.get("WorkgroupName", request.workgroup) == request.workgroup
        and body.get("Database", request.database) == request.database
    )


def _summary(record: Record) -> dict[str, Any]:
    request = record.request
    text: dict[str, Any] = (
        {"QueryStrings": list(request.sqls)} if request.is_batch else {"QueryString": request.sqls[0]}
    )
    return {
        "Id": record.id,
        "StatementName": request.name,
        "Status": record.status,
        "CreatedAt": record.created,
        "UpdatedAt": record.updated,
        "IsBatchStatement": request.is_batch,
        "ResultFormat": "JSON",
        **text,
    }
