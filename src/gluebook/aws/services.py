"""Small adapters to Glue jobs and crawlers, the queue, the warehouse and secrets."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.session import Session
from botocore.exceptions import ClientError

from gluebook.aws.sessions import new_session
from gluebook.core.statements import Rows, Statement
from gluebook.errors import ConfigurationError, TerminalError, WarehouseBusy

_log = logging.getLogger(__name__)


_READERS_HINT = (
    "Add this caller to the stack's parameter WarehouseReaders; see docs/operations.md, Who may read"
)


class Jobs:
    """Starts Glue job runs."""

    def __init__(self, session: Session | None = None) -> None:
        self._glue = (session or new_session()).client("glue")

    def start(self, job: str) -> str | None:
        """Start a run; returns its id, or None if a run is active, which is normal."""
        try:
            run: str = self._glue.start_job_run(JobName=job)["JobRunId"]
        except self._glue.exceptions.ConcurrentRunsExceededException:
            return None
        return run


class Queue:
    """The queue of arrivals, to which the pipeline also sends delayed messages."""

    def __init__(self, url: str, session: Session | None = None) -> None:
        self._sqs = (session or new_session()).client("sqs")
        self._url = url

    def send_later(self, body: str, seconds: int) -> None:
        """Send a message with a delay of `seconds` (at most 900)."""
        self._sqs.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=seconds)


class Catalog:
    """The Glue Data Catalog and the crawlers that fill it."""

    def __init__(self, database: str, session: Session | None = None) -> None:
        self._glue = (session or new_session()).client("glue")
        self._database = database

    def partitions(self, table: str) -> set[str] | None:
        """The values of `dt` in the catalog for `table`; None if the catalog lacks the table."""
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=self._database, TableName=table, ExcludeColumnSchema=True
        )
        try:
            return {item["Values"][0] for page in pages for item in page["Partitions"]}
        except self._glue.exceptions.EntityNotFoundException:
            return None

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns in the catalog for `table`; empty if the catalog lacks the table."""
        try:
            found = self._glue.get_table(DatabaseName=self._database, Name=table)["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            return ()
        return tuple(column["Name"] for column in found["StorageDescriptor"]["Columns"])

    def start_crawler(self, crawler: str) -> bool:
        """Start a crawl; False if one is running, and the start must be retried later."""
        try:
            self._glue.start_crawler(Name=crawler)
        except self._glue.exceptions.CrawlerRunningException:
            return False
        return True


class Warehouse:
    """Redshift Serverless through the Data API, as the caller's own database user, or as that of a secret."""

    def __init__(
        self, workgroup: str, database: str, session: Session | None = None, *, secret_arn: str | None = None
    ) -> None:
        self._api = (session or new_session()).client("redshift-data")
        self._where = {"WorkgroupName": workgroup, "Database": database}
        if secret_arn is not None:
            self._where["SecretArn"] = secret_arn

    def submit(self, sqls: list[str], *, name: str, token: str) -> str:
        """Submit a transaction; returns its statement id. The same token returns the same statement for 8 hours.

        Raises WarehouseBusy when the Data API is at its limits.
        """
        with _busy_at_limits(name):
            answer = self._api.batch_execute_statement(
                **self._where, Sqls=sqls, StatementName=name, ClientToken=token, WithEvent=True
            )
        statement_id: str = answer["Id"]
        return statement_id

    def submit_query(self, sql: str, *, name: str) -> str:
        """Submit one query and return its statement id; `result` fetches its rows later. Raises WarehouseBusy."""
        with _busy_at_limits(name):
            answer = self._api.execute_statement(**self._where, Sql=sql, StatementName=name)
        statement_id: str = answer["Id"]
        return statement_id

    def statement(self, statement_id: str) -> Statement | None:
        """The statement's state; None if it has expired (after 24 hours)."""
        try:
            return self._described(statement_id)
        except ClientError as error:
            if not _expired(error):
                raise
            _log.warning("statement %s has expired: %s", statement_id, error)
            return None

    def _described(self, statement_id: str) -> Statement:
        found = self._api.describe_statement(Id=statement_id)
        # Read from the Data API, because another release may have submitted the batch with other statements.
        last = (found.get("SubStatements") or [found])[-1]["Id"]
        return Statement(statement_id, found["Status"], found.get("Error", ""), result_id=last)

    def result(self, statement_id: str) -> Rows:
        """All rows of a finished statement."""
        columns: tuple[str, ...] = ()
        rows: list[tuple[Any, ...]] = []
        pages = self._api.get_paginator("get_statement_result").paginate(Id=statement_id)
        for page in pages:
            columns = tuple(column["name"] for column in page["ColumnMetadata"])
            rows += [tuple(_value(field) for field in record) for record in page["Records"]]
        return Rows(columns, rows)

    def run(self, sqls: list[str], *, name: str, timeout_seconds: float) -> str:
        """Run a transaction and wait for it; returns its statement id.

        Raises TerminalError with the warehouse's error if it fails, WarehouseBusy if it takes too long.
        """
        where = dict(self._where)
        if len(sqls) == 1:
            statement_id = self._api.execute_statement(**where, Sql=sqls[0], StatementName=name)["Id"]
        else:
            statement_id = self._api.batch_execute_statement(**where, Sqls=sqls, StatementName=name)["Id"]
        deadline = time.monotonic() + timeout_seconds
        pause = 0.02
        while time.monotonic() < deadline:
            found = self._described(statement_id)
            if found.ended:
                if found.status != "FINISHED":
                    raise TerminalError(f"{name}: {found.error or found.status}")
                return str(statement_id)
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)
        raise WarehouseBusy(f"{name} has not finished within {timeout_seconds:.0f} s")

    def query(self, sql: str, *, timeout_seconds: float = 600) -> Rows:
        """Run one statement and return its rows (none for statements without a result)."""
        try:
            statement_id = self.run([sql], name="gluebook-query", timeout_seconds=timeout_seconds)
        except TerminalError as failure:
            if "permission denied for relation" not in str(failure):
                raise
            raise TerminalError(f"{failure}. {_READERS_HINT}") from failure
        if not self._api.describe_statement(Id=statement_id)["HasResultSet"]:
            return Rows((), [])
        return self.result(statement_id)


def _expired(error: ClientError) -> bool:
    """Whether DescribeStatement's error means that the statement is older than 24 hours.

    AWS answers with a ValidationException (terraform-provider-aws, FindStatementByID; pulumi-aws 2055), or with a
    ResourceNotFoundException as documented in the API reference. The owner of an expired statement is unknown too, so
    a policy that lets a role see only its own statements may deny access.
    """
    answer = error.response["Error"]
    return answer["Code"] in ("ResourceNotFoundException", "AccessDeniedException") or (
        answer["Code"] == "ValidationException" and "has expired" in answer.get("Message", "")
    )


@contextmanager
def _busy_at_limits(name: str) -> Iterator[None]:
    """Raise WarehouseBusy if the Data API is at its limits."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("ActiveStatementsExceededException", "ThrottlingException", "InternalServerException"):
            raise WarehouseBusy(f"the Data API refused statement {name}: {code}") from error
        raise


def admin_secret(namespace: str) -> str:
    """The ARN of the secret that Redshift manages for the namespace's administrator.

    AWS docs: GetNamespace; CloudFormation does not return it. Raises ConfigurationError if there is none.
    """
    found = new_session().client("redshift-serverless").get_namespace(namespaceName=namespace)["namespace"]
    if "adminPasswordSecretArn" not in found:
        raise ConfigurationError(
            f"namespace {namespace} has no managed administrator password; set ManageAdminPassword on it"
        )
    return str(found["adminPasswordSecretArn"])


def _value(field: dict[str, Any]) -> Any:
    if field.get("isNull"):
        return None
    return next(value for name, value in field.items() if name != "isNull")


def read_secret(arn: str, session: Session | None = None) -> str:
    """A secret's text. Raises ConfigurationError if the secret does not exist."""
    client = (session or new_session()).client("secretsmanager")
    try:
        secret: str = client.get_secret_value(SecretId=arn)["SecretString"]
    except client.exceptions.ResourceNotFoundException:
        raise ConfigurationError(f"secret {arn} does not exist; deploy infra/pipeline.yaml again") from None
    return secret
