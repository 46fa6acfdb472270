"""Names and tokens of loads, the next states of their batches, and when a crawl is needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import a_batch
from gluebook.clock import new_batch_id, utc_now
from gluebook.contracts import CONTRACTS
from gluebook.contracts.reasons import ReasonText
from gluebook.core.backoff import LONGEST_PAUSE, RETRY_FOR
from gluebook.core.loading import (
    CrawlPolicy,
    after_failed_load,
    batch_of_statement,
    client_token,
    crawl_needed,
    is_due,
    loaded,
    retry_status,
    statement_name,
)
from gluebook.core.model import Batch, Counts
from gluebook.core.statements import Statement
from gluebook.core.states import BatchState, check_batch
from gluebook.core.timestamps import utc_timestamp

BATCH_IDS = st.text(st.characters(codec="ascii", exclude_characters=":"), min_size=1, max_size=60)


def a_load(batch_id: str, attempt: int, generation: int = 1) -> Batch:
    return replace(a_batch(batch_id, state=BatchState.LOADING), load_attempts=attempt, generation=generation)


@given(BATCH_IDS, st.integers(0, 10**6), st.integers(1, 10**3))
def test_a_statements_name_tells_its_batch(batch_id: str, attempt: int, generation: int) -> None:
    assert batch_of_statement(statement_name(a_load(batch_id, attempt, generation))) == batch_id


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gluebook-query",
        "gluebook-load:b",
        "gluebook-load:b:1",
        "gluebook-load:b:1:x",
        "gluebook-load:b:x:1",
        "gluebook-load::1:1",
    ],
)
def test_other_statements_belong_to_no_batch(name: str) -> None:
    assert batch_of_statement(name) is None


PLACES = st.tuples(st.integers(1, 99), st.integers(1, 99))


@given(BATCH_IDS, PLACES, PLACES)
def test_each_attempt_of_each_generation_has_a_token_of_its_own(
    one: str, first: tuple[int, int], second: tuple[int, int]
) -> None:
    assert client_token(a_load(one, *first)) == client_token(a_load(one, *first))
    assert (client_token(a_load(one, *first)) == client_token(a_load(one, *second))) == (first == second)
    assert 1 <= len(client_token(a_load(one, *first))) <= 64


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_tokens_of_real_batches_are_not_cut(dataset: str) -> None:
    batch_id = new_batch_id(dataset, utc_now())
    assert client_token(a_load(batch_id, 99, 999)) == f"{batch_id}-999-99"
    assert batch_of_statement(statement_name(a_load(batch_id, 1))) == batch_id


NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
DATA, ENVIRONMENT = True, False


def failed(attempt: int, at: datetime = NOW, since: str = "", *, blames_data: bool = ENVIRONMENT) -> Batch:
    batch = replace(a_load("b", attempt), failing_since=since)
    return after_failed_load(batch, ReasonText("load_failed: no"), at, blames_data=blames_data)


def test_what_the_data_is_to_blame_for_is_divided_whatever_was_before() -> None:
    divided = failed(9, since=utc_timestamp(NOW), blames_data=DATA)
    assert (divided.state, divided.reason) == (BatchState.DIVIDING, "load_failed: no")
    check_batch(BatchState.LOADING, divided.state)


@given(st.integers(1, 400), st.floats(0, 23.99))
def test_an_environment_failure_keeps_the_batch_curated_and_is_due_within_hours(
    attempt: int, hours: float
) -> None:
    at = NOW + timedelta(hours=hours)
    waits = failed(attempt, at, utc_timestamp(NOW))
    assert (waits.state, waits.given_up, waits.failing_since) == (
        BatchState.CURATED,
        False,
        utc_timestamp(NOW),
    )
    due = datetime.fromisoformat(waits.retry_at)
    assert at - timedelta(milliseconds=1) <= due <= min(at + LONGEST_PAUSE, NOW + RETRY_FOR)
    assert is_due(waits, due)
    assert is_due(waits, at) == (utc_timestamp(at) == waits.retry_at)


def test_after_a_day_retries_are_exhausted() -> None:
    given_up = failed(13, NOW + RETRY_FOR, utc_timestamp(NOW))
    assert (given_up.state, given_up.given_up) == (BatchState.CURATED, True)
    assert not is_due(given_up, NOW + timedelta(days=365))
    assert given_up.repeatable
    again = given_up.reopened()
    assert (again.given_up, again.failing_since, again.retry_at) == (False, "", "")


@pytest.mark.parametrize("state", [state for state in BatchState if state is not BatchState.CURATED])
def test_only_a_curated_batch_is_due(state: BatchState) -> None:
    assert is_due(a_batch(state=BatchState.CURATED), NOW)
    assert not is_due(a_batch(state=state), NOW)


def test_the_retry_status_says_what_a_batch_waits_for() -> None:
    assert retry_status(a_batch(state=BatchState.CURATED)) is None
    assert retry_status(a_load("b", 1)) is None
    assert retry_status(a_load("b", 3)) == "2 loads failed, another one is running"
    waits = replace(failed(1), retry_at="2026-01-05T12:05:00.000Z")
    assert retry_status(waits) == "1 load failed, the next one is due at 2026-01-05T12:05:00.000Z"
    assert retry_status(replace(waits, retry_at="")) == "1 load failed, the next one is due"
    given_up = retry_status(replace(waits, given_up=True)) or ""
    assert given_up.startswith("1 load failed, retries exhausted") and "gluebook replay" in given_up


def test_a_loaded_batch_has_the_counts_of_its_load_and_no_reason_any_more() -> None:
    batch = replace(a_load("b", 2), counts=Counts(10, 7, 2, 1), reason="load_failed: conflict")
    done = loaded(batch, 5, 2, 3)
    assert (done.state, done.merged, done.superseded, done.retracted, done.reason) == (
        BatchState.LOADED,
        5,
        2,
        3,
        None,
    )


@pytest.mark.parametrize(
    ("curated", "merged", "retracted", "expected"),
    [
        # Nothing changed: what the batch has in the table is what it had.
        (7, 0, 0, (5, 2, 1)),
        # One row less is curated, and the warehouse had nothing to take away.
        (6, 0, 0, (5, 1, 1)),
        # It merged or retracted rows, so its counts are used.
        (7, 1, 0, (1, 6, 0)),
        (7, 0, 2, (0, 7, 2)),
        # Fewer rows than before: the old counts are no longer valid.
        (4, 0, 0, (0, 4, 0)),
    ],
)
def test_processed_again_without_effect_a_batch_keeps_the_counts_it_had(
    curated: int, merged: int, retracted: int, expected: tuple[int, int, int]
) -> None:
    before = replace(
        a_load("b", 1, generation=2),
        counts=Counts(curated, curated, 0, 0),
        merged=5,
        superseded=2,
        retracted=1,
    )
    done = loaded(before, merged, curated - merged, retracted)
    assert (done.merged, done.superseded, done.retracted) == expected
    assert done.merged + done.superseded == curated


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 9), st.integers(1, 3))
def test_curated_is_merged_and_superseded_after_every_load(
    curated: int, merged: int, before: int, retracted: int, generation: int
) -> None:
    batch = replace(a_load("b", 1, generation), counts=Counts(curated, curated, 0, 0), merged=before)
    merged = min(merged, curated)
    done = loaded(batch, merged, curated - merged, retracted)
    assert done.merged + done.superseded == curated


@pytest.mark.parametrize(
    ("policy", "brought", "known", "contract", "columns", "needed"),
    [
        ("when-needed", ["2026-01-05"], {"2026-01-05"}, ["a", "b"], ["a", "b", "c"], False),
        ("when-needed", [], set(), ["a"], ["a"], False),
        ("when-needed", ["2026-01-05", "2026-01-06"], {"2026-01-05"}, ["a"], ["a"], True),
        ("when-needed", ["2026-01-05"], {"2026-01-05"}, ["a", "b"], ["a"], True),
        ("when-needed", ["2026-01-05"], {"2026-01-05"}, ["Camel"], ["camel"], False),
        ("when-needed", [], None, ["a"], [], True),
        ("always", [], {"2026-01-05"}, ["a"], ["a"], True),
        ("never", ["2026-01-05"], None, ["a"], [], False),
    ],
)
def test_a_crawl_is_for_what_the_catalog_lacks(
    policy: CrawlPolicy,
    brought: list[str],
    known: set[str] | None,
    contract: list[str],
    columns: list[str],
    needed: bool,
) -> None:
    batch = replace(a_batch(), partitions=tuple(brought))
    assert crawl_needed(policy, batch, known, contract, columns) is needed


@pytest.mark.parametrize(("policy", "needed"), [("when-needed", True), ("always", True), ("never", False)])
def test_a_batch_of_more_dates_than_the_ledger_names_is_taken_to_bring_a_new_one(
    policy: CrawlPolicy, needed: bool
) -> None:
    batch = replace(a_batch(), partitions=("2026-01-05",), partitions_left_out=1)
    assert crawl_needed(policy, batch, {"2026-01-05"}, ["a"], ["a"]) is needed


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("FINISHED", True),
        ("FAILED", True),
        ("ABORTED", True),
        ("STARTED", False),
        ("SUBMITTED", False),
        ("PICKED", False),
    ],
)
def test_a_statement_has_ended_when_it_changes_no_more(status: str, ended: bool) -> None:
    assert Statement("s", status, result_id="s").ended is ended
