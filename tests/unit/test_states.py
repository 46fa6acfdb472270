"""Every way from state to state, and none besides."""

from __future__ import annotations

import itertools

import pytest

from gluebook.core.states import (
    LEASED_STATES,
    OPEN_STATES,
    BatchState,
    FileState,
    check_batch,
    check_file,
    shown_state,
)
from gluebook.errors import IllegalTransition
from gluebook.status import SETTLED, TROUBLED

FILE_WAYS = {("PENDING", "CLAIMED"), ("CLAIMED", "EMPTY"), ("CLAIMED", "FAILED")}
BATCH_WAYS = {
    # a take-over, and what a run makes of a batch
    ("CLAIMED", "CLAIMED"),
    ("CLAIMED", "PUBLISHING"),
    ("CLAIMED", "EMPTY"),
    ("CLAIMED", "REJECTED"),
    ("CLAIMED", "FAILED"),
    # past the gate there is only forward, or giving up
    ("PUBLISHING", "PUBLISHING"),
    ("PUBLISHING", "CURATED"),
    ("PUBLISHING", "FAILED"),
    # the load, and its next attempt
    ("CURATED", "LOADING"),
    ("CURATED", "FAILED"),
    ("LOADING", "LOADED"),
    ("LOADING", "CURATED"),
    ("LOADING", "FAILED"),
}


@pytest.mark.parametrize(("old", "new"), list(itertools.product(FileState, FileState)))
def test_a_file_goes_exactly_the_ways_there_are(old: FileState, new: FileState) -> None:
    if (old.value, new.value) in FILE_WAYS:
        check_file(old, new)
    else:
        with pytest.raises(IllegalTransition, match=f"file version can't go from {old} to {new}"):
            check_file(old, new)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(BatchState, BatchState)))
def test_a_batch_goes_exactly_the_ways_there_are(old: BatchState, new: BatchState) -> None:
    if (old.value, new.value) in BATCH_WAYS:
        check_batch(old, new)
    else:
        with pytest.raises(IllegalTransition, match=f"batch can't go from {old} to {new}"):
            check_batch(old, new)


def test_a_batch_is_open_until_nothing_can_become_of_it_any_more() -> None:
    assert set(BatchState) - OPEN_STATES == {
        BatchState.LOADED,
        BatchState.EMPTY,
        BatchState.REJECTED,
        BatchState.FAILED,
    }


def test_a_lease_is_for_states_in_which_a_job_run_works() -> None:
    assert {BatchState.CLAIMED, BatchState.PUBLISHING} == LEASED_STATES < OPEN_STATES


def test_every_batch_can_come_to_an_end() -> None:
    reached = set(BatchState) - OPEN_STATES
    while more := {BatchState(a) for a, b in BATCH_WAYS if BatchState(b) in reached} - reached:
        reached |= more
    assert reached == set(BatchState)


@pytest.mark.parametrize("file", FileState)
@pytest.mark.parametrize("batch", [None, *BatchState])
def test_a_claimed_file_shows_its_batchs_state_and_any_other_its_own(
    file: FileState, batch: BatchState | None
) -> None:
    expected = batch.value if file is FileState.CLAIMED and batch is not None else file.value
    assert shown_state(file, batch) == expected


def test_what_an_operator_is_told_is_settled_never_moves_again() -> None:
    shown = {shown_state(file, batch) for file in FileState for batch in (None, *BatchState)}
    moving = {state.value for state in OPEN_STATES} | {FileState.PENDING.value}
    assert shown - moving == SETTLED
    assert TROUBLED < SETTLED
