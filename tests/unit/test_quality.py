"""What the gate's report says, what a batch's numbers are, and which rows break an expectation."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluebook.contracts import CONTRACTS
from gluebook.core.model import Counts
from gluebook.core.sql.quality import DQ_COLUMNS
from gluebook.quality.expectation_types import applies, violation
from gluebook.quality.numbers import NUMBERS, batch_numbers
from gluebook.quality.report import GateReport, Outcome
from gluebook.quality.suites import load_suites

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOLDS = Outcome("app_logs", "expect_table_row_count_to_be_between", "", {"min_value": 1}, "critical", True)
BROKEN = Outcome(
    "app_logs",
    "expect_column_values_to_not_be_null",
    "message",
    {"column": "message", "mostly": 0.99},
    "warning",
    False,
    unexpected_rows=1_200,
    unexpected_percent=12.345,
    notes="a log row without a message tells little",
    examples=({"log_id": "ab", "message": None},),
)
CRITICAL = replace(BROKEN, severity="critical", column="level", unexpected_rows=None, unexpected_percent=None)


def report(*outcomes: Outcome, **changes: Any) -> GateReport:
    made = GateReport(
        dataset="app_logs",
        batch_id="app_logs-1",
        generation=2,
        checked_at="2026-01-05T12:30:00.000000Z",
        rows=9_720,
        files=3,
        counts=Counts(10_000, 9_720, 200, 80),
        newest_at=NOON,
        outcomes=outcomes,
    )
    return replace(made, **changes)


def test_a_batch_passes_unless_a_critical_expectation_fails() -> None:
    assert report(HOLDS).passed
    assert report(HOLDS, BROKEN).passed
    assert not report(HOLDS, BROKEN, CRITICAL).passed


def test_the_summary_names_what_failed_with_its_share_and_critical_ones_first() -> None:
    found = replace(CRITICAL, observed="nothing")
    assert report(HOLDS, BROKEN, found).summary() == (
        "critical: expect_column_values_to_not_be_null of level (found nothing); "
        "warning: expect_column_values_to_not_be_null of message (1,200 rows, 12.3 %)"
    )
    assert report(HOLDS).summary() == ""


@pytest.mark.parametrize("newest", [NOON, None])
def test_a_report_is_the_same_once_it_was_kept(newest: datetime | None) -> None:
    made = report(HOLDS, BROKEN, newest_at=newest)
    stored = json.loads(json.dumps(made.to_json()))
    assert stored["passed"] is True
    assert stored["newest_at"] == ("2026-01-05T12:00:00+00:00" if newest else None)
    assert GateReport.from_json(stored) == made
    # As releases stored it that had two engines.
    assert GateReport.from_json({**stored, "engine": "pandas"}) == made


def test_the_warehouse_gets_a_row_per_outcome_with_the_batchs_numbers_in_each() -> None:
    rows = report(HOLDS, BROKEN).rows_for_warehouse()
    assert [tuple(row) for row in rows] == [tuple(column.name for column in DQ_COLUMNS)] * 2
    assert [(row["column_name"], row["passed"], row["unexpected_rows"]) for row in rows] == [
        (None, True, None),
        ("message", False, 1_200),
    ]
    assert {(row["rows_read"], row["rows_rejected"], row["batch_passed"]) for row in rows} == {
        (10_000, 80, True)
    }
    assert rows[0]["checked_at"] == datetime(2026, 1, 5, 12, 30)
    assert rows[0]["newest_at"] == datetime(2026, 1, 5, 12)


def test_every_value_that_the_warehouse_demands_is_there() -> None:
    [row] = report(HOLDS, newest_at=None).rows_for_warehouse()
    missing = {name for name, value in row.items() if value is None}
    assert missing == {"newest_at", "column_name", "unexpected_rows"}
    assert missing <= {column.name for column in DQ_COLUMNS if column.nullable}


# -- a batch's numbers -------------------------------------------------------------------------------------


def test_a_batchs_numbers_are_shares_of_what_was_read_and_an_age_by_the_date_of_arrival() -> None:
    found = batch_numbers(3, Counts(200, 150, 40, 10), NOON, "2026-01-05")
    assert found == {
        "files": 3,
        "read": 200,
        "curated": 150,
        "duplicates": 40,
        "rejected": 10,
        "curated_percent": 75,
        "duplicates_percent": 20,
        "rejected_percent": 5,
        "newest_age_hours": 12,
    }
    assert tuple(found) == tuple(NUMBERS)


@pytest.mark.parametrize("arrived", ["9999-12-31", "0001-01-01"])
def test_the_last_and_the_first_date_that_there_are_have_an_age_as_well(arrived: str) -> None:
    age = batch_numbers(1, Counts(1, 1), NOON, arrived)["newest_age_hours"]
    assert age is not None
    assert (age > 0) is (arrived == "9999-12-31")


def test_what_cant_be_told_is_null() -> None:
    found = batch_numbers(0, Counts(), None, None)
    assert [name for name, value in found.items() if value is None] == [
        "curated_percent",
        "duplicates_percent",
        "rejected_percent",
        "newest_age_hours",
    ]


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_the_shares_of_a_batch_that_reconciles_are_the_whole(
    curated: int, duplicates: int, rejected: int
) -> None:
    counts = Counts(curated + duplicates + rejected, curated, duplicates, rejected)
    found = batch_numbers(1, counts, None, None)
    shares = [found[f"{name}_percent"] for name in ("curated", "duplicates", "rejected")]
    if counts.read:
        assert sum(share for share in shares if share is not None) == pytest.approx(100)


# -- rows that break an expectation ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "kwargs", "condition"),
    [
        ("expect_column_values_to_not_be_null", {"column": "a"}, "`a` is null"),
        (
            "expect_column_values_to_be_in_set",
            {"column": "a", "value_set": ["it's", "\\n"]},
            r"`a` not in ('it\'s', '\\n')",
        ),
        ("expect_column_values_to_be_between", {"column": "a", "min_value": 0}, "`a` < 0"),
        (
            "expect_column_values_to_be_between",
            {"column": "a", "min_value": 1, "max_value": 5},
            "`a` < 1 or `a` > 5",
        ),
        (
            "expect_column_values_to_be_between",
            {"column": "a", "min_value": "2000-01-01T00:00:00"},
            "`a` < timestamp '2000-01-01T00:00:00'",
        ),
        (
            "expect_column_value_byte_lengths_to_be_between",
            {"column": "a", "max_value": 9},
            "octet_length(`a`) > 9",
        ),
        ("expect_column_value_lengths_to_equal", {"column": "a", "value": 64}, "length(`a`) <> 64"),
        ("expect_column_values_to_match_regex", {"column": "a", "regex": "^x"}, "not `a` rlike '^x'"),
        (
            "expect_column_pair_values_a_to_be_greater_than_b",
            {"column_A": "a", "column_B": "b", "or_equal": True},
            "`a` < `b`",
        ),
        (
            "expect_column_pair_values_a_to_be_greater_than_b",
            {"column_A": "a", "column_B": "b"},
            "`a` <= `b`",
        ),
        (
            "expect_compound_columns_to_be_unique",
            {"column_list": ["a", "b"]},
            "count_if((`a` is not null or `b` is not null)) over (partition by `a`, `b`) > 1"
            " and (`a` is not null or `b` is not null)",
        ),
        ("expect_table_row_count_to_be_between", {"min_value": 1}, None),
    ],
)
def test_rows_that_break_an_expectation_are_told_by_a_condition(
    kind: str, kwargs: dict[str, Any], condition: str | None
) -> None:
    assert violation({"type": kind, "kwargs": kwargs}) == condition


def test_an_expectation_for_some_rows_is_broken_by_those_alone() -> None:
    only = {"type": "comparison", "column": {"name": "source"}, "operator": "==", "parameter": "help'desk"}
    kwargs = {"column": "a", "row_condition": only, "mostly": 0.9}
    one = {"type": "expect_column_values_to_not_be_null", "kwargs": kwargs}
    assert violation(one) == r"(`a` is null) and (`source` = 'help\'desk')"
    assert applies(one) == r"(`source` = 'help\'desk')"
    few = {**kwargs, "row_condition": {**only, "operator": ">=", "parameter": 100}, "value": 64}
    assert applies({"type": "expect_column_value_lengths_to_equal", "kwargs": few}) == (
        "(`source` >= 100) and (`a` is not null)"
    )


def test_of_every_expectation_on_rows_in_the_real_suites_the_rows_that_break_it_can_be_shown() -> None:
    for contract in CONTRACTS.values():
        for expectation in load_suites(contract).rows["expectations"]:
            about_the_table = (
                expectation["type"].startswith("expect_table_") or "type_list" in expectation["kwargs"]
            )
            assert (violation(expectation) is None) == about_the_table, expectation
