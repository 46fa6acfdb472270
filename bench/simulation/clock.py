"""Simulated time: it passes between events, and with every request that a function or job makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)


class SimulatedClock:
    """`now`: seconds since midnight at the last event; `elapsed`: of whatever runs since then."""

    def __init__(self, files_of_each: int) -> None:
        self.now = 0.0
        self.elapsed = 0.0
        self._at_once = 1
        self._files_of_each = files_of_each

    @property
    def time(self) -> float:
        """Seconds since midnight."""
        return self.now + self.elapsed

    def __call__(self) -> datetime:
        return MIDNIGHT + timedelta(seconds=self.time)

    def spend(self, seconds: float) -> None:
        """A request took so long; others may run beside it."""
        self.elapsed += seconds / self._at_once

    def wait(self, seconds: float) -> None:
        """All wait so long."""
        self.elapsed += seconds

    def pool(self, workers: int) -> InLine:
        """In place of a thread pool."""
        return InLine(self, workers)

    def map(self, work: Callable[[In], Out], values: Iterable[In], workers: int) -> list[Out]:
        """The results, as if `workers` threads had done the work; in order, so that a seed decides everything."""
        given = list(values)
        self._at_once = max(1, min(workers, len(given) * self._files_of_each))
        try:
            return [work(value) for value in given]
        finally:
            self._at_once = 1


class InLine:
    """A thread pool without threads."""

    def __init__(self, clock: SimulatedClock, workers: int) -> None:
        self._clock, self._workers = clock, workers

    def __enter__(self) -> InLine:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def map(self, work: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
        """As `concurrent.futures`."""
        return self._clock.map(work, values, self._workers)
