"""Every way from state to state, and none besides."""

from __future__ import annotations

import itertools

import pytest

from gluebook.core.states import (
    LEASED_STATES,
    OPEN_STATES,
    REPEATABLE_STATES,
    TROUBLED_STATES,
    BatchState,
    FileState,
    check_batch,
    check_file,
    shown_state,
)
from gluebook.errors import IllegalTransition
from gluebook.operations.status import NEEDS_ATTENTION, SETTLED

FILE_WAYS = {
    ("PENDING", "CLAIMED"),
    # what a run finds the file to be
    ("CLAIMED", "EMPTY"),
    ("CLAIMED", "FAILED"),
    # a newer version of it is loaded
    ("CLAIMED", "SUPERSEDED"),
    # its batch is divided
    ("CLAIMED", "PENDING"),
    ("EMPTY", "PENDING"),
    # a replay finds it to be something else
    ("EMPTY", "CLAIMED"),
    ("EMPTY", "FAILED"),
    ("FAILED", "CLAIMED"),
    ("FAILED", "EMPTY"),
    # there is a source for its key by now
    ("FAILED", "PENDING"),
}
BATCH_WAYS = {
    # a take-over, and what a run makes of a batch
    ("CLAIMED", "CLAIMED"),
    ("CLAIMED", "PUBLISHING"),
    # others were faster: no file is in it
    ("CLAIMED", "EMPTY"),
    # past the gate there is only forward, or giving up
    ("PUBLISHING", "PUBLISHING"),
    ("PUBLISHING", "CURATED"),
    ("PUBLISHING", "EMPTY"),
    ("PUBLISHING", "REJECTED"),
    # the load, and its next attempt
    ("CURATED", "LOADING"),
    ("LOADING", "LOADED"),
    ("LOADING", "CURATED"),
    # a batch that cannot be processed is divided until the bad file is alone
    ("CLAIMED", "DIVIDING"),
    ("PUBLISHING", "DIVIDING"),
    ("CURATED", "DIVIDING"),
    ("LOADING", "DIVIDING"),
    ("DIVIDING", "DIVIDING"),
    ("DIVIDING", "DIVIDED"),
    ("DIVIDING", "FAILED"),
    # a further generation that every run dies of isn't divided
    ("CLAIMED", "FAILED"),
    # again
    ("LOADED", "CLAIMED"),
    # its loads fail for what isn't the data's fault, and an operator has it processed again
    ("CURATED", "CLAIMED"),
    ("EMPTY", "CLAIMED"),
    ("REJECTED", "CLAIMED"),
    ("FAILED", "CLAIMED"),
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


def test_a_batch_is_open_until_nothing_becomes_of_it_by_itself_any_more() -> None:
    assert set(BatchState) - OPEN_STATES == REPEATABLE_STATES | {BatchState.DIVIDED}


def test_a_lease_is_for_states_in_which_a_job_run_works() -> None:
    assert {BatchState.CLAIMED, BatchState.PUBLISHING, BatchState.DIVIDING} == LEASED_STATES < OPEN_STATES


def test_exactly_what_has_come_to_an_end_with_files_of_its_own_can_be_processed_again() -> None:
    again = {old for old, new in BATCH_WAYS if new == "CLAIMED" and old != "CLAIMED"}
    assert again == {"CURATED", *(state.value for state in REPEATABLE_STATES)}
    assert not REPEATABLE_STATES & OPEN_STATES


def test_failed_states_need_attention() -> None:
    assert TROUBLED_STATES < REPEATABLE_STATES
    assert {BatchState.REJECTED, BatchState.FAILED} == TROUBLED_STATES


def reached(start: str, ways: set[tuple[str, str]]) -> set[str]:
    found = {start}
    while more := {b for a, b in ways if a in found} - found:
        found |= more
    return found


def test_every_state_of_a_batch_can_be_reached_from_its_claim() -> None:
    assert reached("CLAIMED", BATCH_WAYS) == {state.value for state in BatchState}


def test_every_state_of_a_file_can_be_reached_from_its_registration() -> None:
    assert reached("PENDING", FILE_WAYS) == {state.value for state in FileState}


def test_every_batch_can_come_to_an_end() -> None:
    backwards = {(b, a) for a, b in BATCH_WAYS}
    ends = [state.value for state in set(BatchState) - OPEN_STATES]
    assert set().union(*(reached(end, backwards) for end in ends)) == {state.value for state in BatchState}


def test_only_a_divided_batch_and_a_superseded_file_are_what_they_are_for_good() -> None:
    left = {old for old, new in BATCH_WAYS if old != new}
    assert {state.value for state in BatchState} - left == {"DIVIDED"}
    assert {state.value for state in FileState} - {old for old, _ in FILE_WAYS} == {"SUPERSEDED"}


def test_a_batch_that_a_run_works_on_can_be_taken_over_and_no_other() -> None:
    assert {old for old, new in BATCH_WAYS if old == new} == {state.value for state in LEASED_STATES}


@pytest.mark.parametrize("file", FileState)
@pytest.mark.parametrize("batch", [None, *BatchState])
def test_a_claimed_file_shows_its_batchs_state_and_any_other_its_own(
    file: FileState, batch: BatchState | None
) -> None:
    expected = batch.value if file is FileState.CLAIMED and batch is not None else file.value
    assert shown_state(file, batch) == expected


def test_settled_states_have_no_automatic_transition() -> None:
    assert NEEDS_ATTENTION < SETTLED
    assert {state.value for state in TROUBLED_STATES} | {FileState.FAILED.value} == NEEDS_ATTENTION
    moving = {state.value for state in OPEN_STATES} | {FileState.PENDING.value}
    assert not SETTLED & moving
    assert {FileState.SUPERSEDED.value, *(state.value for state in REPEATABLE_STATES)} <= SETTLED
