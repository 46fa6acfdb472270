"""What a job run takes up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import a_batch, a_file
from gluebook.core.claiming import MOST_ATTEMPTS, choose_files, inheritance
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import LEASED_STATES, BatchState

SIZES = st.lists(st.integers(0, 1000), max_size=12)
LIMITS = st.integers(0, 3000)
BATCHES = st.lists(
    st.builds(
        lambda state, lease, attempts: replace(a_batch(state=state), lease_until=lease, attempts=attempts),
        st.sampled_from(BatchState),
        st.integers(0, 20),
        st.integers(1, MOST_ATTEMPTS + 2),
    ),
    max_size=8,
)


def files(sizes: list[int]) -> list[FileVersion]:
    return [replace(a_file(f"f{number}"), size=size) for number, size in enumerate(sizes)]


@given(SIZES, LIMITS)
def test_never_more_than_the_limit_unless_it_is_one_file_alone(sizes: list[int], limit: int) -> None:
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
def test_only_batches_whose_lease_has_ended_are_inherited(batches: list[Batch], now: int) -> None:
    left = inheritance(batches, now)
    dead = [b for b in batches if b.state in LEASED_STATES and b.lease_until <= now]
    assert list(left.take_over) == [b for b in dead if b.attempts < MOST_ATTEMPTS]
    assert list(left.give_up) == [b for b in dead if b.attempts >= MOST_ATTEMPTS]


@pytest.mark.parametrize(("now", "inherited"), [(99, False), (100, True)])
def test_a_lease_ends_with_its_last_second(now: int, inherited: bool) -> None:
    batch = replace(a_batch(), lease_until=100)
    assert inheritance([batch], now).take_over == ((batch,) if inherited else ())


def test_a_batch_is_taken_up_three_times_at_most() -> None:
    batch = replace(a_batch(), lease_until=0, attempts=1)
    taken = 1
    while inheritance([batch], 1).take_over:
        batch = replace(batch, attempts=batch.attempts + 1)
        taken += 1
    assert taken == 3
    assert inheritance([batch], 1).give_up == (batch,)
