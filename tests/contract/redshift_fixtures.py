"""A PostgreSQL, an S3 and a Data API over both, for the contract tests of the laptop's Redshift."""

from __future__ import annotations

import io
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer
from psycopg import sql
from psycopg.conninfo import make_conninfo

from localaws.endpoint import ACCOUNT, DEPLOYER, REGION, Credentials, Endpoint
from localaws.errors import ApiError
from localaws.redshift import DataApi, Postgres
from localaws.redshift.errors import RedshiftError

ROLE = f"arn:aws:iam::{ACCOUNT}:role/warehouse-copy"
FORBIDDEN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/forbidden"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:redshift!analytics-admin-AbCdEf"
WORKGROUP = "analytics"
DATABASE = "dev"
BUCKET = "lake"
TIMEOUT_SECONDS = 60
# Of tests that need no S3: nobody listens there.
NOWHERE = Endpoint("http://127.0.0.1:9")


@dataclass(frozen=True)
class Someone:
    """A caller."""

    role: str | None = "load"
    session: str = "one"

    @property
    def user_id(self) -> str:
        return f"AROA{self.role}:{self.session}" if self.role else "deployer"

    @property
    def arn(self) -> str:
        if self.role is None:
            return f"arn:aws:iam::{ACCOUNT}:root"
        return f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.role}/{self.session}"


LOADER = Someone()
OTHER = Someone(session="two")
ADMIN = Someone(role=None, session="")


class Clock:
    """Seconds since 1970 that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_770_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Warehouse:
    """The Data API with what it was given, and shorthands for tests."""

    api: DataApi
    endpoint: Endpoint
    clock: Clock
    assumed: list[str]
    events: list[dict[str, Any]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @cached_property
    def _s3(self) -> Any:
        return self.endpoint.client("s3")

    def on_event(self, event: dict[str, Any]) -> None:
        with self.arrived:
            self.events.append(event)
            self.arrived.notify_all()

    def start(self, *sqls: str, batch: bool = False, caller: Someone = LOADER, **more: Any) -> str:
        """Starts one statement, or a batch; returns its id."""
        text = {"Sqls": list(sqls)} if batch or len(sqls) > 1 else {"Sql": sqls[0]}
        operation = "BatchExecuteStatement" if "Sqls" in text else "ExecuteStatement"
        body = {"WorkgroupName": WORKGROUP, "Database": DATABASE, "WithEvent": True} | text | more
        return str(self.api(operation, body, caller)["Id"])

    def event_of(self, identifier: str) -> dict[str, Any]:
        """The event of a statement, once it is there."""

        def found() -> list[dict[str, Any]]:
            return [event for event in self.events if event["detail"]["statementId"] == identifier]

        with self.arrived:
            assert self.arrived.wait_for(found, TIMEOUT_SECONDS), f"no event of {identifier}"
            (event,) = found()
            return event

    def wait(self, identifier: str) -> dict[str, Any]:
        """DescribeStatement of a statement that has ended."""
        self.event_of(identifier)
        return self.api("DescribeStatement", {"Id": identifier}, ADMIN)

    def run(self, *sqls: str, batch: bool = False, **more: Any) -> dict[str, Any]:
        return self.wait(self.start(*sqls, batch=batch, **more))

    def ok(self, *sqls: str, batch: bool = False, **more: Any) -> dict[str, Any]:
        described = self.run(*sqls, batch=batch, **more)
        assert described["Status"] == "FINISHED", described.get("Error")
        return described

    def error(self, *sqls: str, batch: bool = False, **more: Any) -> str:
        described = self.run(*sqls, batch=batch, **more)
        assert described["Status"] == "FAILED", described
        return str(described["Error"])

    def as_admin(self, *sqls: str) -> dict[str, Any]:
        """Runs statements as the administrator, with his secret."""
        return self.ok(*sqls, SecretArn=SECRET)

    def rows(self, sql: str, **more: Any) -> list[list[Any]]:
        """A query's rows as plain values."""
        return plain(self.api("GetStatementResult", {"Id": self.ok(sql, **more)["Id"]}, ADMIN))

    def put_parquet(self, key: str, table: pa.Table, **options: Any) -> dict[str, Any]:
        """Uploads a Parquet file; returns its entry for a manifest."""
        buffer = io.BytesIO()
        pq.write_table(table, buffer, **options)
        body = buffer.getvalue()
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return {"url": f"s3://{BUCKET}/{key}", "mandatory": True, "meta": {"content_length": len(body)}}

    def put_manifest(self, key: str, entries: list[dict[str, Any]]) -> str:
        body = json.dumps({"entries": entries}).encode()
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"


def plain(page: dict[str, Any]) -> list[list[Any]]:
    """A page's records as lists of values; null as None."""
    return [[None if "isNull" in f else next(iter(f.values())) for f in record] for record in page["Records"]]


@contextmanager
def s3() -> Iterator[Endpoint]:
    """A moto server in this process, with the bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = Endpoint(f"http://{host}:{port}")
        endpoint.client("s3").create_bucket(Bucket=BUCKET)
        yield endpoint
    finally:
        server.stop()


def open_warehouse(
    uri: str, endpoint: Endpoint, workgroups: Callable[[], dict[str, str]] | None = None
) -> Warehouse:
    """A Data API on a PostgreSQL and an S3; close its `api` when done."""
    clock, assumed = Clock(), []

    def assume(role: str) -> Credentials:
        assumed.append(role)
        if role == FORBIDDEN_ROLE:
            raise ApiError("AccessDenied", "redshift.amazonaws.com may not assume it", 403)
        return DEPLOYER

    def admin(workgroup: str, secret: str) -> str:
        if secret != SECRET:
            raise RedshiftError(f"secret {secret} is not the administrator's of namespace {workgroup}")
        return "admin"

    warehouse: Warehouse

    def on_event(event: dict[str, Any]) -> None:
        warehouse.on_event(event)

    api = DataApi(
        uri, endpoint, workgroups or (lambda: {WORKGROUP: DATABASE}), on_event, assume, admin, clock=clock
    )
    warehouse = Warehouse(api, endpoint, clock, assumed)
    return warehouse


@contextmanager
def own_warehouse(
    postgres: Postgres,
    endpoint: Endpoint = NOWHERE,
    workgroups: Callable[[], dict[str, str]] | None = None,
) -> Iterator[Warehouse]:
    """A Data API on databases of its own in a running PostgreSQL, which end with it."""
    name = f"own_{secrets.token_hex(6)}"
    with psycopg.connect(postgres.uri, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    opened = open_warehouse(make_conninfo(postgres.uri, dbname=name), endpoint, workgroups)
    try:
        yield opened
    finally:
        opened.api.close()


__all__ = ["ACCOUNT", "REGION", "Warehouse", "open_warehouse", "own_warehouse", "plain", "s3"]
