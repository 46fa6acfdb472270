"""Upsert datasets: the newest row of a key wins, in any order and number of loads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.load_kit import APP_LOGS, SUPPORT_TICKETS, Loads, Row, log, of_file, ticket
from contract.redshift_fixtures import FORBIDDEN_ROLE
from gluebook.core.sql.load import confirm_sql, load_sql
from gluebook.core.statements import blames_data, lacks_a_table

TABLE = (
    "select ticket_id, revision, updated_at, _row_hash, category, _batch_id from support_tickets order by 1"
)
NOTES = (
    "select batch_id, generation, rows_curated, rows_merged, rows_superseded, rows_retracted, table_rows "
    "from etl_loads order by load_number"
)

Revision = tuple[str, int, int, str]


def newness(revision: Revision) -> tuple[int, int, str]:
    return revision[1:]


@st.composite
def sequences(draw: st.DrawFn) -> list[tuple[str, int, list[Revision]]]:
    """Loads of batches in three generations, later ones without some of the revisions; repeated, in any order."""
    revision = st.tuples(
        st.sampled_from("ab"), st.integers(1, 2), st.integers(1, 2), st.sampled_from(["x", "y", "v2:x"])
    )
    held = {}
    for batch in "AB":
        revisions = draw(st.lists(revision, min_size=1, max_size=5, unique=True))
        for generation in (1, 2, 3):
            held[batch, generation] = revisions
            revisions = [one for one in revisions if draw(st.integers(0, 3))]
    order = draw(st.lists(st.sampled_from(sorted(held)), min_size=2, max_size=6))
    return [(batch, generation, held[batch, generation]) for batch, generation in order]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sequence=sequences(), mends=st.booleans())
def test_the_newest_row_of_each_key_stands_whatever_the_order_of_loads(
    opened_loads: Loads, sequence: list[tuple[str, int, list[Revision]]], mends: bool
) -> None:
    opened_loads.empty()
    table: dict[str, list[Any]] = {}
    notes: list[list[Any]] = []
    generations: dict[str, int] = {}
    for batch, generation, revisions in sequence:
        category = f"as generation {generation} has it" if mends and generation > 1 else None
        request = opened_loads.request(
            SUPPORT_TICKETS,
            batch,
            [ticket(key, number, batch, day, mark, category) for key, number, day, mark in revisions],
            generation=generation,
        )
        [answer], rows, noted = opened_loads.run(SUPPORT_TICKETS, request, TABLE, NOTES)
        if generations.get(batch, 0) >= generation:
            assert list(table.values()) == rows and noted == notes
            continue
        generations[batch] = generation
        merged = 0
        for key in sorted({revision[0] for revision in revisions}):
            best = max((one for one in revisions if one[0] == key), key=newness)
            row = [key, best[1], f"2026-01-0{best[2]} 00:00:00", best[3], category, batch]
            if wins(row, table.get(key), generation):
                table[key] = row
                merged += 1
        table = dict(sorted(table.items()))
        assert rows == list(table.values())
        assert answer == [merged, len(revisions) - merged, 0]
        notes.append([batch, generation, len(revisions), *answer, len(table)])
        assert noted == notes


def wins(row: list[Any], there: list[Any] | None, generation: int) -> bool:
    if there is None or row[1:4] > there[1:4]:
        return True
    return generation > 1 and row[1:4] == there[1:4] and row[5] == there[5] and row != there


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
def test_an_older_row_never_overwrites_a_newer_one(loads: Loads, order: tuple[str, str]) -> None:
    for name in order:
        rows = [ticket("a", {"old": 1, "new": 2}[name], name)]
        loads.load(SUPPORT_TICKETS, loads.request(SUPPORT_TICKETS, name, rows))
    assert [row[5] for row in loads.warehouse.rows(TABLE)] == ["new"]


def test_an_equal_row_of_another_batch_never_passes_processed_again_or_not(loads: Loads) -> None:
    first = loads.request(SUPPORT_TICKETS, "A", [ticket("a", 1, "A", category="one")])
    assert loads.load(SUPPORT_TICKETS, first) == (1, 0, 0)
    for generation in (1, 2):
        other = loads.request(
            SUPPORT_TICKETS, "B", [ticket("a", 1, "B", category="two")], generation=generation
        )
        assert loads.load(SUPPORT_TICKETS, other) == (0, 1, 0)
    assert loads.warehouse.rows(TABLE)[0][4:] == ["one", "A"]


@pytest.mark.parametrize(("before", "after"), [("one", "two"), (None, "two"), ("one", None)])
def test_processed_again_a_mended_value_takes_effect_null_or_not(
    loads: Loads, before: str | None, after: str | None
) -> None:
    for generation, category, merged in ((1, before, 1), (2, after, 1), (3, after, 0)):
        rows = [ticket("a", 1, "A", category=category)]
        request = loads.request(SUPPORT_TICKETS, "A", rows, generation=generation)
        assert loads.load(SUPPORT_TICKETS, request) == (merged, 1 - merged, 0)
    assert loads.warehouse.rows(TABLE)[0][4] == after


# Fingerprints of one revision, of another with the same number and time, and of both in the first format.
ONE, OTHER, OLD_ONE, OLD_OTHER = "v2:0" + "7" * 60, "v2:f" + "3" * 60, "f" * 64, "0" * 64


@pytest.mark.parametrize("old", [OLD_ONE, OLD_OTHER])
@pytest.mark.parametrize("order", ["ABAB", "BABA", "ABBA", "AABB"])
def test_a_revision_from_before_a_new_fingerprint_stands_once_and_settles_whatever_is_replayed(
    loads: Loads, old: str, order: str
) -> None:
    """A held it by the first format; it arrives again with B, and both batches are replayed, in any order."""
    loads.load(SUPPORT_TICKETS, loads.request(SUPPORT_TICKETS, "A", [ticket("a", 1, "A", fingerprint=old)]))
    generations = {"A": 1, "B": 0}
    stood = []
    for batch in order:
        generations[batch] += 1
        rows = [ticket("a", 1, batch, fingerprint=ONE, category="as read now")]
        request = loads.request(SUPPORT_TICKETS, batch, rows, generation=generations[batch])
        loads.load(SUPPORT_TICKETS, request)
        stood.append(loads.warehouse.rows(TABLE))
    # The first that comes in the new format takes it, and keeps it: what is replayed later changes nothing.
    assert stood == [[["a", 1, "2026-01-01 00:00:00", ONE, "as read now", order[0]]]] * len(order)


def test_a_batch_in_the_first_format_that_is_loaded_late_takes_nothing_back(loads: Loads) -> None:
    for batch, mark, merged in (("A", ONE, 1), ("B", OLD_ONE, 0), ("C", OLD_OTHER, 0)):
        rows = [ticket("a", 1, batch, fingerprint=mark)]
        request = loads.request(SUPPORT_TICKETS, batch, rows)
        assert loads.load(SUPPORT_TICKETS, request) == (merged, 1 - merged, 0)
    newer = loads.request(SUPPORT_TICKETS, "D", [ticket("a", 2, "D", fingerprint=OLD_OTHER)])
    assert loads.load(SUPPORT_TICKETS, newer) == (1, 0, 0)


@pytest.mark.parametrize("order", ["AB", "BA", "ABA", "BAB"])
def test_revisions_with_one_number_and_time_end_alike_whatever_the_order_of_replays(
    loads: Loads, order: str
) -> None:
    old, new = {"A": OLD_ONE, "B": OLD_OTHER}, {"A": ONE, "B": OTHER}
    for batch, mark in old.items():
        rows = [ticket("a", 1, batch, fingerprint=mark, category=batch)]
        loads.load(SUPPORT_TICKETS, loads.request(SUPPORT_TICKETS, batch, rows))
    generations = {"A": 1, "B": 1}
    for batch in order:
        generations[batch] += 1
        rows = [ticket("a", 1, batch, fingerprint=new[batch], category=batch)]
        loads.load(
            SUPPORT_TICKETS,
            loads.request(SUPPORT_TICKETS, batch, rows, generation=generations[batch]),
        )
    assert [row[3:] for row in loads.warehouse.rows(TABLE)] == [[OTHER, "B", "B"]]


def test_of_a_load_that_fails_the_error_says_whether_the_data_is_to_blame(loads: Loads) -> None:
    """With the laptop's error text: a whole load, and the classification of DescribeStatement's error."""
    row = ticket("a", 1, "A", 1, "x")
    good = loads.request(SUPPORT_TICKETS, "A", [row])
    long = loads.request(SUPPORT_TICKETS, "A", [{**row, "ticket_id": "x" * 1_000}])
    null = loads.request(SUPPORT_TICKETS, "A", [{**row, "ticket_id": None}])
    unfit = loads.request(APP_LOGS, "A", [log("k", "f", "v", "A")])
    fewer = replace(good, rows=2)
    for request in (long, null, replace(good, manifest_uri=unfit.manifest_uri), fewer):
        assert blames_data(loads.error(SUPPORT_TICKETS, request))
    gone = replace(good, manifest_uri=good.manifest_uri + "-gone")
    for request in (gone, replace(good, copy_role_arn=FORBIDDEN_ROLE)):
        error = loads.error(SUPPORT_TICKETS, request)
        assert error and not blames_data(error)
    no_tables = loads.warehouse.error("select 1 from app_logs_of_tomorrow")
    assert lacks_a_table(no_tables) and not blames_data(no_tables)


def test_rows_of_another_batch_fail_the_load(loads: Loads) -> None:
    request = loads.request(SUPPORT_TICKETS, "A", [ticket("a", 1, "A"), ticket("b", 1, "B")])
    assert "ows belong to another batch" in loads.error(SUPPORT_TICKETS, request)
    assert loads.warehouse.rows(TABLE) == []


def test_a_wrong_count_fails_the_load_and_nothing_of_it_stays(loads: Loads) -> None:
    request = loads.request(SUPPORT_TICKETS, "A", [ticket("a", 1, "A")])
    assert "upport_tickets_stage does not hold 2 rows" in loads.error(
        SUPPORT_TICKETS, replace(request, rows=2)
    )
    assert loads.warehouse.rows(TABLE) == [] and loads.warehouse.rows(NOTES) == []


@pytest.mark.parametrize("dataset", ["tickets", "logs"])
def test_loads_of_one_batch_at_the_same_time_count_once(loads: Loads, dataset: str) -> None:
    contract = SUPPORT_TICKETS if dataset == "tickets" else APP_LOGS
    rows: list[Row] = [ticket("a", 1, "A")] if dataset == "tickets" else [log("a", "f", "1", "A")]
    row_references = [] if dataset == "tickets" else [of_file("f", "1", "1")]
    request = loads.request(contract, "A", rows, row_references)
    started = [loads.warehouse.start(*load_sql(contract, request)) for _ in range(4)]
    assert {loads.warehouse.wait(one)["Status"] for one in started} == {"FINISHED"}
    assert loads.drift(contract) == [1, 1, 1, 0, 0]


# -- questions ---------------------------------------------------------------------------------------------


def test_each_generation_of_the_batches_asked_for_is_confirmed(loads: Loads) -> None:
    for batch, generation, revision in (("A", 1, 1), ("A", 2, 2), ("B", 1, 1), ("C", 1, 3)):
        rows = [ticket("a", revision, batch)]
        loads.load(SUPPORT_TICKETS, loads.request(SUPPORT_TICKETS, batch, rows, generation=generation))
    assert loads.warehouse.rows(confirm_sql(["A", "B", "never"])) == [
        ["A", 1, 1, 0, 0],
        ["A", 2, 1, 0, 0],
        ["B", 1, 0, 1, 0],
    ]
    assert loads.warehouse.rows(confirm_sql([])) == []


def test_a_table_that_was_never_loaded_has_no_noted_rows(loads: Loads) -> None:
    assert loads.drift(SUPPORT_TICKETS) == [0, None, 0, 0, 0]
    loads.load(APP_LOGS, loads.request(APP_LOGS, "A", [log("a", "f", "1", "A")], [of_file("f", "1", "1")]))
    assert loads.drift(SUPPORT_TICKETS) == [0, None, 0, 0, 0]


def test_drift_counts_what_loads_would_never_leave(loads: Loads) -> None:
    for batch, keys in (("A", "ab"), ("B", "c")):
        loads.load(
            SUPPORT_TICKETS, loads.request(SUPPORT_TICKETS, batch, [ticket(key, 1, batch) for key in keys])
        )
    assert loads.drift(SUPPORT_TICKETS) == [3, 3, 2, 0, 0]
    loads.warehouse.ok(
        "insert into support_tickets select * from support_tickets where ticket_id in ('a', 'b')",
        "insert into etl_loads select * from etl_loads where batch_id = 'A'",
        "delete from support_tickets where ticket_id = 'c'",
    )
    assert loads.drift(SUPPORT_TICKETS) == [4, 3, 3, 1, 2]


@pytest.mark.parametrize("dataset", ["tickets", "logs"])
def test_what_no_load_has_changed_stays_a_difference_after_later_loads(loads: Loads, dataset: str) -> None:
    contract = SUPPORT_TICKETS if dataset == "tickets" else APP_LOGS
    key = contract.key[-1]
    for batch in "AB":
        rows: list[Row] = (
            [ticket(batch, 1, batch)] if dataset == "tickets" else [log(batch, batch, "1", batch)]
        )
        references = [] if dataset == "tickets" else [of_file(batch, "1", "1")]
        loads.load(contract, loads.request(contract, batch, rows, references))
        if batch == "A":
            loads.warehouse.ok(f"delete from {contract.name} where {key} = 'A'")
    assert loads.drift(contract) == [1, 2, 2, 0, 0]
