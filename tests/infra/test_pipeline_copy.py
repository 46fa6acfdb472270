"""COPY under the role that the real template gives it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.players_kit import eventually
from infra.roles_kit import Pipeline, pipeline

__all__ = ["pipeline"]
_KEY = "curated/app_logs/dt=2026-01-05/b-00000.parquet"
_MANIFEST = "manifests/app_logs/b.json"


def _run(pipeline: Pipeline, sql: str) -> dict[str, Any]:
    data = pipeline.client("redshift-data")
    place = {
        "WorkgroupName": pipeline.outputs["Workgroup"],
        "Database": pipeline.outputs["WarehouseDatabase"],
    }
    identifier = data.execute_statement(Sql=sql, **place)["Id"]
    described: dict[str, Any] = {}

    def ended() -> bool:
        described.update(data.describe_statement(Id=identifier))
        return described["Status"] in ("FINISHED", "FAILED", "ABORTED")

    eventually(ended)
    return described


@contextmanager
def _without(pipeline: Pipeline, action: str) -> Iterator[None]:
    """COPY's role without one action."""
    iam = pipeline.client("iam")
    place = {"RoleName": "gluebook-copy", "PolicyName": "copy"}
    policy = iam.get_role_policy(**place)["PolicyDocument"]
    rest = [_less(statement, action) for statement in policy["Statement"]]
    document = {**policy, "Statement": [statement for statement in rest if statement["Action"]]}
    iam.put_role_policy(**place, PolicyDocument=json.dumps(document))
    try:
        yield
    finally:
        iam.put_role_policy(**place, PolicyDocument=json.dumps(policy))


def _less(statement: dict[str, Any], action: str) -> dict[str, Any]:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    return {**statement, "Action": [one for one in actions if one != action]}


@pytest.fixture(scope="module")
def copy_sql(pipeline: Pipeline) -> str:
    """A COPY of one published row into a table."""
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": ["x"]}), buffer)
    s3 = pipeline.client("s3")
    s3.put_object(Bucket=pipeline.lake, Key=_KEY, Body=buffer.getvalue())
    entry = {
        "url": f"s3://{pipeline.lake}/{_KEY}",
        "mandatory": True,
        "meta": {"content_length": buffer.tell()},
    }
    s3.put_object(Bucket=pipeline.lake, Key=_MANIFEST, Body=json.dumps({"entries": [entry]}))
    assert _run(pipeline, "create table copied (a varchar(9))")["Status"] == "FINISHED"
    role = f"arn:aws:iam::{pipeline.aws.endpoint.account}:role/gluebook-copy"
    return f"copy copied from 's3://{pipeline.lake}/{_MANIFEST}' iam_role '{role}' format as parquet manifest"


def test_copy_loads_under_the_deployed_role(pipeline: Pipeline, copy_sql: str) -> None:
    described = _run(pipeline, copy_sql)
    assert (described["Status"], described.get("Error")) == ("FINISHED", None)
    assert pipeline.denied("copy") == set()


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject"])
def test_copy_fails_without_any_one_of_the_documented_permissions(
    pipeline: Pipeline, copy_sql: str, action: str
) -> None:
    with _without(pipeline, action):
        described = _run(pipeline, copy_sql)
    assert described["Status"] == "FAILED"
    assert "Status 403" in described["Error"]
    assert f"not authorized to perform: {action}" in described["Error"]
