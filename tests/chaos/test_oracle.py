"""Tests of the oracle and the chaos harness."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from chaos.baton import CRASH_AFTER, CRASH_BEFORE, LOST_ANSWER, THROTTLED, TO_THE_END, Actor, Crash, door
from chaos.oracle import Put, expected
from chaos.play import play
from chaos.redshift import ConnectionLost, Redshift, StatementFailed
from chaos.schedule import schedule
from chaos.shrink import shrink
from gluebook.aws.ledger.table import Table
from localaws.dynamodb.memory import Dynamo


def log(version: str, *lines: str, name: str = "a") -> Put:
    return Put(f"app_logs/mongod/dt=2026-01-05/{name}", version, "\n".join(lines))


def tickets(version: str, *lines: str) -> Put:
    return Put("support_tickets/servicenow/dt=2026-01-05/t", version, "\n".join(lines))


def test_the_newest_readable_version_of_a_log_counts() -> None:
    truth = expected([log("1", "L x"), log("2", "L y"), log("3", "%broken")])
    assert truth.logs == {"y"}
    assert [fate.states for fate in truth.fates.values()] == [{"SUPERSEDED"}, {"LOADED"}, {"FAILED"}]


def test_an_empty_version_supersedes_the_previous_one() -> None:
    truth = expected([log("1", "L x"), log("2")])
    assert truth.logs == frozenset()
    assert [fate.states for fate in truth.fates.values()] == [{"SUPERSEDED"}, {"EMPTY"}]


@pytest.mark.parametrize("line", ["%poison", "L @long-1"])
def test_a_version_that_cannot_be_loaded_supersedes_none(line: str) -> None:
    assert expected([log("1", "L x"), log("2", "L y", line)]).logs == {"x"}


def test_a_record_in_two_files_stays_while_one_of_them_holds_it() -> None:
    files = [log("1", "L x", "L y"), log("2", "L x", name="b"), log("3", "L z")]
    assert expected(files).logs == {"x", "z"}


def test_the_newest_revision_of_a_ticket_stands_whatever_file_it_came_in() -> None:
    truth = expected([tickets("1", "T 1 2 01 new", "T 2 1 01 b"), tickets("2", "T 1 1 03 old", "T 2 1 02 c")])
    assert {ticket.text for ticket in truth.tickets} == {"new", "c"}
    assert len(truth.revisions) == 4


def test_a_left_out_version_supersedes_none() -> None:
    files = [log("1", "L x"), log("2", "L y")]
    assert expected(files, {files[1].name}).logs == {"x"}


def test_a_file_is_counted_line_by_line() -> None:
    (fate,) = expected([log("1", "L x", "L x", "!bad")]).fates.values()
    assert (fate.read, fate.kept, fate.rejected) == (3, 2, 1)


@pytest.mark.parametrize(
    ("fault", "made", "outcome"),
    [
        (CRASH_BEFORE, ["read", "one"], "crashed"),
        (CRASH_AFTER, ["read", "one", "two"], "crashed"),
        (THROTTLED, ["read", "one"], "failed"),
        (LOST_ANSWER, ["read", "one", "two"], "failed"),
    ],
)
def test_a_fault_affects_the_intended_call(fault: str, made: list[str], outcome: str) -> None:
    done: list[str] = []

    def work() -> None:
        for name, writes in (("read", False), ("one", True), ("two", True), ("three", True)):
            door(name, writes, partial(done.append, name))

    actor = Actor("test", "test", work)
    actor.go(2, fault)
    assert (done, actor.outcome, actor.befell) == (made, outcome, [fault])


def test_only_one_actor_runs_and_it_stops_where_it_should() -> None:
    done: list[str] = []

    def calls(name: str) -> None:
        for number in range(3):
            what = f"{name}{number}"
            door(what, True, partial(done.append, what))

    actors = [Actor(name, name, partial(calls, name)) for name in "ab"]
    actors[0].go(1)
    actors[1].go(TO_THE_END, until="b2")
    actors[0].go(TO_THE_END)
    actors[1].go(TO_THE_END)
    assert done == ["a0", "b0", "b1", "a1", "a2", "b2"]


def test_nothing_that_catches_errors_survives_a_crash() -> None:
    def work() -> None:
        try:
            door("write", True, lambda: None)
        except Exception:  # noqa: BLE001
            pytest.fail("a crash was caught")

    actor = Actor("test", "test", work)
    actor.go(0, CRASH_AFTER)
    assert isinstance(actor.error, Crash)


def _table() -> Table:
    session: Any = Dynamo(door)
    return Table("ledger", session)


def test_a_transaction_is_made_whole_or_not_at_all() -> None:
    table = _table()
    table.put({"pk": "a", "sk": "1", "state": "X"})
    second = table.put_action({"pk": "b", "sk": "1"})
    assert not table.transact(
        [second, table.update_action({"pk": "a", "sk": "1"}, {"state": "Z"}, "#state = :y", {"y": "Y"})]
    )
    assert table.get({"pk": "b", "sk": "1"}) is None
    assert table.transact(
        [second, table.update_action({"pk": "a", "sk": "1"}, {"state": "Z"}, "#state = :y", {"y": "X"})]
    )
    assert table.get({"pk": "a", "sk": "1"}) == {"pk": "a", "sk": "1", "state": "Z"}


def test_an_item_that_is_not_there_fulfils_no_condition_but_that() -> None:
    table = _table()
    key = {"pk": "a", "sk": "1"}
    assert not table.transact([table.check_action(key, "#epoch <= :now", {"now": 1})])
    assert not table.transact([table.check_action(key, "#state IN (:a, :b)", {"a": 1, "b": 2})])
    assert table.transact([table.put_action(key, "attribute_not_exists(pk)")])
    assert not table.transact([table.put_action(key, "attribute_not_exists(pk)")])


def test_a_lost_connection_before_the_commit_leaves_nothing_and_after_it_everything(
    redshift: Redshift,
) -> None:
    redshift.empty()
    noted = (
        "insert into etl_loads values ('b', 1, 'app_logs', 0, 0, 0, 0, 0, 1, timestamp '2026-01-05 00:00:00')"
    )
    for lose, rows in (("before", 0), ("after", 1)):
        with pytest.raises(ConnectionLost):
            redshift.transaction([noted], lambda uri: [], lose)
        counted = redshift.transaction(["select count(*) from etl_loads"], lambda uri: [])
        assert counted.rows == ((rows,),)


def test_a_temporary_table_is_empty_whenever_it_is_made(redshift: Redshift) -> None:
    made = ["create temp table chaos_t (a integer)", "insert into chaos_t values (1)"]
    with pytest.raises(StatementFailed):
        redshift.transaction([*made, "select cast('x' as integer)"], lambda uri: [])
    for _ in range(3):
        answer = redshift.transaction([*made, "select count(*) from chaos_t"], lambda uri: [])
        assert answer.rows == ((1,),)


def test_a_seed_gives_the_same_schedule_and_the_same_end_every_time(redshift: Redshift) -> None:
    assert json.loads(json.dumps(schedule(7))) == schedule(7)
    assert len({str(play(schedule(7), redshift)) for _ in range(2)}) == 1


def test_a_failing_schedule_is_shortened_to_what_makes_it_fail() -> None:
    steps = [{"do": "put", "n": n, "lines": ["a", "b"], "calls": 9, "pick": 7} for n in range(40)]

    def fails(candidate: list[dict[str, Any]]) -> bool:
        return {11, 30} <= {step["n"] for step in candidate} and all(
            "b" in step["lines"] for step in candidate
        )

    assert shrink(steps, fails) == [
        {"do": "put", "n": 11, "lines": ["b"], "pick": 0},
        {"do": "put", "n": 30, "lines": ["b"], "pick": 0},
    ]
