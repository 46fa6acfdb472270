"""Suites are checked against the contract before they are trusted, and made from a notebook that says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gluebook.contracts import CONTRACTS, Contract
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.contracts.support_tickets import SUPPORT_TICKETS
from gluebook.errors import ContractError, NotebookError
from gluebook.notebook.suites import export_suites
from gluebook.quality.baseline import baseline, identity
from gluebook.quality.gx import as_gx
from gluebook.quality.numbers import NUMBERS
from gluebook.quality.suites import (
    batch_suite,
    check_numbers,
    check_rows,
    load_suites,
    rows_suite,
    suite_text,
)
from notebook_kit import code

ROOT = Path(__file__).parents[2]
EACH_CONTRACT = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)


def expectation(**changes: Any) -> dict[str, Any]:
    return {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "read"},
        "severity": "critical",
        **changes,
    }


def of(kind: str, **kwargs: Any) -> dict[str, Any]:
    return expectation(type=f"expect_{kind}", kwargs=kwargs)


BETWEEN, SET, UNIQUE = (
    "column_values_to_be_between",
    "column_values_to_be_in_set",
    "compound_columns_to_be_unique",
)
PAIR, TYPE = "column_pair_values_a_to_be_greater_than_b", "column_values_to_be_in_type_list"
READ = {"type": "comparison", "column": {"name": "read"}, "operator": ">=", "parameter": 100}


def suite(*expectations: dict[str, Any], name: str = "app_logs.batch") -> dict[str, Any]:
    return {"name": name, "expectations": list(expectations)}


def test_a_proper_suite_passes() -> None:
    found = suite(
        expectation(), expectation(severity="warning"), of("table_row_count_to_be_between", min_value=1)
    )
    check_numbers(found, APP_LOGS)
    check_rows(rows_suite(APP_LOGS, [expectation(kwargs={"column": "level"})]), APP_LOGS)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], r"suite None is not app_logs\.batch"),
        (None, r"suite None is not app_logs\.batch"),
        ({"expectations": [expectation()]}, r"suite None is not app_logs\.batch"),
        (suite(expectation(), name="support_tickets"), r"'support_tickets' is not app_logs\.batch"),
        (suite(expectation(), name="support_tickets.batch"), "is not app_logs"),
        (suite(), "has no expectation"),
        ({"name": "app_logs.batch"}, "has no expectation"),
        ({"name": "app_logs.batch", "expectations": "many"}, "has no expectation"),
        (suite(expectation(), "not null"), "expectation 2: it must be an object"),  # type: ignore[arg-type]
        (suite({"type": "expect_x", "severity": "critical"}), "expectation 1: it must be an object"),
        (
            suite(expectation(), expectation(severity="fatal")),
            "expectation 2 .*severity must be one of critical",
        ),
        (suite({"type": "expect_x", "kwargs": {}}), r"expectation 1 \(expect_x\): severity"),
        (suite(expectation(mostly=0.9)), "it can't hold mostly"),
        (suite(expectation(kwargs={"column": "sauce"})), "there is no column 'sauce'"),
        (
            suite(of(PAIR, column_A="read", column_B="b", ignore_row_if="either_value_is_missing")),
            "no column 'b'",
        ),
        (suite(of(UNIQUE, column_list=["read", "reads"])), "no column 'reads'"),
        (
            suite(of("column_values_to_not_be_nul", column="read")),
            "the gate knows no expect_column_values_to_not_be_nul;",
        ),
        (
            suite(of("column_values_to_be_unique", column="read")),
            "the gate knows no expect_column_values_to_be_unique",
        ),
        (
            suite(expectation(kwargs={"column": "read", "mosty": 0.5})),
            r"no argument mosty; there are column, mostly",
        ),
        (suite(expectation(kwargs={})), "it lacks the argument column"),
        (suite(expectation(kwargs={"column": ["read"]})), "column must be the name of a column"),
        (
            suite(expectation(kwargs={"column": "read", "mostly": 99})),
            "mostly must be a number from 0 to 1, not 99",
        ),
        (
            suite(expectation(kwargs={"column": "read", "mostly": True})),
            "mostly must be a number from 0 to 1",
        ),
        (suite(of(BETWEEN, column="read")), "it needs min_value or max_value"),
        (
            suite(of(BETWEEN, column="read", min_value=None)),
            "min_value must be a number or an ISO time, not None",
        ),
        (
            suite(of(BETWEEN, column="read", min_value=float("nan"))),
            "min_value must be a number or an ISO time",
        ),
        (suite(of(BETWEEN, column="read", min_value=2, max_value=1)), "min_value 2 is above max_value 1"),
        (
            suite(of(BETWEEN, column="read", min_value=2, max_value="2026-01-05")),
            "both be numbers or both be times",
        ),
        (
            suite(of(BETWEEN, column="read", min_value="last week")),
            "min_value must be a number or an ISO time",
        ),
        (
            suite(of(BETWEEN, column="read", min_value="2026-01-05")),
            "read is DoubleType, which holds no time",
        ),
        (suite(of(BETWEEN, column="read", min_value=1, strict_min=1)), "strict_min must be true or false"),
        (suite(of("table_row_count_to_be_between", min_value="2026-01-05")), "must be numbers"),
        (suite(of("table_row_count_to_be_between")), "it needs min_value or max_value"),
        (suite(of(SET, column="read", value_set=[])), "value_set must be a list of texts"),
        (suite(of(SET, column="read", value_set=["a", 1])), "value_set must be a list of texts"),
        (suite(of(SET, column="read", value_set=[True])), "read is DoubleType, which holds no boolean"),
        (suite(of(TYPE, column="read", type_list=["StringTyp"])), "type_list must be a list of StringType"),
        (suite(of(PAIR, column_A="read", column_B="read")), "it lacks the argument ignore_row_if"),
        (
            suite(of(PAIR, column_A="read", column_B="read", ignore_row_if="never")),
            "ignore_row_if must be either_value_is_missing, not 'never'",
        ),
        (
            suite(of(UNIQUE, column_list=["read", "read"])),
            "column_list must be a list of names of columns, each once",
        ),
        (suite(of(UNIQUE, column_list=[["read"]])), "column_list must be a list of names of columns"),
        (
            suite(of("column_values_to_match_regex", column="read", regex="(")),
            "regex must be a regular expression",
        ),
        (suite(of("column_values_to_match_regex", column="read", regex="a")), "which holds no text"),
        *(
            (suite(of(BETWEEN, column="read", min_value=1, row_condition=bad)), message)
            for bad, message in (
                ({"type": "and", "conditions": [READ, READ]}, "row_condition must be a comparison"),
                ({**READ, "operator": "in"}, "row_condition must be a comparison"),
                ({**READ, "more": 1}, "row_condition must be a comparison"),
                ({**READ, "parameter": None}, "row_condition must be a comparison"),
                ({**READ, "column": {"name": "reed"}}, "there is no column 'reed'"),
                ({**READ, "parameter": "many"}, "read is DoubleType, which holds no text"),
            )
        ),
    ],
)
def test_a_suite_that_would_let_things_pass_is_refused(found: Any, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_numbers(found, APP_LOGS)


@EACH_CONTRACT
def test_a_suite_that_lacks_anything_of_what_the_contract_demands_is_refused(contract: Contract) -> None:
    whole = load_suites(contract).rows
    for one in baseline(contract):
        left = [e for e in whole["expectations"] if e != one]
        with pytest.raises(ContractError, match="lacks 1 of the expectations that its contract requires"):
            check_rows({**whole, "expectations": left}, contract)


@EACH_CONTRACT
def test_what_is_demanded_follows_the_contract(contract: Contract) -> None:
    column = replace(contract.columns[1], length=7)
    changed = replace(contract, columns=(contract.columns[0], column, *contract.columns[2:]))
    with pytest.raises(ContractError, match=r"byte_lengths_to_be_between of .*run `gluebook export`"):
        check_rows(load_suites(contract).rows, changed)


@EACH_CONTRACT
def test_the_contract_demands_its_columns_their_types_values_lengths_and_a_row_that_is_there_once(
    contract: Contract,
) -> None:
    made = baseline(contract)
    assert {one["severity"] for one in made} == {"critical"}
    assert all(one["meta"]["notes"] and "mostly" not in one["kwargs"] for one in made)

    def of(kind: str) -> dict[str, dict[str, Any]]:
        return {one["kwargs"]["column"]: one["kwargs"] for one in made if one["type"] == kind}

    assert made[0]["kwargs"] == {"min_value": 1}
    assert made[1]["kwargs"] == {"column_list": list(contract.names)}
    assert made[2]["kwargs"] == {"column_list": list(identity(contract))}
    types = of("expect_column_values_to_be_in_type_list")
    assert tuple(types) == contract.names
    assert set(of("expect_column_values_to_not_be_null")) == {
        c.name for c in contract.columns if not c.nullable
    }
    values = of("expect_column_values_to_be_in_set")
    assert {name: tuple(found["value_set"]) for name, found in values.items()} == {
        c.name: c.allowed for c in contract.columns if c.allowed
    }
    lengths = of("expect_column_value_byte_lengths_to_be_between")
    assert {name: found["max_value"] for name, found in lengths.items()} == {
        c.name: c.length for c in contract.columns if c.type == "text" and not c.allowed
    }


def test_a_row_of_the_lake_is_a_revision_of_a_ticket_or_a_log_record() -> None:
    assert identity(SUPPORT_TICKETS) == ("source", "ticket_id", "_row_hash")
    assert identity(APP_LOGS) == ("source", "log_id")


@EACH_CONTRACT
def test_the_real_suites_are_what_is_committed_and_what_their_notebook_says(contract: Contract) -> None:
    loaded = load_suites(contract)
    made = export_suites(ROOT / "notebooks" / "suites" / f"{contract.name}.ipynb", contract)
    assert list(made) == [f"{contract.name}.json", f"{contract.name}.batch.json"]
    for (name, text), found in zip(made.items(), (loaded.rows, loaded.batch), strict=True):
        assert (ROOT / "expectations" / name).read_text(encoding="utf-8") == text == suite_text(found)
        assert json.loads(text) == found
        # Whoever reads the report learns why.
        assert all(one["meta"]["notes"] for one in found["expectations"])


@EACH_CONTRACT
def test_the_real_suites_watch_rejects_and_freshness(contract: Contract) -> None:
    watched = {(e["severity"], e["kwargs"]["column"]) for e in load_suites(contract).batch["expectations"]}
    assert watched == {
        ("critical", "rejected_percent"),
        ("warning", "rejected_percent"),
        ("warning", "newest_age_hours"),
    }
    assert {column for _, column in watched} <= set(NUMBERS)


def test_a_dataset_without_a_suite_says_which_notebook_to_write() -> None:
    unknown = replace(SUPPORT_TICKETS, name="invoices")
    with pytest.raises(ContractError, match=r"write notebooks/suites/invoices\.ipynb"):
        load_suites(unknown)


@EACH_CONTRACT
def test_great_expectations_takes_the_real_suites_as_they_are(contract: Contract) -> None:
    suites = load_suites(contract)
    for suite in (suites.rows, suites.batch):
        built = [one.configuration for one in as_gx(suite).expectations]
        assert [(one.type, one.severity) for one in built] == [
            (one["type"], one["severity"]) for one in suite["expectations"]
        ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": "expect_column_values_to_not_be_nul"}, "does not know expect_column_values_to_not_be_nul"),
        ({"kwargs": {"column": "read", "mosty": 0.5}}, "refuses it: .*mosty"),
    ],
)
def test_what_great_expectations_would_drop_or_refuse_is_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=rf"(?s)suite app_logs\.batch: Great Expectations {message}"):
        as_gx(suite(expectation(), expectation(**changes)))


# -- made from a notebook ----------------------------------------------------------------------------------

ROWS, BATCH = "row_rules: list = []", f"batch_rules: list = [{expectation()!r}]"
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(*sources: str) -> Path:
        path = tmp_path / "app_logs.ipynb"
        path.write_text(
            json.dumps({"cells": [code(source, "suite") for source in sources]}), encoding="utf-8"
        )
        return path

    return made


def test_rules_stand_behind_what_the_contract_demands(make: Make) -> None:
    rule = expectation(kwargs={"column": "message", "mostly": 0.5}, severity="info")
    made = export_suites(make(f"row_rules: list = [{rule!r}]", BATCH), APP_LOGS)
    rows, batch = (json.loads(text) for text in made.values())
    assert rows["expectations"] == [*baseline(APP_LOGS), rule] == rows_suite(APP_LOGS, [rule])["expectations"]
    assert batch == batch_suite(APP_LOGS, [expectation()])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ((ROWS,), "no cell of role suite assigns batch_rules"),
        ((), "no cell of role suite assigns row_rules or batch_rules"),
        ((ROWS, ROWS, BATCH), "cell 2: row_rules is assigned a second time"),
        (("row_rules = []", BATCH), "cell 1: a suite cell is one assignment of literals"),
        (("rules: list = []", BATCH), "cell 1: a suite cell is one assignment"),
        (("row_rules: list = []\nprint(1)", BATCH), "cell 1: a suite cell is one assignment"),
        (("row_rules: list = [open('x')]", BATCH), "cell 1: a suite cell is one assignment of literals"),
        (("row_rules: list = [", BATCH), "cell 1, line 1"),
        ((ROWS, "batch_rules: list = []"), "app_logs.ipynb: suite app_logs.batch has no expectation"),
        (("row_rules: list = [{'type': 'x'}]", BATCH), "app_logs.ipynb: suite app_logs, expectation"),
    ],
)
def test_a_notebook_whose_rules_cant_be_taken_over_is_refused_with_the_place(
    make: Make, cells: tuple[str, ...], message: str
) -> None:
    with pytest.raises(NotebookError, match=message):
        export_suites(make(*cells), APP_LOGS)
