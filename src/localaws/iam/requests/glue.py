"""Glue requests ▸ the permissions they need.

AWS docs: "Actions, resources, and condition keys for AWS Glue", "Specifying AWS Glue resource ARNs": an
operation on a table needs permission on the catalog, the database and the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localaws.endpoint import ACCOUNT
from localaws.iam.call import Call, Unmapped
from localaws.iam.lookups import Lookups
from localaws.iam.policy import Need

KEYS = {"iam:passedtoservice"}

Body = Mapping[str, Any]

# operation ▸ (kind of resource, where the body names it); "*" stands for every one of the kind.
_NAMED = {
    **dict.fromkeys(
        ("StartJobRun", "GetJobRun", "GetJobRuns", "GetJob", "BatchStopJobRun", "DeleteJob", "UpdateJob"),
        ("job", "JobName"),
    ),
    **dict.fromkeys(("GetJobBookmark", "ResetJobBookmark"), ("job", "JobName")),
    "CreateJob": ("job", "Name"),
    **dict.fromkeys(("GetJobs", "ListJobs"), ("job", "*")),
    **dict.fromkeys(("StartCrawler", "StopCrawler", "GetCrawler", "UpdateCrawler"), ("crawler", "Name")),
    "DeleteCrawler": ("crawler", "Name"),
    "ListCrawls": ("crawler", "CrawlerName"),
    **dict.fromkeys(("GetCrawlers", "ListCrawlers"), ("crawler", "*")),
    **dict.fromkeys(("CreateSession", "GetSession", "StopSession", "DeleteSession"), ("session", "Id")),
    **dict.fromkeys(
        ("RunStatement", "GetStatement", "ListStatements", "CancelStatement"), ("session", "SessionId")
    ),
    "ListSessions": ("session", "*"),
}
_MANY_NAMED = {
    "BatchGetJobs": ("job", "JobNames"),
    "BatchGetCrawlers": ("crawler", "CrawlerNames"),
    "GetCrawlerMetrics": ("crawler", "CrawlerNameList"),
}
_PASS_ROLE = {"CreateJob", "CreateCrawler", "CreateSession", "UpdateJob", "UpdateCrawler"}


def _field(name: str) -> Callable[[Body], list[str]]:
    return lambda body: [body[name]]


def _input(name: str) -> Callable[[Body], list[str]]:
    return lambda body: [body[name]["Name"]]


def _every(_: Body) -> list[str]:
    return ["*"]


_DATABASES: dict[str, Callable[[Body], list[str]]] = {
    "GetDatabase": _field("Name"),
    "GetDatabases": _every,
    "CreateDatabase": _input("DatabaseInput"),
    "UpdateDatabase": _field("Name"),
}
_TABLES: dict[str, Callable[[Body], list[str]]] = {
    "GetTable": _field("Name"),
    "GetTables": _every,
    "CreateTable": _input("TableInput"),
    "UpdateTable": _input("TableInput"),
    "DeleteTable": _field("Name"),
    "BatchDeleteTable": lambda body: list(body["TablesToDelete"]),
    **dict.fromkeys(
        (
            *("GetTableVersion", "GetTableVersions", "DeleteTableVersion", "BatchDeleteTableVersion"),
            *("GetPartition", "GetPartitions", "CreatePartition", "UpdatePartition", "DeletePartition"),
            *("BatchGetPartition", "BatchCreatePartition", "BatchUpdatePartition", "BatchDeletePartition"),
            *("GetPartitionIndexes", "CreatePartitionIndex", "DeletePartitionIndex"),
            *("GetColumnStatisticsForTable", "UpdateColumnStatisticsForTable"),
            *("GetColumnStatisticsForPartition", "UpdateColumnStatisticsForPartition"),
        ),
        _field("TableName"),
    ),
}


def needs(call: Call, lookups: Lookups) -> list[Need]:
    """Raises Unmapped for an operation that isn't known."""
    body, operation = call.parameters, call.operation
    action = f"glue:{operation}"
    if operation in _DATABASES or operation in _TABLES:
        return [Need(action, arn) for arn in _catalog_arns(call, operation, body)]
    return [
        *(Need(action, arn) for arn in _arns(call, operation, body)),
        *_pass_role(operation, body, lookups),
    ]


def _arns(call: Call, operation: str, body: Body) -> list[str]:
    if operation in _NAMED:
        kind, name = _NAMED[operation]
        return [call.arn(f"{kind}/{'*' if name == '*' else body[name]}")]
    if operation in _MANY_NAMED:
        kind, name = _MANY_NAMED[operation]
        return [call.arn(f"{kind}/{one}") for one in body.get(name) or ["*"]]
    if operation == "CreateCrawler":
        return ["*"]
    raise Unmapped(f"glue:{operation}")


def _catalog_arns(call: Call, operation: str, body: Body) -> list[str]:
    catalog = f"arn:aws:glue:{call.region}:{body.get('CatalogId') or ACCOUNT}"
    if operation in _DATABASES:
        return [f"{catalog}:catalog", *(f"{catalog}:database/{one}" for one in _DATABASES[operation](body))]
    database = body["DatabaseName"]
    tables = [f"{catalog}:table/{database}/{one}" for one in _TABLES[operation](body)]
    return [f"{catalog}:catalog", f"{catalog}:database/{database}", *tables]


def _pass_role(operation: str, body: Body, lookups: Lookups) -> list[Need]:
    role = body.get("Role") or body.get("JobUpdate", {}).get("Role")
    if operation not in _PASS_ROLE or not role:
        return []
    return [Need("iam:PassRole", lookups.role_arn(role), {"iam:passedtoservice": "glue.amazonaws.com"})]
