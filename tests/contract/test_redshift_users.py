"""Database users of the laptop's Redshift: who owns a table, and what the others may do with it."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from contract.redshift_fixtures import (
    ACCOUNT,
    ADMIN,
    BUCKET,
    ROLE,
    SECRET,
    Someone,
    Warehouse,
    own_warehouse,
)
from localaws.endpoint import Endpoint
from localaws.redshift import Postgres
from localaws.redshift.users import database_user

SWEEP = Someone(role="sweep")


@pytest.fixture
def warehouse(postgres: Postgres, s3_endpoint: Endpoint) -> Iterator[Warehouse]:
    """A warehouse in which the load role has made a table `t` with one row."""
    with own_warehouse(postgres, s3_endpoint) as opened:
        opened.ok("create table t (a int, b varchar(9))", "insert into t values (1, 'x')")
        yield opened


@pytest.mark.parametrize(
    ("caller", "user"),
    [
        (Someone(role="load"), "IAMR:load"),
        (Someone(role="load", session="another"), "IAMR:load"),
        (ADMIN, "IAM:RootIdentity"),
    ],
)
def test_a_caller_is_a_database_user_that_is_made_at_the_first_connection(
    warehouse: Warehouse, caller: Someone, user: str
) -> None:
    warehouse.ok("select 1", caller=caller)
    assert [user, False] in warehouse.rows("select usename, usesuper from pg_user")


def test_an_iam_user_goes_by_its_name_and_the_root_by_a_name_of_its_own() -> None:
    assert database_user(None, f"arn:aws:iam::{ACCOUNT}:user/team/alice") == "IAM:alice"
    assert database_user(None, f"arn:aws:iam::{ACCOUNT}:root") == "IAM:RootIdentity"


@pytest.mark.parametrize(
    "statement",
    [
        "select * from t",
        "insert into t values (2, 'y')",
        "update t set a = 2",
        "delete from t",
        "lock table t",
        f"copy t from 's3://{BUCKET}/t/' iam_role '{ROLE}' format as parquet",
        "grant select on t to public",
    ],
)
@pytest.mark.parametrize("caller", [SWEEP, ADMIN])
def test_a_table_is_its_creators_and_nobody_elses(
    warehouse: Warehouse, statement: str, caller: Someone
) -> None:
    warehouse.put_parquet("t/1.parquet", pa.table({"a": pa.array([7], pa.int32()), "b": ["z"]}))
    warehouse.ok(statement)
    warehouse.ok("revoke select on t from public")
    assert warehouse.error(statement, caller=caller) == "ERROR: permission denied for relation t"


@pytest.mark.parametrize("statement", ["drop table t", "alter table t add column c int"])
def test_only_its_owner_changes_a_table(warehouse: Warehouse, statement: str) -> None:
    warehouse.as_admin('create user "IAMR:sweep" password disable')
    warehouse.ok('grant select, insert, update, delete on t to "IAMR:sweep"')
    assert warehouse.error(statement, caller=SWEEP) == "ERROR: must be owner of relation t"


def test_everybody_may_create_tables_in_public_and_temporary_ones_but_no_schemas(
    warehouse: Warehouse,
) -> None:
    warehouse.ok("create table u (a int)", "create temp table v as select 1 as a", caller=SWEEP)
    assert "permission denied" in warehouse.error("create schema s", caller=SWEEP)


def test_a_role_lets_those_who_have_it(warehouse: Warehouse) -> None:
    warehouse.as_admin(
        "create role reader",
        'create user "IAMR:sweep" password disable',
        'grant role reader to "IAMR:sweep"',
        "grant select on t to role reader",
    )
    assert warehouse.rows("select a from t", caller=SWEEP) == [[1]]
    assert "permission denied" in warehouse.error("delete from t", caller=SWEEP)
    assert "permission denied" in warehouse.error("select a from t", caller=ADMIN)
    warehouse.ok("revoke select on t from role reader")
    assert "permission denied" in warehouse.error("select a from t", caller=SWEEP)


def test_a_user_may_be_made_before_it_first_connects_and_made_only_once(warehouse: Warehouse) -> None:
    warehouse.as_admin('create user "IAMR:sweep" password disable')
    warehouse.ok("select 1", caller=SWEEP)
    for taken in ('create user "IAMR:load" password disable', 'create role "IAMR:load"'):
        assert "already exists" in warehouse.error(taken, SecretArn=SECRET)


def test_only_the_administrator_makes_users_and_roles(warehouse: Warehouse) -> None:
    for statement in ("create role reader", 'create user "IAMR:x" password disable'):
        assert "permission denied to create" in warehouse.error(statement)
    warehouse.as_admin("create role reader")
    assert "permission denied" in warehouse.error('grant role reader to "IAMR:load"').lower()
    assert warehouse.rows("select role_name from svv_roles") == []
    assert warehouse.rows("select role_name from svv_roles", SecretArn=SECRET) == [["reader"]]


def test_a_secret_logs_in_the_administrator_and_no_other_secret_does(warehouse: Warehouse) -> None:
    warehouse.as_admin("select * from t", "create table mine (a int)")
    assert warehouse.error("select * from mine") == "ERROR: permission denied for relation mine"
    assert "is not the administrator's" in warehouse.error("select 1", SecretArn=SECRET + "x")


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ('grant select on t to "IAMR:nobody"', 'user "IAMR:nobody" does not exist'),
        ("grant select on t to role nobody", 'role "nobody" does not exist'),
        ('grant select on t to role "IAMR:load"', 'role "IAMR:load" does not exist'),
        ('revoke select on t from "IAMR:nobody"', 'user "IAMR:nobody" does not exist'),
    ],
)
def test_who_is_named_must_exist(warehouse: Warehouse, statement: str, missing: str) -> None:
    assert warehouse.error(statement) == f"ERROR: {missing}"


def test_users_are_those_of_one_database(
    postgres: Postgres, s3_endpoint: Endpoint, warehouse: Warehouse
) -> None:
    warehouse.as_admin("create role reader")
    with own_warehouse(postgres, s3_endpoint) as other:
        other.as_admin("create role reader", 'create user "IAMR:load" password disable')
    warehouse.as_admin("grant select on t to role reader")
