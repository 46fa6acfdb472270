"""Which work a job run takes."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import a_batch, a_file
from gluebook.core.claiming import MOST_ATTEMPTS, abandoned_batches, choose_files, halves, most_attempts
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import LEASED_STATES, BatchState

SIZES = st.lists(st.integers(0, 1000), max_size=12)
LIMITS = st.integers(0, 3000)
BATCHES = st.lists(
    st.builds(
        lambda state, lease, attempts, generation, parent, files: replace(
            a_batch(state=state),
            lease_until=lease,
            attempts=attempts,
            generation=generation,
            parent=parent,
            files=files,
        ),
        st.sampled_from(BatchState),
        st.integers(0, 20),
        st.integers(1, MOST_ATTEMPTS + 2),
        st.integers(1, 2),
        st.sampled_from([None, "divided"]),
        st.integers(1, 3),
    ),
    max_size=8,
)


def files(sizes: list[int]) -> list[FileVersion]:
    return [replace(a_file(f"f{number}"), size=size) for number, size in enumerate(sizes)]


@given(SIZES, LIMITS)
def test_a_batch_exceeds_the_limit_only_with_a_single_file(sizes: list[int], limit: int) -> None:
    chosen = choose_files(files(sizes), limit)
    assert len(chosen) <= 1 or sum(file.size for file in chosen) <= limit


@given(SIZES, LIMITS)
def test_the_oldest_come_first_and_none_is_passed_over(sizes: list[int], limit: int) -> None:
    pending = files(sizes)
    chosen = choose_files(pending, limit)
    assert chosen == pending[: len(chosen)]


@given(SIZES, LIMITS)
def test_there_is_always_progress(sizes: list[int], limit: int) -> None:
    pending = files(sizes)
    runs = 0
    while pending:
        pending = pending[len(choose_files(pending, limit)) :]
        runs += 1
        assert runs <= len(sizes)


@given(SIZES, LIMITS)
def test_whatever_fits_is_taken(sizes: list[int], limit: int) -> None:
    pending = files(sizes)
    chosen = choose_files(pending, limit)
    left = pending[len(chosen) :]
    assert not left or sum(file.size for file in chosen) + left[0].size > limit


@given(BATCHES, st.integers(0, 20))
def test_only_batches_with_an_expired_lease_are_taken_over(batches: list[Batch], now: int) -> None:
    left = abandoned_batches(batches, now)
    dead = [b for b in batches if b.state in LEASED_STATES and b.lease_until <= now]
    assert list(left.take_over) == [b for b in dead if b.attempts < most_attempts(b)]
    assert list(left.exhausted) == [b for b in dead if b.attempts >= most_attempts(b)]


@pytest.mark.parametrize(("now", "inherited"), [(99, False), (100, True)])
def test_a_lease_ends_with_its_last_second(now: int, inherited: bool) -> None:
    batch = replace(a_batch(), lease_until=100)
    assert abandoned_batches([batch], now).take_over == ((batch,) if inherited else ())


def test_a_batch_is_tried_three_times_at_most() -> None:
    batch = replace(a_batch(), lease_until=0, attempts=1)
    taken = 1
    while abandoned_batches([batch], 1).take_over:
        batch = replace(batch, attempts=batch.attempts + 1)
        taken += 1
    assert taken == 3
    assert abandoned_batches([batch], 1).exhausted == (batch,)


ALONE, PART = 1, 2
FOREVER = float("inf")


@pytest.mark.parametrize(
    ("state", "generation", "parent", "files", "most"),
    [
        (BatchState.CLAIMED, 1, None, 40, MOST_ATTEMPTS),
        (BatchState.PUBLISHING, 1, None, 40, MOST_ATTEMPTS),
        (BatchState.CLAIMED, 2, None, 40, MOST_ATTEMPTS),
        # Under suspicion: one is enough, or the one bad file among many would take too long to find.
        (BatchState.CLAIMED, 1, "divided", PART, 1),
        (BatchState.PUBLISHING, 1, "divided", PART, 1),
        # Alone, it is given every chance before it is FAILED.
        (BatchState.CLAIMED, 1, "divided", ALONE, MOST_ATTEMPTS),
        # It was loaded once: it is under suspicion no more.
        (BatchState.CLAIMED, 2, "divided", PART, MOST_ATTEMPTS),
        # A stop half-way would be worse than any number of attempts.
        (BatchState.DIVIDING, 1, None, 40, FOREVER),
        (BatchState.DIVIDING, 1, "divided", PART, FOREVER),
        (BatchState.PUBLISHING, 2, None, 40, FOREVER),
    ],
)
def test_the_number_of_attempts_depends_on_the_state_of_the_batch(
    state: BatchState, generation: int, parent: str | None, files: int, most: float
) -> None:
    batch = replace(a_batch(state=state), generation=generation, parent=parent, files=files)
    assert most_attempts(batch) == most


GROUPS = st.lists(st.tuples(st.integers(0, 100), st.sampled_from([None, "b/1", "b/2"])), max_size=12)


def grouped(drawn: list[tuple[int, str | None]]) -> list[FileVersion]:
    return [
        replace(a_file(f"g{number}"), size=size, group=group) for number, (size, group) in enumerate(drawn)
    ]


@given(GROUPS, st.integers(0, 300))
def test_files_of_different_groups_are_never_claimed_together(
    drawn: list[tuple[int, str | None]], limit: int
) -> None:
    pending = grouped(drawn)
    chosen = choose_files(pending, limit)
    assert len({file.group for file in chosen}) <= 1
    mine = [file for file in pending if chosen and file.group == chosen[0].group]
    assert chosen == mine[: len(chosen)]
    assert bool(chosen) == bool(pending)
    # Files of other groups between them keep none of its own away.
    left = mine[len(chosen) :]
    assert not left or sum(file.size for file in chosen) + left[0].size > limit


@given(st.integers(1, 50), st.randoms(use_true_random=False))
def test_halves_contain_every_file_once_and_are_the_same_for_every_run(
    count: int, order: random.Random
) -> None:
    batch, whole = a_batch("b"), files([1] * count)
    listed = list(whole)
    order.shuffle(listed)
    divided = halves(batch, listed)
    assert divided == halves(batch, whole)
    one, other = divided.values()
    assert {*map(id, one)} | {*map(id, other)} == {*map(id, whole)}
    assert len(one) + len(other) == count
    assert 0 <= len(one) - len(other) <= 1


def test_halves_of_different_batches_are_different_groups() -> None:
    assert not halves(a_batch("b"), []).keys() & halves(a_batch("c"), []).keys()
