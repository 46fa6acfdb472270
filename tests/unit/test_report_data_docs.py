"""Great Expectations Data Docs that need no network."""

from __future__ import annotations

import re
from functools import cache
from html import escape

import pytest

from gluebook.contracts import CONTRACTS, Contract
from gluebook.quality.expectation_types import violation
from gluebook.quality.suites import load_suites
from gluebook.report.data_docs import data_docs, validation_result
from report_quality import HOSTILE, MONGOD, logs_quality, outcome, tickets_quality
from self_contained import reaches_out


@cache
def page() -> str:
    return data_docs(logs_quality())


def test_nothing_of_the_page_is_asked_of_anybody() -> None:
    assert reaches_out(page()) == []
    assert not re.search(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", page())
    assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", page())
    assert "<script" not in page()


def test_the_only_link_leads_back_to_the_day() -> None:
    assert re.findall(r"<a [^>]*href=\"([^\"]+)\"", page()) == ["../../index.html"]


def test_every_expectation_is_there_with_what_was_found() -> None:
    html = page()
    assert (
        len(re.findall(r"<td[^>]*>.{0,200}?fa-check-circle", html, re.S)) == 12
        and len(re.findall(r"<td[^>]*>.{0,200}?fa-times", html, re.S)) == 1
    )
    assert "61 unexpected values found" in html and "trace-9" in html
    assert "app_logs-20260105T101500Z-ab12cd" in html


def test_an_expectation_that_great_expectations_does_not_know_is_told_in_our_words() -> None:
    assert "Every value of message is at most 65,535 bytes long." in page()


@pytest.mark.parametrize("quality", [tickets_quality(), logs_quality(outcomes=[])], ids=["pairs", "none"])
def test_pairs_of_columns_and_no_outcome_at_all_can_be_rendered(quality: dict[str, object]) -> None:
    assert reaches_out(data_docs(quality)) == []


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
@pytest.mark.parametrize("passed", [True, False], ids=["met", "missed"])
def test_every_expectation_of_our_suites_can_be_rendered_met_and_missed(
    contract: Contract, passed: bool
) -> None:
    suites = load_suites(contract)
    outcomes = [
        outcome(
            one["type"],
            one["kwargs"],
            suite=suite["name"],
            passed=passed,
            unexpected_rows=None if violation(one) is None else 0 if passed else 5,
            unexpected_percent=None if violation(one) is None else 0.0 if passed else 50.0,
            observed="" if passed else "found instead",
        )
        for suite in (suites.rows, suites.batch)
        for one in suite["expectations"]
    ]
    html = data_docs(logs_quality(dataset=contract.name, outcomes=outcomes, passed=passed))
    assert reaches_out(html) == []
    marks = "fa-check-circle" if passed else "fa-times"
    assert len(re.findall(rf"<td[^>]*>.{{0,200}}?{marks}", html, re.S)) == len(outcomes)


def test_what_comes_out_of_data_is_text_and_never_markup() -> None:
    bad = [
        outcome(
            kind,
            kwargs,
            column=HOSTILE,
            passed=False,
            unexpected_rows=1,
            unexpected_percent=50.0,
            notes=HOSTILE,
            observed=HOSTILE,
            examples=[{HOSTILE: HOSTILE}],
        )
        for kind, kwargs in (
            ("expect_column_values_to_be_in_set", {"column": HOSTILE, "value_set": [HOSTILE]}),
            (
                "expect_column_values_to_match_regex",
                {"column": HOSTILE, "regex": HOSTILE, "row_condition": {**MONGOD, "parameter": HOSTILE}},
            ),
            ("expect_whatever", {"column": HOSTILE}),
        )
    ]
    html = data_docs(logs_quality(HOSTILE, outcomes=bad, passed=False))
    assert (
        "<script" not in html and "<img" not in html and "onerror=" not in html.replace("x.png onerror=", "")
    )
    assert f"<title>app_logs, batch {escape(HOSTILE)}</title>" in html
    assert reaches_out(html) == []


def test_the_result_counts_what_was_met() -> None:
    result = validation_result(logs_quality())
    assert result.success is True
    assert result.statistics["evaluated_expectations"] == 13
    assert result.statistics["unsuccessful_expectations"] == 1


def test_an_expectation_of_ours_that_great_expectations_has_learnt_of_is_told_in_our_words_all_the_same() -> (
    None
):
    from great_expectations.expectations.expectation import ColumnMapExpectation
    from great_expectations.expectations.registry import _registered_expectations

    name = "expect_column_value_byte_lengths_to_be_between"
    body = {
        "__module__": __name__,
        "__annotations__": {"max_value": "int"},
        "max_value": 0,
        "map_metric": "x",
    }
    before = dict(_registered_expectations)
    try:
        type(ColumnMapExpectation)("ExpectColumnValueByteLengthsToBeBetween", (ColumnMapExpectation,), body)
        assert name in _registered_expectations
        one = outcome(name, {"column": "message", "max_value": 7})
        assert "Every value of message is at most 7 bytes long." in data_docs(logs_quality(outcomes=[one]))
    finally:
        _registered_expectations.clear()
        _registered_expectations.update(before)
