"""Which version of a raw object is the newest, and what follows from that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import a_batch, a_file
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import LEASED_STATES, OPEN_STATES, REPEATABLE_STATES, BatchState, FileState
from gluebook.core.versions import order_after, order_of_event, resolve

# S3 does not document their length; observed ones have 16 to 18 digits.
SEQUENCERS = st.text("0123456789ABCDEFabcdef", min_size=1, max_size=32)


def value(sequencer: str) -> int:
    """As AWS docs, "Event message structure", compare them: filled up with zeros on the right, as hex."""
    return int(sequencer.ljust(64, "0"), 16)


@given(SEQUENCERS, SEQUENCERS)
def test_sequencers_sort_as_s3_says_whatever_their_lengths_and_letters(one: str, other: str) -> None:
    assert (order_of_event(one) < order_of_event(other)) == (value(one) < value(other))
    assert (order_of_event(one) == order_of_event(other)) == (value(one) == value(other))


@given(SEQUENCERS, SEQUENCERS, st.integers(1, 12))
def test_what_was_found_by_listing_comes_right_after_its_anchor_and_before_all_that_s3_tells_of_later(
    anchor: str, other: str, found: int
) -> None:
    known = [order_of_event(anchor)]
    for _ in range(found):
        known.append(order_after(known[-1]))
    assert known == sorted(set(known))
    event = order_of_event(other)
    if value(other) > value(anchor):
        assert known[-1] < event
    elif value(other) < value(anchor):
        assert event < known[0]


@given(SEQUENCERS)
def test_what_was_found_without_any_anchor_comes_before_all_that_s3_tells_of(sequencer: str) -> None:
    first = order_after("")
    assert "" < first < order_after(first) < order_of_event(sequencer)


# -- what follows ------------------------------------------------------------------------------------------

Known = tuple[list[FileVersion], dict[str, Batch]]


def version(number: int, batch: Batch | None, state: FileState = FileState.CLAIMED) -> FileVersion:
    file = a_file("a.log", version=f"v{number}", sequencer=f"{number:02d}")
    return replace(file, state=state, batch_id=batch.batch_id if batch else None)


def known(*found: tuple[FileState, BatchState | None]) -> Known:
    """Versions of one key, the oldest first, each with the state of itself and of a batch of its own."""
    batches = [
        a_batch(f"b{number}", state=state) if state else None for number, (_, state) in enumerate(found)
    ]
    versions = [
        version(number, batch, file)
        for number, (batch, (file, _)) in enumerate(zip(batches, found, strict=True))
    ]
    return versions, {batch.batch_id: batch for batch in batches if batch}


FOUND = st.one_of(
    st.tuples(st.just(FileState.PENDING), st.none()),
    # Outside the convention once, or never carried.
    st.tuples(st.just(FileState.FAILED), st.none() | st.sampled_from(BatchState)),
    st.tuples(
        st.sampled_from([FileState.CLAIMED, FileState.EMPTY, FileState.SUPERSEDED]),
        st.sampled_from(BatchState),
    ),
)


@given(
    st.lists(FOUND, max_size=6).flatmap(
        lambda found: st.tuples(st.just(found), st.permutations(range(len(found))))
    )
)
def test_exactly_the_loaded_versions_before_the_newest_loaded_one_are_withdrawn(
    drawn: tuple[list[tuple[FileState, BatchState | None]], list[int]],
) -> None:
    found, order = drawn
    versions, batches = known(*found)
    resolution = resolve([versions[place] for place in order], batches)
    there = [
        number
        for number, (file, batch) in enumerate(found)
        if batch is BatchState.LOADED and file in (FileState.CLAIMED, FileState.EMPTY)
    ]
    # An empty version has no rows to withdraw.
    stale = {n for n in there if n != max(there) and found[n][0] is FileState.CLAIMED}
    assert {file.version_id for files in resolution.withdraw.values() for file in files} == {
        f"v{n}" for n in stale
    }
    assert all(file.batch_id == batch_id for batch_id, files in resolution.withdraw.items() for file in files)


@given(st.lists(FOUND, max_size=6))
def test_a_key_is_settled_only_if_nothing_is_to_be_withdrawn_and_nothing_is_on_its_way(
    found: list[tuple[FileState, BatchState | None]],
) -> None:
    resolution = resolve(*known(*found))
    under_way = any(file is FileState.PENDING or batch in OPEN_STATES for file, batch in found)
    assert resolution.settled == (not resolution.withdraw and not under_way)


@given(st.permutations(range(5)))
def test_whatever_order_versions_are_loaded_in_only_the_newest_stays(order: list[int]) -> None:
    states: dict[int, tuple[FileState, BatchState | None]] = dict.fromkeys(
        range(5), (FileState.PENDING, None)
    )
    seen_settled = 0
    for number in order:
        states[number] = (FileState.CLAIMED, BatchState.LOADED)
        while True:
            resolution = resolve(*known(*(states[n] for n in range(5))))
            seen_settled += resolution.settled
            if not resolution.withdraw:
                break
            # The batch is opened again without the version, and loaded.
            for files in resolution.withdraw.values():
                for file in files:
                    states[int(file.version_id[1:])] = (FileState.SUPERSEDED, BatchState.LOADED)
    assert [n for n, (file, _) in states.items() if file is FileState.CLAIMED] == [4]
    assert resolution.settled and seen_settled == 1


def test_versions_of_one_batch_are_withdrawn_together() -> None:
    shared, newest = a_batch("shared", state=BatchState.LOADED), a_batch("newest", state=BatchState.LOADED)
    versions = [version(1, shared), version(2, shared), version(3, newest)]
    resolution = resolve(versions, {"shared": shared, "newest": newest})
    assert resolution.withdraw == {"shared": (versions[0], versions[1])}
    assert not resolution.settled


def test_a_version_is_withdrawn_for_a_newer_one_in_the_same_batch() -> None:
    batch = a_batch("b", state=BatchState.LOADED)
    versions = [version(1, batch), version(2, batch)]
    assert resolve(versions, {"b": batch}).withdraw == {"b": (versions[0],)}


def test_an_empty_correction_takes_the_place_of_what_was_there() -> None:
    versions, batches = known((FileState.CLAIMED, BatchState.LOADED), (FileState.EMPTY, BatchState.LOADED))
    assert resolve(versions, batches).withdraw == {"b0": (versions[0],)}


@pytest.mark.parametrize("state", sorted(REPEATABLE_STATES - {BatchState.LOADED}))
def test_a_version_that_could_not_be_loaded_takes_nothing_away(state: BatchState) -> None:
    resolution = resolve(*known((FileState.CLAIMED, BatchState.LOADED), (FileState.FAILED, state)))
    assert (resolution.withdraw, resolution.settled) == ({}, True)


@pytest.mark.parametrize("state", [*sorted(LEASED_STATES), BatchState.CURATED, BatchState.LOADING])
def test_nothing_is_withdrawn_before_its_correction_is_loaded_and_the_marker_stays(state: BatchState) -> None:
    resolution = resolve(*known((FileState.CLAIMED, BatchState.LOADED), (FileState.CLAIMED, state)))
    assert (resolution.withdraw, resolution.settled) == ({}, False)
