"""The table of states: laws that each row keeps, and what is derived from it."""

from __future__ import annotations

import copy
import itertools
import pickle

import pytest

from gluebook.core.states import (
    ATTENTION_STATES,
    LEASED_STATES,
    NEEDS_ATTENTION,
    OPEN_STATES,
    PUBLISHED_STATES,
    REPEATABLE_STATES,
    SETTLED,
    BatchState,
    FileState,
    Phase,
    check_batch,
    check_file,
    visible_state,
)
from gluebook.errors import IllegalTransition

F, B = FileState, BatchState
FILE_PAIRS = list(itertools.product(FileState, FileState))
BATCH_PAIRS = list(itertools.product(BatchState, BatchState))


def leading_to(state: FileState | BatchState) -> set[FileState | BatchState]:
    return {other for other in type(state) if state in other.followers}


@pytest.mark.parametrize("state", [*FileState, *BatchState])
def test_a_row_names_its_state_and_says_what_it_means_and_what_to_do(state: FileState | BatchState) -> None:
    assert state == state.name == state.value
    assert state.row.meaning and state.row.action


@pytest.mark.parametrize("state", [*FileState, *BatchState])
def test_a_state_is_the_same_object_however_it_is_stored_or_sent(state: FileState | BatchState) -> None:
    for same in (type(state)(state.value), pickle.loads(pickle.dumps(state)), copy.deepcopy(state)):
        assert same is state


@pytest.mark.parametrize(("old", "new"), FILE_PAIRS)
def test_a_file_may_go_where_its_row_says_and_nowhere_else(old: FileState, new: FileState) -> None:
    if new in old.followers:
        check_file(old, new)
    else:
        with pytest.raises(IllegalTransition, match=f"file version can't go from {old} to {new}"):
            check_file(old, new)


@pytest.mark.parametrize(("old", "new"), BATCH_PAIRS)
def test_a_batch_may_go_where_its_row_says_and_nowhere_else(old: BatchState, new: BatchState) -> None:
    if new in old.followers:
        check_batch(old, new)
    else:
        with pytest.raises(IllegalTransition, match=f"batch can't go from {old} to {new}"):
            check_batch(old, new)


# -- files -------------------------------------------------------------------------------------------------


def test_a_file_is_pending_before_a_batch_carries_it() -> None:
    assert F.PENDING.followers == {F.CLAIMED}


def test_every_final_state_of_a_file_but_superseded_can_become_pending_or_be_found_to_be_another() -> None:
    for state in F:
        if state.row.phase is Phase.FINAL and state is not F.SUPERSEDED:
            assert {F.PENDING, F.CLAIMED} < state.followers


def test_only_a_file_that_has_brought_rows_can_be_superseded_and_that_is_for_good() -> None:
    assert leading_to(F.SUPERSEDED) == {F.CLAIMED}
    assert not F.SUPERSEDED.followers


# -- batches -----------------------------------------------------------------------------------------------


def test_a_lease_is_for_states_in_which_a_job_run_works() -> None:
    assert {B.CLAIMED, B.PUBLISHING, B.DIVIDING} == LEASED_STATES < OPEN_STATES


def test_a_batch_can_be_taken_over_while_a_run_works_on_it_and_in_no_other_state() -> None:
    assert {state for state in B if state in state.followers} == LEASED_STATES


def test_a_batch_is_open_until_only_an_operator_can_move_it() -> None:
    assert set(B) - OPEN_STATES == REPEATABLE_STATES | {B.DIVIDED}


def test_a_batch_that_can_be_processed_again_is_only_ever_claimed() -> None:
    assert {B.LOADED, B.EMPTY, B.REJECTED, B.FAILED} == REPEATABLE_STATES
    assert all(state.followers == {B.CLAIMED} for state in REPEATABLE_STATES)
    # CURATED, if its loads have failed.
    assert leading_to(B.CLAIMED) - LEASED_STATES == {*REPEATABLE_STATES, B.CURATED}


def test_past_the_gate_a_run_goes_forward_or_gives_the_batch_up() -> None:
    assert B.PUBLISHING.followers == {B.PUBLISHING, B.CURATED, B.EMPTY, B.REJECTED, B.DIVIDING}


def test_a_batch_is_loaded_by_a_statement_and_published_before_it() -> None:
    assert leading_to(B.LOADED) == {B.LOADING}
    assert leading_to(B.LOADING) == {B.CURATED}
    assert leading_to(B.CURATED) == {B.PUBLISHING, B.LOADING}
    assert {B.CURATED, B.LOADING, B.LOADED} == PUBLISHED_STATES


def test_what_cannot_be_completed_is_divided_until_the_bad_file_is_alone() -> None:
    assert leading_to(B.DIVIDING) == OPEN_STATES
    assert leading_to(B.DIVIDED) == {B.DIVIDING}
    # A further generation that every run dies of is not divided.
    assert leading_to(B.FAILED) == {B.DIVIDING, B.CLAIMED}


def test_nothing_is_loaded_of_a_batch_that_is_empty_or_rejected() -> None:
    assert leading_to(B.REJECTED) == {B.PUBLISHING}
    assert leading_to(B.EMPTY) == {B.PUBLISHING, B.CLAIMED}


def test_only_a_divided_batch_and_a_superseded_file_stay_what_they_are() -> None:
    assert [state for state in (*F, *B) if not state.followers] == [F.SUPERSEDED, B.DIVIDED]


def test_every_state_is_reached_and_every_batch_can_be_completed() -> None:
    for first in (F.PENDING, B.CLAIMED):
        assert reached(first) == set(type(first))
    assert all(reached(state) - OPEN_STATES for state in B)


def reached(start: FileState | BatchState) -> set[FileState | BatchState]:
    found: set[FileState | BatchState] = {start}
    while more := {state for one in found for state in one.followers} - found:
        found |= more
    return found


# -- what an operator sees ---------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FileState)
@pytest.mark.parametrize("batch", [None, *BatchState])
def test_a_claimed_file_shows_its_batchs_state_and_any_other_its_own(
    file: FileState, batch: BatchState | None
) -> None:
    expected = batch.value if file is FileState.CLAIMED and batch is not None else file.value
    assert visible_state(file, batch) == expected


def test_what_needs_attention_is_settled_and_what_is_settled_is_not_open() -> None:
    assert {B.REJECTED, B.FAILED} == ATTENTION_STATES < REPEATABLE_STATES
    assert {"REJECTED", "FAILED"} == NEEDS_ATTENTION < SETTLED
    assert {"EMPTY", "SUPERSEDED", "LOADED", *NEEDS_ATTENTION} == SETTLED
    assert not SETTLED & {"PENDING", *OPEN_STATES}
