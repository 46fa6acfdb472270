"""Metrics as AWS documentation, "Specification: Embedded metric format", wants them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluebook.aws.metrics import embedded_metrics, emit
from gluebook.core.health import UNITS, Health

MOMENT = datetime(2026, 1, 5, 10, 15, 0, 250_000, tzinfo=UTC)
# Units that CloudWatch knows, of those that are in use here (AWS docs: MetricDatum).
KNOWN_UNITS = {"Count", "Seconds", "Milliseconds", "Bytes", "Percent", "None"}


def a_line(values: dict[str, float], units: dict[str, str] | None = None) -> dict[str, Any]:
    line = embedded_metrics("Gluebook", {"Dataset": "app_logs"}, values, units or {}, MOMENT)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def assert_follows_the_specification(line: dict[str, Any]) -> None:
    about = line["_aws"]
    assert isinstance(about["Timestamp"], int)
    for directive in about["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert 1 <= len(directive["Namespace"]) <= 1024
        # A list of dimension sets; each names members of the root with text.
        for names in directive["Dimensions"]:
            assert len(names) <= 30
            assert all(isinstance(line[name], str) and line[name] for name in names)
        assert 1 <= len(directive["Metrics"]) <= 100
        for metric in directive["Metrics"]:
            assert metric["Unit"] in KNOWN_UNITS
            assert isinstance(line[metric["Name"]], int | float) and not isinstance(
                line[metric["Name"]], bool
            )


def test_a_line_names_its_metrics_and_holds_their_values() -> None:
    line = a_line({"FilesPending": 3, "OldestUnloadedAge": 90}, {"OldestUnloadedAge": "Seconds"})
    assert_follows_the_specification(line)
    assert line == {
        "_aws": {
            "Timestamp": 1_767_608_100_250,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Gluebook",
                    "Dimensions": [["Dataset"]],
                    "Metrics": [
                        {"Name": "FilesPending", "Unit": "Count"},
                        {"Name": "OldestUnloadedAge", "Unit": "Seconds"},
                    ],
                }
            ],
        },
        "Dataset": "app_logs",
        "FilesPending": 3,
        "OldestUnloadedAge": 90,
    }


@given(
    st.builds(
        Health,
        pending=st.integers(0, 20_000),
        open=st.dictionaries(st.sampled_from(["CLAIMED", "LOADING", "DIVIDING"]), st.integers(1, 9)),
        oldest_seconds=st.integers(0, 10**7),
        failures=st.integers(0, 10**5),
    )
)
def test_whatever_a_dataset_is_like_its_line_follows_the_specification(seen: Health) -> None:
    line = a_line(seen.metrics(), UNITS)
    assert_follows_the_specification(line)
    assert {name: line[name] for name in seen.metrics()} == seen.metrics()


def test_the_moment_is_the_same_wherever_the_clock_hangs() -> None:
    there = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    one, other = (embedded_metrics("Gluebook", {}, {"A": 1}, {}, moment) for moment in (there, MOMENT))
    assert one == other


def test_a_line_is_written_whole_to_where_a_functions_log_comes_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emit('{"a": 1}')
    emit('{"a": 2}')
    out, err = capsys.readouterr()
    assert (out, err) == ('{"a": 1}\n{"a": 2}\n', "")
