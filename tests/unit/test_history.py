"""The past that an item of the ledger keeps: its beginning, its end, and how much lies between."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from gluebook.core.history import MOST_CHANGES, change_entry, clipped, clipped_reason, shortened
from localaws.dynamodb import limits, sizes

AT = "2026-01-05T10:15:00.000Z"


def changes(count: int) -> list[dict[str, Any]]:
    return [change_entry(AT, "CLAIMED", str(number), "tester") for number in range(count)]


def left_out(history: list[dict[str, Any]]) -> int:
    return sum(int(change.get("left_out", 0)) for change in history)


def test_a_short_history_stays_whole() -> None:
    assert shortened(changes(40)) == changes(40)


def test_of_a_long_history_the_beginning_and_the_end_stay_with_the_number_of_those_between() -> None:
    everything = changes(1000)
    assert shortened(everything) == [*everything[:10], {"left_out": 960}, *everything[-30:]]


@given(st.integers(0, 300), st.lists(st.integers(0, 80), max_size=8))
def test_however_often_it_is_shortened_no_change_goes_uncounted(first: int, more: list[int]) -> None:
    everything = changes(first + sum(more))
    history = shortened(everything[:first])
    for added in more:
        so_far = len(history) - ("left_out" in str(history)) + left_out(history)
        history = shortened([*history, *everything[so_far : so_far + added]])
        assert len(history) < MOST_CHANGES
    assert len([one for one in history if "left_out" not in one]) + left_out(history) == len(everything)
    assert history[:10] == everything[:10]
    assert not everything or history[-1] == everything[-1]


def test_what_dynamodb_gives_back_as_a_decimal_counts_as_well() -> None:
    history = [*changes(10), {"left_out": Decimal(7)}, *changes(100)]
    assert left_out(shortened(history)) == 7 + 70


@given(st.text(), st.integers(3, 60))
def test_a_text_that_is_cut_off_is_valid_and_no_longer_than_allowed(text: str, most: int) -> None:
    cut = clipped(text, most)
    assert len(cut.encode()) <= most
    assert cut == text if len(text.encode()) <= most else text.startswith(cut.removesuffix("…"))


def test_half_a_character_is_replaced_and_no_reason_stays_none() -> None:
    assert clipped("a\ud800", 10) == "a?"
    assert clipped_reason(None) is None


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.text() | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_the_chaos_tests_count_bytes_as_the_laptop_does(value: Any) -> None:
    if isinstance(value, int) and abs(value) >= 10**38:
        return
    try:
        wire = TypeSerializer().serialize(value)
    except ArithmeticError:  # more digits than DynamoDB has
        return
    assert sizes.size(value) == limits.attribute_size(wire)
