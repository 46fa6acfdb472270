"""The warehouse's PostgreSQL is killed in the middle of statements, and is back with what was committed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import psycopg
import pytest

from contract.redshift_fixtures import ADMIN, NOWHERE, TIMEOUT_SECONDS, WORKGROUP, Warehouse, open_warehouse
from infra.players_kit import eventually
from localaws.errors import LocalAwsError
from localaws.processes import is_alive
from localaws.redshift import Postgres
from localaws.redshift.postgres.connecting import connect


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres.start() as started:
        yield started


@pytest.fixture
def warehouse(postgres: Postgres) -> Iterator[Warehouse]:
    opened = open_warehouse(postgres.uri, NOWHERE)
    yield opened
    opened.api.close()


@contextmanager
def blocked(warehouse: Warehouse, table: str) -> Iterator[Callable[[], bool]]:
    """Nobody else gets at this table; the callable tells whether somebody waits for it."""
    uri = warehouse.api.database_uri(WORKGROUP)
    waiting = "select count(*) > 0 from pg_locks where not granted and relation = %s::regclass"
    with psycopg.connect(uri, autocommit=True) as looking, psycopg.connect(uri) as holding:
        holding.execute(f"lock table {table} in access exclusive mode")
        yield lambda: looking.execute(waiting, (table,)).fetchone() == (True,)
        # The connections are lost with the server; nothing is left to roll back.
        holding.close()


def test_committed_rows_survive_a_crash_and_others_do_not(postgres: Postgres, warehouse: Warehouse) -> None:
    warehouse.ok("create table kept (id int)", "create table closed (id int)", batch=True)
    warehouse.ok("insert into kept values (1)")
    for number in range(2, 30):
        warehouse.ok(f"insert into kept values ({number})")
    with blocked(warehouse, "closed") as somebody_waits:
        running = warehouse.start("insert into kept values (1000)", "insert into closed values (1)")
        eventually(somebody_waits)
        postgres.crash()
        ended = warehouse.wait(running)
    assert ended["Status"] == "FAILED"
    assert "the connection to the database was lost" in ended["Error"]
    assert [part["Status"] for part in ended["SubStatements"]] == ["FINISHED", "FAILED"]
    assert warehouse.rows("select count(*), max(id) from kept") == [[29, 29]]
    warehouse.ok("insert into kept values (1001)")
    assert warehouse.rows("select max(id) from kept") == [[1001]]


@contextmanager
def down(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server is killed; it is started again when the block ends."""
    start, killed, restart = postgres._run, threading.Event(), threading.Event()

    def start_later(port: int) -> bool:
        killed.set()
        assert restart.wait(TIMEOUT_SECONDS)
        return start(port)

    monkeypatch.setattr(postgres, "_run", start_later)
    crashing = threading.Thread(target=postgres.crash)
    crashing.start()
    assert killed.wait(TIMEOUT_SECONDS)
    try:
        yield
    finally:
        restart.set()
        crashing.join()


def status(warehouse: Warehouse, identifier: str) -> str:
    return str(warehouse.api("DescribeStatement", {"Id": identifier}, ADMIN)["Status"])


def test_statements_submitted_while_it_is_down_wait(
    postgres: Postgres, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.ok("select 1")
    with down(postgres, monkeypatch):
        identifier = warehouse.start("select 7 as n")
        eventually(lambda: status(warehouse, identifier) == "STARTED")
    assert warehouse.wait(identifier)["Status"] == "FINISHED"


def test_a_statement_that_waits_for_the_server_can_be_cancelled(
    postgres: Postgres, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.ok("select 1")
    with down(postgres, monkeypatch):
        identifier = warehouse.start("select 7 as n")
        warehouse.api("CancelStatement", {"Id": identifier}, ADMIN)
        assert warehouse.wait(identifier)["Status"] == "ABORTED"


def test_a_crash_kills_every_process_and_keeps_the_port(postgres: Postgres) -> None:
    before = postgres.uri
    postmaster = int((postgres._data / "postmaster.pid").read_text().split("\n")[0])
    doomed = [postmaster, *(one.pid for one in psutil.Process(postmaster).children(recursive=True))]
    for _ in range(3):
        postgres.crash()
    assert not any(is_alive(pid) for pid in doomed)
    assert postgres.uri == before
    psycopg.connect(postgres.uri).close()


def test_many_crashes_lose_no_commit_that_was_told(postgres: Postgres, warehouse: Warehouse) -> None:
    warehouse.ok("create table counted (id int)")
    told: list[int] = []
    enough = threading.Event()

    def count() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            if warehouse.run(f"insert into counted values ({number})")["Status"] == "FINISHED":
                told.append(number)

    counting = threading.Thread(target=count)
    counting.start()
    for _ in range(4):
        already = len(told)
        eventually(lambda least=already + 10: len(told) >= least)  # type: ignore[misc]
        postgres.crash()
    enough.set()
    counting.join()
    found = {row[0] for row in warehouse.rows("select id from counted")}
    assert set(told) <= found
    # A statement whose connection is lost at its commit may have been committed all the same.
    assert len(found) <= len(told) + 4


def test_what_is_not_running_cannot_be_killed() -> None:
    stopped = Postgres.start()
    stopped.stop()
    with pytest.raises(LocalAwsError, match="isn't running"):
        stopped.crash()


def test_whoever_waits_for_the_server_may_give_up(postgres: Postgres) -> None:
    class GivenUp(Exception):
        """Enough."""

    looks = iter(range(3))

    def proceed() -> None:
        if next(looks, None) is None:
            raise GivenUp

    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        with pytest.raises(GivenUp):
            connect(postgres.uri, proceed, port=nobody_listens.getsockname()[1])


def test_a_wrong_password_is_not_waited_for(postgres: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(postgres.uri, lambda: pytest.fail("it was waited for"), password="wrong")
