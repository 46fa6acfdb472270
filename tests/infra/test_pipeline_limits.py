"""Each deployed role tries what it must not do, and is refused: the real template's policies, real requests.

A refusal is AccessDenied that names the action; any other error would be a test that can't fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.roles_kit import Pipeline, another_workgroup, pipeline
from localaws.endpoint import ACCOUNT

__all__ = ["pipeline"]
_LOGS, _TICKETS = "job-app-logs", "job-support-tickets"
_FUNCTIONS = ("admit", "load", "sweep")
_JOBS = (_LOGS, _TICKETS)
_ALL = (*_FUNCTIONS, *_JOBS, "crawler", "copy")
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/gluebook-"


@dataclass(frozen=True)
class Try:
    """A request of a role. In texts RAW, LAKE, LEDGER and the like stand for what is deployed."""

    role: str
    service: str
    operation: str
    parameters: dict[str, Any]
    action: str = ""
    of: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.role}-{self.operation}-{self.of}"

    @property
    def refused_action(self) -> str:
        """As AWS names it in the refusal."""
        words = self.operation.split("_")
        return self.action or f"{self.service}:{''.join(word.capitalize() for word in words)}"


def s3(role: str, operation: str, bucket: str, key: str = "", action: str = "", **more: Any) -> Try:
    where = {"Bucket": bucket, **({"Key": key} if key else {})}
    return Try(role, "s3", operation, {**where, **more}, action, f"{bucket}/{key or more.get('Prefix', '')}")


def _raw() -> list[Try]:
    """Nobody changes what has arrived; each job reads versions of its own dataset only."""
    body: dict[str, Any] = {"Body": b"x"}
    tries = [s3(role, "put_object", "RAW", "app_logs/a", **body) for role in _ALL]
    tries += [s3(role, "delete_object", "RAW", "app_logs/a") for role in _ALL]
    tries += [
        s3(role, "delete_object", "RAW", "app_logs/a", "s3:DeleteObjectVersion", VersionId="null")
        for role in _ALL
    ]
    tries += [s3(role, "get_object", "RAW", "app_logs/a") for role in _ALL]
    tries += [
        s3(role, "get_object", "RAW", f"{other}/a", "s3:GetObjectVersion", VersionId="null")
        for role, other in (
            (_LOGS, "support_tickets"),
            (_TICKETS, "app_logs"),
            ("copy", "app_logs"),
            ("load", "x"),
        )
    ]
    tries += [
        s3(_LOGS, "list_objects_v2", "RAW", action="s3:ListBucket", Prefix="support_tickets/"),
        s3(_LOGS, "list_objects_v2", "RAW", action="s3:ListBucket"),
        s3(_LOGS, "list_object_versions", "RAW", action="s3:ListBucketVersions"),
        s3("sweep", "list_objects_v2", "RAW", action="s3:ListBucket"),
        s3("load", "list_object_versions", "RAW", action="s3:ListBucketVersions"),
        s3("crawler", "list_objects_v2", "RAW", action="s3:ListBucket"),
        s3("copy", "list_objects_v2", "RAW", action="s3:ListBucket"),
        s3("sweep", "get_object", "RAW", "app_logs/a", "s3:GetObjectVersion", VersionId="null"),
    ]
    return tries


def _lake() -> list[Try]:
    """A job works on its own dataset; of the others COPY and the crawler only read, the functions not even that."""
    places: tuple[str, ...] = (
        "inbox/{0}-1/1/a",
        "staging/{0}-1/1/a",
        "curated/{0}/a",
        "manifests/{0}/a",
        "results/{0}/a",
    )
    places += ("quality/{0}/a", "vouchers/{0}/a.json", "quarantine/{0}/a")
    tries = []
    for role, other in ((_LOGS, "support_tickets"), (_TICKETS, "app_logs")):
        for place in places:
            tries.append(s3(role, "put_object", "LAKE", place.format(other), Body=b"x"))
            tries.append(s3(role, "delete_object", "LAKE", place.format(other)))
            tries.append(s3(role, "get_object", "LAKE", place.format(other)))
        own = role.removeprefix("job-").replace("-", "_")
        # What is published is others' to read, the gate's reports nobody's to remove.
        tries += [
            s3(role, "get_object", "LAKE", f"{place}/{own}/a") for place in ("curated", "results", "quality")
        ]
        tries.append(s3(role, "delete_object", "LAKE", f"quality/{own}/a"))
        tries += [
            s3(role, "list_objects_v2", "LAKE", action="s3:ListBucket", Prefix=prefix)
            for prefix in (
                "",
                "curated/",
                f"inbox/{other}-",
                "inbox/",
                f"quarantine/{other}/",
                f"results/{own}/",
            )
        ]
        tries.append(s3(role, "put_object", "ARTEFACTS", "scripts/job.py", Body=b"x"))
    for role in ("copy", "crawler", *_FUNCTIONS):
        tries += [s3(role, "put_object", "LAKE", "curated/app_logs/a", Body=b"x")]
        tries += [s3(role, "delete_object", "LAKE", "curated/app_logs/a")]
        tries += [s3(role, "get_object", "LAKE", "quarantine/app_logs/a")]
        tries += [s3(role, "get_object", "LAKE", "inbox/app_logs-1/1/a")]
    tries += [s3(role, "get_object", "LAKE", "manifests/app_logs/a") for role in ("crawler", *_FUNCTIONS)]
    tries += [
        s3(role, "list_objects_v2", "LAKE", action="s3:ListBucket") for role in ("crawler", *_FUNCTIONS)
    ]
    tries += [
        s3("crawler", "list_objects_v2", "LAKE", action="s3:ListBucket", Prefix="quarantine/"),
        s3("crawler", "get_object", "LAKE", "quality/app_logs/a"),
    ]
    return tries


def _ledger() -> list[Try]:
    """Nobody reads the whole ledger or touches the table; who has no business with it reads nothing."""
    table, key = {"TableName": "LEDGER"}, {"Key": {"pk": {"S": "a"}, "sk": {"S": "a"}}}
    tries = [Try(role, "dynamodb", "scan", table) for role in _ALL]
    tries += [Try(role, "dynamodb", "delete_table", table) for role in _ALL]
    tries += [Try(role, "dynamodb", "get_item", {**table, **key}) for role in ("crawler", "copy")]
    tries += [Try("admit", "dynamodb", "delete_item", {**table, **key})]
    tries += [
        Try(role, "dynamodb", "get_item", {"TableName": "another", **key}, of="another")
        for role in (*_FUNCTIONS, *_JOBS)
    ]
    return tries


def _glue() -> list[Try]:
    """Functions start these jobs and crawlers; nobody changes one, and no job starts another."""
    tries = [Try(role, "glue", "start_job_run", {"JobName": "another"}) for role in _FUNCTIONS]
    tries += [
        Try(role, "glue", "start_job_run", {"JobName": "gluebook-app-logs"})
        for role in (*_JOBS, "crawler", "copy")
    ]
    tries += [Try(role, "glue", "start_crawler", {"Name": "another"}) for role in ("load", "sweep")]
    tries += [
        Try(role, "glue", "start_crawler", {"Name": "gluebook-app-logs"})
        for role in ("admit", *_JOBS, "copy")
    ]
    tries += [Try(role, "glue", "delete_job", {"JobName": "gluebook-app-logs"}) for role in _ALL]
    tries += [
        Try(
            role,
            "glue",
            "update_job",
            {
                "JobName": "gluebook-app-logs",
                "JobUpdate": {"Role": f"{_ROLE}load", "Command": {"Name": "glueetl"}},
            },
        )
        for role in _ALL
    ]
    tries += [
        Try(role, "glue", "get_table", {"DatabaseName": "another", "Name": "a"})
        for role in ("load", "crawler")
    ]
    tries += [
        Try("load", "glue", "delete_table", {"DatabaseName": "gluebook_lake", "Name": "app_logs"}),
        Try("crawler", "glue", "delete_table", {"DatabaseName": "gluebook_lake", "Name": "rejects"}),
        Try("crawler", "glue", "create_table", {"DatabaseName": "another", "TableInput": {"Name": "a"}}),
        Try("sweep", "glue", "get_table", {"DatabaseName": "gluebook_lake", "Name": "app_logs"}),
    ]
    return tries


def _warehouse() -> list[Try]:
    """Loads are the load function's, questions the sweep's; each sees its own statements only."""
    where = {"WorkgroupName": "WORKGROUP", "Database": "analytics"}
    other = {"WorkgroupName": "another", "Database": "analytics"}
    one, many = {"Sql": "select 1"}, {"Sqls": ["select 1"]}
    tries = [
        Try(role, "redshift-data", "batch_execute_statement", {**where, **many})
        for role in ("admit", "sweep", *_JOBS, "crawler", "copy")
    ]
    tries += [
        Try(role, "redshift-data", "execute_statement", {**where, **one})
        for role in ("admit", *_JOBS, "crawler", "copy")
    ]
    tries += [Try("sweep", "redshift-data", "execute_statement", {**other, **one}, of="another")]
    tries += [Try("load", "redshift-data", "batch_execute_statement", {**other, **many}, of="another")]
    for operation in ("describe_statement", "get_statement_result", "cancel_statement"):
        tries += [
            Try(role, "redshift-data", operation, {"Id": "STATEMENT"}) for role in ("load", "admit", _LOGS)
        ]
    return tries


def _identities() -> list[Try]:
    """No role passes a role, makes one, or becomes another; secrets and queues are who needs them."""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    session = {"Id": "s", "Role": f"{_ROLE}load", "Command": {"Name": "glueetl"}}
    tries = [Try(role, "glue", "create_session", session) for role in _ALL]
    tries += [
        Try(role, "sts", "assume_role", {"RoleArn": f"{_ROLE}{other}", "RoleSessionName": "taken"}, of=other)
        for role in _ALL
        for other in ("load", "copy")
        if other != role
    ]
    tries += [
        Try(
            role,
            "iam",
            "put_role_policy",
            {"RoleName": f"gluebook-{role}", "PolicyName": "p", "PolicyDocument": trust},
        )
        for role in _ALL
    ]
    tries += [
        Try(role, "secretsmanager", "get_secret_value", {"SecretId": "gluebook-pseudonym-key"})
        for role in (*_FUNCTIONS, "crawler", "copy")
    ]
    tries += [
        Try(role, "sqs", "receive_message", {"QueueUrl": "ARRIVALS"})
        for role in ("load", "sweep", *_JOBS, "crawler")
    ]
    tries += [Try(role, "sqs", "purge_queue", {"QueueUrl": "ARRIVALS"}) for role in _ALL]
    return tries


_TRIES = [*_raw(), *_lake(), *_ledger(), *_glue(), *_warehouse(), *_identities()]
# Operations that no policy here can grant are refused as not known, in words that name no action.
_UNMAPPED = {"delete_table", "put_role_policy", "purge_queue"}


@pytest.fixture(scope="module")
def deployed(pipeline: Pipeline) -> dict[str, str]:
    """What the words in requests stand for. What they ask for is there: a refusal is no 404 in disguise."""
    outputs, s3_client = pipeline.outputs, pipeline.client("s3")
    s3_client.create_bucket(Bucket="artefacts")
    for dataset in ("app_logs", "support_tickets"):
        s3_client.put_object(Bucket=pipeline.raw, Key=f"{dataset}/a", Body=b"x")
    another_workgroup(pipeline.aws, "another", "analytics")
    data = pipeline.client("redshift-data", "sweep")
    sql = data.execute_statement(
        WorkgroupName=outputs["Workgroup"], Database=outputs["WarehouseDatabase"], Sql="select 1"
    )
    return {
        "RAW": pipeline.raw,
        "LAKE": pipeline.lake,
        "ARTEFACTS": "artefacts",
        "LEDGER": outputs["LedgerTable"],
        "WORKGROUP": outputs["Workgroup"],
        "ARRIVALS": outputs["ArrivalsUrl"],
        "STATEMENT": sql["Id"],
    }


@pytest.mark.parametrize("tried", _TRIES, ids=str)
def test_what_a_role_must_not_do_is_refused(pipeline: Pipeline, deployed: dict[str, str], tried: Try) -> None:
    parameters = {name: deployed.get(str(value), value) for name, value in tried.parameters.items()}
    ask: Callable[..., Any] = getattr(pipeline.client(tried.service, tried.role), tried.operation)
    with pytest.raises(ClientError) as refusal:
        ask(**parameters)
    error = refusal.value.response["Error"]
    assert error["Code"].startswith("AccessDenied"), error
    if tried.operation not in _UNMAPPED:
        assert f"gluebook-{tried.role}" in error["Message"], error
        assert f"is not authorized to perform: {tried.refused_action} on resource" in error["Message"], error
