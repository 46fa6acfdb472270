"""The template deployed beside what an account has: bucket, keys, workgroup, boundary; and the Studio role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.roles_kit import Pipeline, another_workgroup, deploy
from infra.stack_kit import document
from localaws.iam.deployed import MotoDeployed
from localaws.iam.policy import Need, decide
from localaws.iam.principals import Principal
from localaws.iam.statements import Statement
from localaws.stack import LocalAws

ACCOUNT = "123456789012"
SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:theirs-AbCdEf"


@pytest.fixture(scope="module")
def given() -> Iterator[Pipeline]:
    """The stack "given", around a bucket, two keys, a workgroup and a boundary that others have made."""
    with LocalAws(schedule_speed=None) as aws:
        kms, s3 = aws.endpoint.client("kms"), aws.endpoint.client("s3")
        raw_key, lake_key = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
        s3.create_bucket(Bucket="their-files")
        s3.put_bucket_versioning(Bucket="their-files", VersioningConfiguration={"Status": "Enabled"})
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": raw_key}}
        s3.put_bucket_encryption(Bucket="their-files", ServerSideEncryptionConfiguration={"Rules": [rule]})
        allowed = document(
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "dynamodb:DeleteItem", "Resource": "*"},
        )
        boundary = aws.endpoint.client("iam").create_policy(PolicyName="boundary", PolicyDocument=allowed)
        yield deploy(
            aws,
            "given",
            ExistingRawBucket="their-files",
            RawKeyArn=raw_key,
            LakeKeyArn=lake_key,
            ExistingWorkgroup="theirs",
            ExistingWorkgroupId=another_workgroup(aws, "theirs", "reporting"),
            WarehouseAdminSecretArn=SECRET,
            WarehouseDatabase="reporting",
            PermissionsBoundaryArn=boundary["Policy"]["Arn"],
            GlueStudioRole="yes",
        )


def test_what_is_given_is_used_and_nothing_is_made_in_its_place(given: Pipeline) -> None:
    names = ("RawBucket", "Workgroup", "WarehouseDatabase")
    assert [given.outputs[name] for name in names] == ["their-files", "theirs", "reporting"]
    buckets = [bucket["Name"] for bucket in given.client("s3").list_buckets()["Buckets"]]
    assert [name for name in buckets if "raw" in name] == []
    rule = json.loads(given.client("events").describe_rule(Name="given-raw-arrived")["EventPattern"])
    assert rule["detail"] == {"bucket": {"name": ["their-files"]}}


def test_the_jobs_read_and_write_what_is_encrypted_with_the_given_keys(given: Pipeline) -> None:
    put = given.client("s3").put_object(Bucket=given.raw, Key="app_logs/a", Body=b"x")
    s3 = given.client("s3", "job-app-logs")
    assert (
        s3.get_object(Bucket=given.raw, Key="app_logs/a", VersionId=put["VersionId"])["Body"].read() == b"x"
    )
    s3.put_object(Bucket=given.lake, Key="manifests/app_logs/b.json", Body=b"{}")
    for role in ("job-app-logs", "copy"):
        reader = given.client("s3", role)
        assert reader.get_object(Bucket=given.lake, Key="manifests/app_logs/b.json")["Body"].read() == b"{}"
    given.client("s3").put_object(Bucket=given.lake, Key="curated/app_logs/a.parquet", Body=b"x")
    given.client("s3", "crawler").get_object(Bucket=given.lake, Key="curated/app_logs/a.parquet")
    # The key serves S3 in the role's name; by itself the role can't use it.
    with pytest.raises(ClientError, match="kms:Encrypt"):
        given.client("kms", "job-app-logs").encrypt(KeyId=_lake_key(given), Plaintext=b"x")


def _lake_key(given: Pipeline) -> str:
    answer = given.client("s3").get_bucket_encryption(Bucket=given.lake)
    [rule] = answer["ServerSideEncryptionConfiguration"]["Rules"]
    return str(rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"])


def test_the_boundary_limits_every_role(given: Pipeline) -> None:
    iam = given.client("iam")
    roles = [role for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("given-")]
    assert len(roles) == 8
    for role in roles:
        found = iam.get_role(RoleName=role["RoleName"])["Role"]
        assert found["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(":policy/boundary")
    ledger = given.client("dynamodb", "job-app-logs")
    key = {"pk": {"S": "a"}, "sk": {"S": "a"}}
    assert "Item" not in ledger.get_item(TableName=given.outputs["LedgerTable"], Key=key)
    with pytest.raises(ClientError, match="explicit deny in a permissions boundary"):
        ledger.delete_item(TableName=given.outputs["LedgerTable"], Key=key)


def test_the_sweep_asks_the_given_workgroup(given: Pipeline) -> None:
    data = given.client("redshift-data", "sweep")
    asked = {"WorkgroupName": "theirs", "Database": "reporting"}
    statement = data.execute_statement(Sql="select 1", **asked)["Id"]
    assert data.describe_statement(Id=statement)["Id"] == statement


def test_the_load_function_may_read_the_given_administrators_secret_and_no_other(given: Pipeline) -> None:
    load = MotoDeployed().role("given-load")
    allowed = [
        secret
        for secret in (SECRET, SECRET.replace("theirs", "redshift!given-admin"))
        if decide(
            Need("secretsmanager:GetSecretValue", secret), Principal(ACCOUNT, load.arn), {}, load.policies
        ).allowed
    ]
    assert allowed == [SECRET]


def test_a_notebook_in_glue_studio_makes_sessions_that_run_as_its_own_role_and_no_other(
    given: Pipeline,
) -> None:
    glue = given.client("glue", "studio")
    role = f"arn:aws:iam::{ACCOUNT}:role/given-"
    command = {"Name": "glueetl", "PythonVersion": "3"}
    for other in ("job-app-logs", "load"):
        with pytest.raises(ClientError, match="iam:PassRole"):
            glue.create_session(Id="s-1", Role=f"{role}{other}", Command=command)
    glue.create_session(Id="s-1", Role=f"{role}studio", Command=command)
    assert glue.get_session(Id="s-1")["Session"]["Role"].endswith("given-studio")
    glue.stop_session(Id="s-1")


@pytest.mark.parametrize("job", ["given-job-app-logs", "given-job-support-tickets"])
def test_the_studio_role_may_do_whatever_a_job_may(given: Pipeline, job: str) -> None:
    deployed = MotoDeployed()
    studio = deployed.role("given-studio")
    refused = [
        (need.action, need.resource)
        for _, policy in deployed.role(job).policies
        for statement in policy.statements
        for need in _needs(statement)
        if not decide(
            need, Principal(ACCOUNT, studio.arn), need.context, studio.policies, _key_policy(need)
        ).allowed
    ]
    assert refused == []


def _key_policy(need: Need) -> Any:
    return (
        MotoDeployed().resource_policy(need.action, need.resource) if need.action.startswith("kms:") else None
    )


def _needs(statement: Statement) -> Iterator[Need]:
    """Something that each grant of the statement lets in: its patterns with a letter for each wildcard."""
    contexts: list[dict[str, str]] = [{}]
    for clause in statement.clauses:
        contexts = [{**one, clause.key: v.replace("*", "x")} for one in contexts for v in clause.values]
    for action in statement.actions:
        for resource in statement.resources:
            for context in contexts:
                yield Need(action, resource.replace("*", "x"), context)
