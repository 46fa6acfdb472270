"""A queue of delayed things, in the order of their time."""

from __future__ import annotations

import heapq
import itertools
import time
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """Things with the time at which they are due. Not thread-safe."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._numbers = itertools.count()

    def add(self, seconds: float, thing: T) -> None:
        """Add a thing that is due after so many seconds."""
        heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._numbers), thing))

    def wait_seconds(self) -> float | None:
        """Seconds until the next thing is due, 0 if it is already; None if nothing waits."""
        return max(0.0, self._heap[0][0] - time.monotonic()) if self._heap else None

    def due(self) -> list[T]:
        """Remove and return all that is due, the earliest first."""
        now, found = time.monotonic(), []
        while self._heap and self._heap[0][0] <= now:
            found.append(heapq.heappop(self._heap)[2])
        return found
