"""Expectations in plain words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gluebook.quality.expectation_types import EXPECTATION_TYPES
from gluebook.quality.words import condition_in_words, sentence

SUITES = sorted((Path(__file__).parents[2] / "expectations").glob("*.json"))


def compared(column: str, operator: str, value: object) -> dict[str, Any]:
    """A condition as Great Expectations keeps it."""
    return {"type": "comparison", "column": {"name": column}, "operator": operator, "parameter": value}


SAYS: list[tuple[str, dict[str, Any], str]] = [
    ("expect_table_row_count_to_be_between", {"min_value": 1}, "The number of rows is at least 1."),
    (
        "expect_table_row_count_to_be_between",
        {"min_value": 1, "max_value": 2000},
        "The number of rows is at least 1 and at most 2,000.",
    ),
    (
        "expect_table_columns_to_match_ordered_list",
        {"column_list": ["source", "log_id", "level"]},
        "The table has exactly 3 columns, in this order: source, log_id and level.",
    ),
    (
        "expect_column_values_to_be_in_type_list",
        {"column": "opened_at", "type_list": ["TIMESTAMP", "timestamp[us]"]},
        "opened_at is stored as TIMESTAMP or timestamp[us].",
    ),
    ("expect_column_values_to_not_be_null", {"column": "level"}, "level is never empty."),
    (
        "expect_column_values_to_not_be_null",
        {"column": "message", "mostly": 0.999},
        "message has a value in at least 99.9 % of the rows.",
    ),
    (
        "expect_column_values_to_not_be_null",
        {"column": "opened_at", "mostly": 0.9, "row_condition": compared("source", "==", "servicenow")},
        "Where source is servicenow, opened_at has a value in at least 90 % of the rows.",
    ),
    (
        "expect_column_values_to_be_in_set",
        {"column": "urgency", "value_set": ["high", "medium", "low"]},
        "Every value of urgency is one of high, medium or low.",
    ),
    (
        "expect_column_values_to_be_between",
        {"column": "rating", "min_value": 1, "max_value": 5, "mostly": 0.95},
        "At least 95 % of the values of rating are at least 1 and at most 5.",
    ),
    (
        "expect_column_values_to_be_between",
        {"column": "occurred_at", "min_value": "2000-01-01T00:00:00"},
        "Every value of occurred_at is not before 2000-01-01.",
    ),
    (
        "expect_column_values_to_be_between",
        {"column": "share", "max_value": 1, "strict_max": True},
        "Every value of share is below 1.",
    ),
    (
        "expect_column_value_lengths_to_equal",
        {"column": "log_id", "value": 64},
        "Every value of log_id is exactly 64 characters long.",
    ),
    (
        "expect_column_values_to_match_regex",
        {"column": "span_id", "regex": "^[0-9a-f]{16}$", "mostly": 0.99},
        "At least 99 % of the values of span_id are of the form ^[0-9a-f]{16}$.",
    ),
    (
        "expect_compound_columns_to_be_unique",
        {"column_list": ["source", "log_id"]},
        "No two rows have the same source and log_id.",
    ),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "resolved_at", "column_B": "opened_at"},
        "resolved_at is after opened_at.",
    ),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {
            "column_A": "resolved_at",
            "column_B": "first_response_at",
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
            "mostly": 0.95,
        },
        "In at least 95 % of the rows resolved_at is not before first_response_at where both are given.",
    ),
    (
        "expect_column_values_to_be_between",
        {"column": "rejected_percent", "max_value": 50, "row_condition": compared("read", ">=", 100)},
        "Where the number of records read is at least 100, the percentage of rejected records is at most 50.",
    ),
    (
        "expect_column_value_byte_lengths_to_be_between",
        {"column": "message", "max_value": 65535},
        "Every value of message is at most 65,535 bytes long.",
    ),
]


@pytest.mark.parametrize(("expectation", "kwargs", "says"), SAYS)
def test_an_expectation_is_told_as_a_sentence(expectation: str, kwargs: dict[str, Any], says: str) -> None:
    assert sentence(expectation, kwargs) == says


def test_a_type_that_is_not_known_is_told_by_its_name_and_arguments() -> None:
    kwargs = {"column": "cost", "min_value": 3, "row_condition": compared("a", "==", 1)}
    assert (
        sentence("expect_column_sum_to_be_between", kwargs)
        == "Where a is 1, Column sum to be between (column: cost; min value: 3)."
    )
    assert sentence("expect_", {}) == "Something without a name."


def test_arguments_that_are_missing_are_no_reason_to_fail() -> None:
    assert sentence("expect_column_values_to_match_regex", {"column": "a"}) == (
        "Column values to match regex (column: a)."
    )


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        (compared("source", "==", "servicenow"), "source is servicenow"),
        (compared("read", ">=", 100), "the number of records read is at least 100"),
        (compared("a", "!=", "x y"), "a is not x y"),
        ({"type": "and", "conditions": []}, "{'type': 'and', 'conditions': []}"),
        ("length(message) > 3", "length(message) > 3"),
    ],
)
def test_a_condition_is_told_in_words_or_as_it_is(condition: Any, says: str) -> None:
    assert condition_in_words(condition) == says


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.stem)
def test_every_expectation_of_our_suites_has_words_of_its_own(suite: Path) -> None:
    for expectation in json.loads(suite.read_text())["expectations"]:
        told = sentence(expectation["type"], expectation["kwargs"])
        bare = expectation["type"].removeprefix("expect_").replace("_", " ")
        assert bare not in told.lower() and told.endswith(".")


@pytest.mark.parametrize("kind", EXPECTATION_TYPES)
def test_each_type_that_the_gate_knows_has_a_sentence_of_its_own(kind: str) -> None:
    signature = EXPECTATION_TYPES[kind].signature
    of = {"column_list": ["a"], "value_set": ["x"], "type_list": ["StringType"]}
    kwargs = {name: of.get(name, 1) for name in signature.required | (signature.optional & {"min_value"})}
    by_name = kind.removeprefix("expect_").replace("_", " ").capitalize()
    assert not sentence(kind, kwargs).startswith(by_name)
