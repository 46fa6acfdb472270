"""Which events a pattern matches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from localaws.errors import NotSupported
from localaws.events.patterns import matches

EVENT = {
    "source": "aws.s3",
    "detail": {
        "bucket": {"name": "raw"},
        "object": {"key": "tickets/servicenow/dt=2026-01-31/a b.csv", "size": 10},
        "flag": True,
        "nothing": None,
        "ip": "10.0.0.7",
        "tags": ["red", "blue"],
        "items": [{"kind": "a"}, {"kind": "b"}],
    },
}


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"bucket": {"name": ["other", "raw"]}}, True),
        ({"bucket": {"name": ["RAW"]}}, False),
        ({"bucket": {"name": [{"equals-ignore-case": "RAW"}]}}, True),
        ({"object": {"key": [{"prefix": "tickets/"}]}}, True),
        ({"object": {"key": [{"prefix": "logs/"}]}}, False),
        ({"object": {"key": [{"prefix": {"equals-ignore-case": "TICKETS/"}}]}}, True),
        ({"object": {"key": [{"suffix": ".csv"}]}}, True),
        ({"object": {"key": [{"wildcard": "tickets/*/dt=*/*.csv"}]}}, True),
        ({"object": {"key": [{"wildcard": "*.json"}]}}, False),
        ({"object": {"key": [{"wildcard": r"tickets/\*"}]}}, False),
        ({"object": {"size": [{"numeric": [">", 0, "<=", 10]}]}}, True),
        ({"object": {"size": [{"numeric": ["<", 10]}]}}, False),
        ({"object": {"size": [{"anything-but": [1, 10]}]}}, False),
        ({"object": {"key": [{"anything-but": {"prefix": "tickets/"}}]}}, False),
        ({"object": {"key": [{"anything-but": {"suffix": [".json", ".xml"]}}]}}, True),
        ({"object": {"version-id": [{"exists": False}]}}, True),
        ({"absent": {"deeper": [{"exists": False}]}}, True),
        ({"object": {"version-id": [{"anything-but": "x"}]}}, False),
        ({"nothing": [None]}, True),
        ({"nothing": [{"exists": True}]}, True),
        ({"flag": [True]}, True),
        ({"flag": [1]}, False),
        ({"tags": ["blue"]}, True),
        ({"tags": ["green"]}, False),
        ({"items": {"kind": ["b"]}}, True),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, True),
        ({"ip": [{"cidr": "10.0.1.0/24"}]}, False),
        ({"$or": [{"flag": [False]}, {"tags": ["red"]}]}, True),
        ({"$or": [{"flag": [False]}, {"tags": ["green"]}]}, False),
    ],
)
def test_a_pattern_matches_as_aws_documents_it(detail: dict[str, Any], expected: bool) -> None:
    assert matches({"source": ["aws.s3"], "detail": detail}, EVENT) is expected


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ({"source": [{"sounds-like": "s3"}]}, "sounds-like"),
        ({"source": ["other"], "detail": {"x": [{"regex": ".*"}]}}, "regex"),
        ({"detail": {"x": [{"anything-but": {"cidr": "10.0.0.0/8"}}]}}, "anything-but"),
        ({"detail": {"x": [{"numeric": ["~", 1]}]}}, "numeric"),
        ({"source": "aws.s3"}, "source"),
    ],
)
def test_what_a_pattern_says_that_is_unknown_is_refused_by_name(pattern: dict[str, Any], named: str) -> None:
    with pytest.raises(NotSupported, match=named):
        matches(pattern, EVENT)


VALUES = st.sampled_from(["a", "ab", "b/a", "A", "", 1, 2.5, None])
FILTERS = st.one_of(
    VALUES,
    st.builds(lambda v: {"exists": v}, st.booleans()),
    st.builds(
        lambda k, v: {k: v},
        st.sampled_from(["prefix", "suffix", "equals-ignore-case"]),
        st.sampled_from("aAb"),
    ),
    st.builds(lambda v: {"anything-but": v}, st.lists(VALUES, min_size=1, max_size=2)),
    st.builds(lambda v: {"anything-but": {"prefix": v}}, st.sampled_from("ab")),
    st.builds(
        lambda s, v: {"numeric": [s, v]}, st.sampled_from(["<", "<=", "=", ">=", ">"]), st.integers(0, 3)
    ),
    st.builds(lambda v: {"wildcard": v}, st.sampled_from(["*", "a*", "*/a", "b"])),
)
NAMES = st.sampled_from(["x", "y"])
EVENTS = st.dictionaries(
    NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=2) | st.lists(VALUES, max_size=2)
)
LEAF = st.lists(FILTERS, min_size=1, max_size=2)
PATTERNS = st.dictionaries(NAMES, LEAF | st.dictionaries(NAMES, LEAF, min_size=1, max_size=2), min_size=1)


@given(PATTERNS, EVENTS)
def test_it_agrees_with_another_matcher_wherever_that_one_is_right(pattern: Any, event: Any) -> None:
    # That one takes an empty array or object for a value that exists.
    def emptied(value: Any) -> bool:
        return (
            value in ([], {})
            if not isinstance(value, dict)
            else not value or any(map(emptied, value.values()))
        )

    if not any(emptied(value) for value in event.values()):
        assert matches(pattern, event) is EventPattern("", pattern).matches_event(event)
