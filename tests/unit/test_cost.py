"""What a day would cost on AWS, against figures worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluebook.core.cost import cost

SECONDS = st.lists(st.floats(0, 10_000), max_size=5)


def test_nothing_costs_nothing() -> None:
    assert cost([], [], []).total == 0


@pytest.mark.parametrize(
    ("runs", "crawls", "loads", "jobs", "crawling", "warehouse"),
    [
        # the smallest run: one minute of 2 DPU at $0.44 an hour
        ([1.0], [], [], 0.014667, 0, 0),
        # the smallest crawl: ten minutes of 2 DPU
        ([], [3.0], [], 0, 0.146667, 0),
        # the smallest load: one minute of 8 RPU at $0.375 an hour
        ([], [], [0.5], 0, 0, 0.05),
        ([3600.0], [3600.0], [3600.0], 0.88, 0.88, 3.0),
        ([30.0, 90.0], [600.0, 601.0], [60.0, 61.0], 0.036667, 0.293578, 0.100833),
    ],
)
def test_minimums_and_prices_are_those_of_the_list(
    runs: list[float], crawls: list[float], loads: list[float], jobs: float, crawling: float, warehouse: float
) -> None:
    found = cost(runs, crawls, loads)
    assert found.jobs == pytest.approx(jobs, abs=1e-6)
    assert found.crawls == pytest.approx(crawling, abs=1e-6)
    assert found.warehouse == pytest.approx(warehouse, abs=1e-6)
    assert found.total == pytest.approx(jobs + crawling + warehouse, abs=1e-5)


@given(SECONDS, SECONDS, SECONDS)
def test_one_run_for_many_files_is_never_dearer_than_a_run_for_each(
    runs: list[float], crawls: list[float], loads: list[float]
) -> None:
    together = cost(
        [sum(runs)] if runs else [], [sum(crawls)] if crawls else [], [sum(loads)] if loads else []
    )
    assert together.total <= cost(runs, crawls, loads).total + 1e-9
