"""The Data API's request bodies, checked as the service checks them before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localaws.errors import ApiError
from localaws.redshift.models import Request

# AWS docs: "Considerations when calling the Amazon Redshift Data API" and the API's shapes.
MAX_STATEMENT_BYTES = 100 * 1000
MAX_BATCH = 40
_MAX_TOKEN = 64
_MAX_NAME = 500
_IDENTIFIER = re.compile(r"[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\d+)?")
_PARAMETER = re.compile(r"[0-9a-zA-Z_]+")

_EXECUTE = {
    "ClientToken",
    "Database",
    "ResultFormat",
    "SecretArn",
    "StatementName",
    "WithEvent",
    "WorkgroupName",
}
# Operation ▸ the members of its request.
MEMBERS = {
    "ExecuteStatement": _EXECUTE | {"Sql", "Parameters"},
    "BatchExecuteStatement": _EXECUTE | {"Sqls"},
    "DescribeStatement": {"Id"},
    "GetStatementResult": {"Id", "NextToken"},
    "ListStatements": {
        "Database",
        "MaxResults",
        "NextToken",
        "RoleLevel",
        "StatementName",
        "Status",
        "WorkgroupName",
    },
    "CancelStatement": {"Id"},
}


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)


def require_known(operation: str, body: Mapping[str, Any]) -> None:
    """Raises ApiError if the body has a member that isn't supported here."""
    if unknown := sorted(body.keys() - MEMBERS[operation]):
        raise _invalid(f"{operation}: {', '.join(unknown)} isn't supported by the laptop's Redshift Data API")


def read_identifier(body: Mapping[str, Any]) -> str:
    """The statement's id. Raises ApiError for a malformed one."""
    identifier = body.get("Id")
    if not isinstance(identifier, str) or not _IDENTIFIER.fullmatch(identifier):
        raise _invalid(f"id must satisfy regex pattern: {_IDENTIFIER.pattern}")
    return identifier


def read_request(operation: str, body: Mapping[str, Any], workgroups: Mapping[str, str]) -> Request:
    """The request in the body of Execute- or BatchExecuteStatement. Raises ApiError (ValidationException)."""
    token = body.get("ClientToken")
    if token is not None and not 1 <= len(token) <= _MAX_TOKEN:
        raise _invalid(f"ClientToken must have 1 to {_MAX_TOKEN} characters")
    name = body.get("StatementName") or ""
    if len(name) > _MAX_NAME:
        raise _invalid(f"StatementName must have at most {_MAX_NAME} characters")
    if body.get("ResultFormat", "JSON") != "JSON":
        raise _invalid("ResultFormat CSV isn't supported by the laptop's Redshift Data API")
    workgroup = _workgroup(body, workgroups)
    database = body.get("Database")
    if not database:
        raise _invalid("Database is required")
    sqls = _sqls(operation, body)
    return Request(
        operation,
        workgroup,
        database,
        sqls,
        name,
        bool(body.get("WithEvent")),
        _parameters(body),
        body.get("SecretArn"),
    )


def _workgroup(body: Mapping[str, Any], workgroups: Mapping[str, str]) -> str:
    given = body.get("WorkgroupName")
    if not given:
        raise _invalid("WorkgroupName is required: there are no clusters")
    name: str = given.rpartition("/")[2] if given.startswith("arn:") else given
    if name not in workgroups:
        raise _invalid(f"Redshift endpoint doesn't exist in this region: no workgroup {name!r} is deployed")
    return name


def _sqls(operation: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    if operation == "ExecuteStatement":
        sqls = [body.get("Sql")]
    else:
        sqls = body.get("Sqls") or []
        if not 1 <= len(sqls) <= MAX_BATCH:
            raise _invalid(f"Sqls must have 1 to {MAX_BATCH} statements, not {len(sqls)}")
    for sql in sqls:
        if not isinstance(sql, str) or not sql.strip():
            raise _invalid("Sql must not be empty")
        if len(sql.encode()) > MAX_STATEMENT_BYTES:
            raise _invalid(
                f"a statement may have {MAX_STATEMENT_BYTES // 1000} KB, not {len(sql.encode())} bytes"
            )
    return tuple(str(sql) for sql in sqls)


def _parameters(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    given = body.get("Parameters")
    if given is None:
        return ()
    if not given:
        raise _invalid("Parameters must not be an empty list")
    pairs = tuple((item.get("name"), item.get("value")) for item in given)
    for name, value in pairs:
        if not isinstance(name, str) or not _PARAMETER.fullmatch(name):
            raise _invalid(f"Parameter name {name!r} must satisfy regex pattern: {_PARAMETER.pattern}")
        if not isinstance(value, str) or not value:
            raise _invalid(f"Parameter {name} must have a value of at least one character")
    if len({name for name, _ in pairs}) < len(pairs):
        raise _invalid("Parameters has a name twice")
    return pairs
