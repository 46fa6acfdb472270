"""What texts become: each kind of value. A comment beside a case says what it became before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluebook.sources.blanks import BLANKS
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW
from gluebook.sources.times import PATTERN_LETTERS, problem_of_pattern
from gluebook.transforms.times import days, instants
from gluebook.transforms.verbs import blank_to_null
from rows_kit import rows_of_fields
from times_kit import DAY_FIRST_TIMES, DAYS, ISO_TIMES, PATTERN_TIMES


def moments(texts: Sequence[str], patterns: tuple[str, ...]) -> list[datetime | None]:
    found = instants(pa.array(texts, pa.string()), patterns).to_pylist()
    return [moment and moment.replace(tzinfo=None) for moment in found]


@pytest.mark.parametrize(
    ("cases", "patterns"),
    [(ISO_TIMES, ()), (DAY_FIRST_TIMES, SERVICENOW.time_patterns), (ISO_TIMES, SERVICENOW.time_patterns)],
    ids=["ISO 8601", "day first", "ISO 8601 beside patterns"],
)
def test_times_are_read_as_they_are_meant_or_not_at_all(
    cases: dict[str, datetime | None], patterns: tuple[str, ...]
) -> None:
    assert dict(zip(cases, moments(list(cases), patterns), strict=True)) == cases


def test_a_pattern_means_what_it_says() -> None:
    found = {
        (pattern, text): moment for pattern, text in PATTERN_TIMES for moment in moments([text], (pattern,))
    }
    assert found == PATTERN_TIMES


def test_a_date_is_the_day_that_is_written() -> None:
    found: dict[tuple[str, str], date | None] = {
        (pattern, text): days(pa.array([text]), (pattern,) if pattern else ())[0].as_py()
        for pattern, text in DAYS
    }
    assert found == DAYS


def test_texts_are_read_one_by_one_whatever_stands_beside_them() -> None:
    """Of a column some texts are by one pattern and some by another."""
    cases = {**ISO_TIMES, **DAY_FIRST_TIMES}
    texts = [*cases, None]
    found = instants(pa.array(texts, pa.string()), SERVICENOW.time_patterns).to_pylist()
    assert [moment and moment.replace(tzinfo=None) for moment in found] == [*cases.values(), None]
    assert instants(pa.array([], pa.string()), SERVICENOW.time_patterns).to_pylist() == []


def test_every_pattern_that_a_source_may_have_can_be_read_by() -> None:
    runs = [letter * length for letter, lengths in PATTERN_LETTERS.items() for length in lengths]
    patterns = [f"d/M/yyyy a '{run}' {run} [{run}]" for run in runs]
    assert not any(problem_of_pattern(pattern) for pattern in patterns)
    assert [moments(["no time"], (pattern,)) for pattern in patterns] == [[None]] * len(patterns)


TEXTS = st.text(st.sampled_from(["a", "Z", "9", "?", "ü", *BLANKS, "\x1f", "\u2060"]), max_size=8)


@given(st.lists(TEXTS, min_size=1, max_size=50))
@settings(max_examples=20, deadline=None)
def test_no_source_column_ever_begins_or_ends_with_a_blank(texts: list[str]) -> None:
    """Only spaces were taken off: `C01` and `C01`, tab were two tickets."""
    columns = SERVICENOW.columns
    cleaned = blank_to_null(
        rows_of_fields(SERVICENOW, [dict.fromkeys(columns, text) for text in texts]), SERVICENOW
    )
    stripped = [text.strip(BLANKS) for text in texts]
    wanted = [None if text in ("", "?") else text for text in stripped]
    assert [cleaned[name].to_pylist() for name in columns] == [wanted] * len(columns)


def test_a_null_marker_is_one_with_blanks_around_it() -> None:
    source = replace(SERVICENOW, null_markers=("n/a",))
    rows = rows_of_fields(source, [dict.fromkeys(source.columns, "\tn/a\u00a0")])
    assert {blank_to_null(rows, source)[name][0].as_py() for name in source.columns} == {None}
