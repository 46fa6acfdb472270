"""How a dataset is doing, in numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from fakes import a_batch, a_file
from gluebook.core.health import UNITS, Health, health
from gluebook.core.model import NotedVerdict
from gluebook.core.states import OPEN_STATES, BatchState

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def test_a_dataset_at_rest_has_no_age() -> None:
    assert health([], [], 0, NOW) == Health()


def test_the_age_is_that_of_the_oldest_thing_that_is_not_loaded_yet() -> None:
    files = [a_file(at="2026-01-05T11:58:00.000Z"), a_file(at="2026-01-05T11:57:00.000Z")]
    batches = [
        replace(a_batch(state=BatchState.LOADING), created_at="2026-01-05T11:59:00.000Z"),
        replace(a_batch(), created_at="2026-01-05T11:50:00.000Z"),
    ]
    assert health(files, [], 0, NOW).oldest_seconds == 180
    assert health([], batches[:1], 0, NOW).oldest_seconds == 60
    assert health(files, batches, 0, NOW).oldest_seconds == 600


def test_what_waits_again_after_a_division_is_as_old_as_it_was() -> None:
    file = replace(a_file(at="2026-01-05T11:00:00.000Z"), waiting_since="2026-01-05T11:59:00.000Z")
    assert health([file], [], 0, NOW).oldest_seconds == 3_600


def test_what_is_processed_again_is_late_from_then_on_when_it_was_asked_for() -> None:
    again = replace(
        a_batch(),
        created_at="2025-12-01T00:00:00.000Z",
        changed_at="2026-01-05T11:55:00.000Z",
        generation=2,
    )
    assert health([], [again], 0, NOW).oldest_seconds == 300


def test_a_clock_that_is_behind_gives_no_negative_age() -> None:
    assert health([a_file(at="2026-01-05T12:00:05.000Z")], [], 0, NOW).oldest_seconds == 0


@given(st.lists(st.sampled_from(sorted(OPEN_STATES)), max_size=8), st.integers(0, 5), st.integers(0, 9))
def test_open_batches_are_counted_by_state_pending_files_and_failures_as_they_are(
    states: list[BatchState], pending: int, failures: int
) -> None:
    found = health([a_file() for _ in range(pending)], [a_batch(state=s) for s in states], failures, NOW)
    assert found.open == {state.value: states.count(state) for state in set(states)}
    assert (found.pending, found.failures) == (pending, failures)


def test_every_number_has_a_metric_of_its_own() -> None:
    open_now = {"CLAIMED": 1, "DIVIDING": 2}
    seen = Health(3, open_now, oldest_seconds=90, failures=4, failing_loads=5, failing_verdicts=6)
    assert seen.metrics() == {
        "FilesPending": 3,
        "OldestUnloadedAge": 90,
        "Failures": 4,
        "LoadsFailing": 5,
        "VerdictsFailing": 6,
        "BatchesClaimed": 1,
        "BatchesDividing": 2,
    }


def test_alarm_metrics_are_written_even_when_they_are_zero() -> None:
    assert Health().metrics() == {
        "FilesPending": 0,
        "OldestUnloadedAge": 0,
        "Failures": 0,
        "LoadsFailing": 0,
        "VerdictsFailing": 0,
    }
    assert UNITS.keys() <= Health().metrics().keys()


def test_a_load_that_fails_counts_from_the_third_time_on_whether_or_not_another_is_under_way() -> None:
    waits = a_batch(state=BatchState.CURATED)
    under_way = a_batch(state=BatchState.LOADING)
    for attempts, failing in ((0, 0), (2, 0), (3, 1), (9, 1)):
        assert health([], [replace(waits, load_attempts=attempts)], 0, NOW).failing_loads == failing
        again = replace(under_way, load_attempts=attempts + 1)
        assert health([], [again], 0, NOW).failing_loads == failing
    # With exhausted retries it counts until an operator acts.
    assert health([], [replace(waits, load_attempts=13, given_up=True)], 0, NOW).failing_loads == 1


def test_a_verdict_counts_once_three_of_its_statements_must_have_failed() -> None:
    noted = NotedVerdict("b", "app_logs", 1, 1, rows=1)
    verdicts = [replace(noted, attempts=attempts) for attempts in (0, 3, 4, 40)]
    assert health([], [], 0, NOW, verdicts).failing_verdicts == 2
