"""Suites are checked against the contract before they are trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gluebook.datasets import APP_LOGS, CONTRACTS, SUPPORT_TICKETS, Contract
from gluebook.errors import ContractError
from gluebook.quality.suites import check_suite, load_suite

ROOT = Path(__file__).parents[2]


def expectation(**changes: Any) -> dict[str, Any]:
    return {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "source"},
        "severity": "critical",
        **changes,
    }


def suite(*expectations: dict[str, Any], name: str = "app_logs") -> dict[str, Any]:
    return {"name": name, "expectations": list(expectations)}


def test_a_proper_suite_passes() -> None:
    check_suite(suite(expectation(), expectation(severity="warning"), expectation(kwargs={})), APP_LOGS)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "suite None is not for dataset app_logs"),
        (None, "suite None is not for dataset app_logs"),
        ({"expectations": [expectation()]}, "suite None is not for dataset app_logs"),
        (suite(expectation(), name="support_tickets"), "'support_tickets' is not for dataset app_logs"),
        (suite(), "expects nothing"),
        ({"name": "app_logs"}, "expects nothing"),
        (
            suite(expectation(), expectation(severity="fatal")),
            "expectation 2 .*severity must be one of critical",
        ),
        (suite({"type": "expect_x", "kwargs": {}}), r"expectation 1 \(expect_x\): severity"),
        (suite(expectation(kwargs={"column": "sauce"})), "app_logs has no column 'sauce'"),
        (suite(expectation(kwargs={"column_A": "source", "column_B": "b"})), "no column 'b'"),
        (suite(expectation(kwargs={"column_A": "a", "column_B": "source"})), "no column 'a'"),
        (suite(expectation(kwargs={"column_list": ["source", "log_ids"]})), "no column 'log_ids'"),
    ],
)
def test_a_suite_that_would_let_things_pass_is_refused(found: Any, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_suite(found, APP_LOGS)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
def test_the_real_suites_are_for_their_contracts(contract: Contract) -> None:
    loaded = load_suite(contract)
    assert loaded == json.loads((ROOT / "expectations" / f"{contract.name}.json").read_text())


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
def test_the_real_suites_demand_a_row_a_unique_identity_and_what_the_warehouse_demands(
    contract: Contract,
) -> None:
    expectations = load_suite(contract)["expectations"]
    critical = {
        (e["type"], e["kwargs"].get("column"))
        for e in expectations
        if e["severity"] == "critical" and "mostly" not in e["kwargs"]
    }
    assert ("expect_table_row_count_to_be_between", None) in critical
    [unique] = [e for e in expectations if e["type"] == "expect_compound_columns_to_be_unique"]
    # The lake keeps every revision of a row, so its identity there is the key and, where there is one, the hash.
    assert unique["severity"] == "critical"
    assert tuple(unique["kwargs"]["column_list"][: len(contract.key)]) == contract.key
    demanded = {column for kind, column in critical if kind == "expect_column_values_to_not_be_null"}
    identity = {name for name in contract.names if name.startswith("_") or name in contract.key}
    assert {c.name for c in contract.columns if not c.nullable} - identity <= demanded | {"is_error"}


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
def test_the_real_suites_allow_exactly_the_contracts_values(contract: Contract) -> None:
    for e in load_suite(contract)["expectations"]:
        if e["type"] == "expect_column_values_to_be_in_set":
            assert tuple(e["kwargs"]["value_set"]) == contract.column(e["kwargs"]["column"]).allowed


def test_a_dataset_without_a_suite_says_which_file_to_write() -> None:
    unknown = Contract("invoices", SUPPORT_TICKETS.columns, ("source",), ("revision",), ("x",))
    with pytest.raises(ContractError, match=r"write expectations/invoices\.json"):
        load_suite(unknown)
