"""The warehouse's tables and grants as the load function makes them, for each database user that deals with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract.redshift_fixtures import LOADER, SECRET, Someone, Warehouse, own_warehouse
from gluebook.contracts import CONTRACTS
from gluebook.core.sql.load import confirm_sql, drift_sql
from gluebook.core.sql.quality import DQ_RESULTS
from gluebook.core.sql.schema import LOADER as LOADER_ROLE
from gluebook.core.sql.schema import READER, WarehouseUsers, known_users_sql, schema_sql
from gluebook.core.sql.warehouse import LOADS
from localaws.redshift import Postgres

ALL = tuple(CONTRACTS.values())
SWEEP, STRANGER = Someone(role="sweep"), Someone(role="stranger")
USERS = WarehouseUsers(loaders=("IAMR:load",), readers=("IAMR:sweep", "IAM:alice"))
LOAD = [
    f"lock table {LOADS}",
    "create temp table stage as select * from support_tickets where 1 = 0",
    "delete from support_tickets using stage where support_tickets.ticket_id = stage.ticket_id",
    "insert into support_tickets select * from stage",
    f"insert into {LOADS} values ('b', 1, 'support_tickets', 0, 0, 0, 0, 0, 1, getdate())",
    f"lock table {DQ_RESULTS}",
    f"delete from {DQ_RESULTS} where batch_id = 'b'",
]


@pytest.fixture
def warehouse(postgres: Postgres) -> Iterator[Warehouse]:
    with own_warehouse(postgres) as opened:
        yield opened


def make(warehouse: Warehouse, users: WarehouseUsers = USERS) -> None:
    """Like the load function: query the known users, then create the missing ones."""
    known = {name for sql in known_users_sql() for (name,) in warehouse.rows(sql, SecretArn=SECRET)}
    warehouse.as_admin(*schema_sql(ALL, users, frozenset(known)))


def questions() -> list[str]:
    return [
        confirm_sql(["b"]),
        *(drift_sql(contract) for contract in ALL),
        f"select count(*) from {DQ_RESULTS}",
    ]


def test_loads_and_the_sweep_do_their_work_and_a_stranger_is_told_what_is_denied(
    warehouse: Warehouse,
) -> None:
    make(warehouse)
    warehouse.ok(*LOAD, caller=LOADER)
    for question in questions():
        warehouse.ok(question, caller=SWEEP)
        assert "ERROR: permission denied for relation" in warehouse.error(question, caller=STRANGER)
    for table in CONTRACTS:
        assert "permission denied" in warehouse.error(f"delete from {table}", caller=SWEEP)
    error = warehouse.error("select count(*) from support_tickets", caller=STRANGER)
    assert error == "ERROR: permission denied for relation support_tickets"


def test_users_who_have_connected_before_are_found_and_repeating_changes_nothing(
    warehouse: Warehouse,
) -> None:
    warehouse.ok("select 1", caller=SWEEP)
    for _ in range(2):
        make(warehouse)
    warehouse.ok(*LOAD)
    warehouse.ok(questions()[0], caller=SWEEP)


def test_the_tables_of_the_first_release_belong_to_the_load_role_and_go_on(warehouse: Warehouse) -> None:
    tables = [sql for sql in schema_sql(ALL) if sql.startswith("create table")]
    names = [sql.split()[5] for sql in tables]
    warehouse.ok(*tables, *(f"grant select on {name} to public" for name in names), caller=LOADER)
    warehouse.ok(questions()[0], caller=STRANGER)
    make(warehouse)
    warehouse.ok(*LOAD, caller=LOADER)
    warehouse.ok(questions()[0], caller=SWEEP)
    assert "permission denied" in warehouse.error(questions()[0], caller=STRANGER)


def test_a_load_role_of_another_name_goes_on_with_the_same_tables(warehouse: Warehouse) -> None:
    make(warehouse)
    warehouse.ok(*LOAD, caller=LOADER)
    make(warehouse, WarehouseUsers(loaders=("IAMR:load-2",), readers=USERS.readers))
    warehouse.ok(*LOAD, caller=Someone(role="load-2"))


def test_who_is_given_the_readers_role_may_read(warehouse: Warehouse) -> None:
    make(warehouse)
    warehouse.ok("select 1", caller=STRANGER)
    warehouse.as_admin(f'grant role {READER} to "IAMR:stranger"')
    warehouse.ok(*questions(), caller=STRANGER)
    assert "permission denied" in warehouse.error(f"delete from {LOADS}", caller=STRANGER)
    assert [LOADER_ROLE] not in warehouse.rows(known_users_sql()[1], caller=STRANGER)
