"""A deployed warehouse: who a role is in it, and how it becomes the administrator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

import boto3
import pytest
from botocore.exceptions import ClientError

from fakes.pipeline import Pipeline
from gluebook.aws.services import Warehouse, admin_secret
from gluebook.core.sql.schema import WarehouseUsers
from gluebook.errors import TerminalError, WarehouseBusy
from gluebook.functions.context import WarehouseAdmin
from gluebook.functions.schema import ensure_schema
from infra.stack_kit import Stage, running_stage, stage, unique  # noqa: F401
from localaws.endpoint import DEPLOYER, Credentials

TIMEOUT_SECONDS = 60
SQL = ("redshift-data:*", "redshift-serverless:GetCredentials")


@dataclass(frozen=True)
class Deployed:
    """A stack of a namespace and a workgroup, both of this name."""

    stage: Stage
    name: str

    def keys(self, *actions: str) -> tuple[str, Credentials]:
        """A new role that may do this: its database user, and its credentials."""
        arn = self.stage.role("lambda", *actions)
        credentials = self.stage.aws.authorizer.assume(arn, "lambda.amazonaws.com", "tests")
        return f"IAMR:{arn.rpartition('/')[2]}", credentials

    def session(self, keys: Credentials) -> boto3.session.Session:
        return boto3.session.Session(
            keys.access_key, keys.secret_key, keys.token, region_name=self.stage.aws.endpoint.region
        )

    def warehouse(self, keys: Credentials, secret: str | None = None) -> Warehouse:
        return Warehouse(self.name, "analytics", self.session(keys), secret_arn=secret)


@pytest.fixture
def deployed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:  # noqa: F811
    monkeypatch.setenv("AWS_ENDPOINT_URL", stage.aws.endpoint.url)
    name, copying = unique("warehouse"), stage.role("redshift", "s3:GetObject")
    template = {
        "Resources": {
            "Namespace": {
                "Type": "AWS::RedshiftServerless::Namespace",
                "Properties": {
                    "NamespaceName": name,
                    "DbName": "analytics",
                    "ManageAdminPassword": True,
                    "IamRoles": [copying],
                    "DefaultIamRoleArn": copying,
                },
            },
            "Workgroup": {
                "Type": "AWS::RedshiftServerless::Workgroup",
                "Properties": {"WorkgroupName": name, "NamespaceName": {"Ref": "Namespace"}},
            },
        }
    }
    formation = stage.aws.endpoint.client("cloudformation")
    formation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    yield Deployed(stage, name)
    formation.delete_stack(StackName=name)


def run(warehouse: Warehouse, *sqls: str) -> None:
    warehouse.run(list(sqls), name="test", timeout_seconds=TIMEOUT_SECONDS)


def test_roles_and_the_deployer_are_users_of_their_own_and_none_is_the_administrator(
    deployed: Deployed,
) -> None:
    user, maker = deployed.keys(*SQL)
    run(deployed.warehouse(maker), "create table t (a int)")
    _, other = deployed.keys(*SQL)
    for keys in (other, DEPLOYER):
        with pytest.raises(
            TerminalError, match=r"permission denied for relation t.* parameter WarehouseReaders"
        ):
            deployed.warehouse(keys).query("select a from t")
    found = deployed.warehouse(DEPLOYER).query("select usename, usesuper from pg_user").rows
    assert (user, False) in found and (deployed.stage.aws.deployer_user, False) in found
    assert not [name for name, superuser in found if superuser]


def test_copy_may_name_the_namespaces_default_role_and_no_other(deployed: Deployed) -> None:
    _, keys = deployed.keys(*SQL)
    run(deployed.warehouse(keys), "create table t (a int)")
    for role, what in (
        ("default", "403|404|NoSuchBucket|does not exist"),
        ("'arn:aws:iam::1:role/x'", "not associated"),
    ):
        with pytest.raises(TerminalError, match=what):
            run(
                deployed.warehouse(keys),
                f"copy t from 's3://nowhere/m.json' iam_role {role} format parquet manifest",
            )


def test_who_may_read_the_namespaces_secret_can_be_its_administrator(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, keys = deployed.keys(*SQL, "redshift-serverless:GetNamespace", "secretsmanager:GetSecretValue")
    for name, value in deployed.stage.aws.endpoint.environment(keys).items():
        monkeypatch.setenv(name, value)
    admin = deployed.warehouse(keys, admin_secret(deployed.name))
    run(admin, "create role reader", "create table t (a int)", "grant select on t to role reader")
    with pytest.raises(TerminalError, match="permission denied for relation t"):
        deployed.warehouse(keys).query("select a from t")


def test_two_functions_that_make_the_schema_at_once_find_it_made_or_wait(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the actions that the template grants to the load role."""
    actions = ("redshift-data:BatchExecuteStatement", "redshift-serverless:GetCredentials")
    followed = ("redshift-data:DescribeStatement", "redshift-data:GetStatementResult")
    found = ("redshift-serverless:GetNamespace", "secretsmanager:GetSecretValue")
    loader, keys = deployed.keys(*actions, *followed, *found)
    sweep, reading = deployed.keys(*SQL)
    for name, value in deployed.stage.aws.endpoint.environment(keys).items():
        monkeypatch.setenv(name, value)
    admin = WarehouseAdmin(
        lambda: deployed.warehouse(keys, admin_secret(deployed.name)),
        WarehouseUsers(loaders=(loader,), readers=(sweep,)),
    )

    def make(_: int) -> bool:
        """With a ledger of its own: as if nobody had noted yet that somebody tries."""
        with suppress(WarehouseBusy):
            ensure_schema(replace(Pipeline().work, admin=admin))
            return True
        return False

    with ThreadPoolExecutor(4) as pool:
        assert any(pool.map(make, range(4)))
    run(deployed.warehouse(keys), "lock table etl_loads", "delete from support_tickets")
    assert deployed.warehouse(reading).query("select count(*) from etl_loads").rows == [(0,)]
    with pytest.raises(TerminalError, match="permission denied for relation support_tickets"):
        deployed.warehouse(DEPLOYER).query("select count(*) from support_tickets")


@pytest.mark.parametrize("may_read", [True, False])
def test_a_secret_is_the_callers_to_read_and_the_namespaces_own(deployed: Deployed, may_read: bool) -> None:
    secrets = deployed.stage.aws.endpoint.client("secretsmanager")
    (managed,) = (
        secret["ARN"]
        for secret in secrets.list_secrets()["SecretList"]
        if secret["Name"] == f"redshift!{deployed.name}-admin"
    )
    foreign = secrets.create_secret(Name=unique("foreign"), SecretString='{"username": "admin"}')["ARN"]
    _, keys = deployed.keys(*SQL, *(["secretsmanager:GetSecretValue"] if may_read else []))
    if may_read:
        assert deployed.warehouse(keys, managed).query("select 1").rows == [(1,)]
        with pytest.raises(TerminalError, match="is not the administrator's of namespace"):
            deployed.warehouse(keys, foreign).query("select 1")
    else:
        with pytest.raises(ClientError, match="secretsmanager:GetSecretValue"):
            deployed.warehouse(keys, managed).query("select 1")
