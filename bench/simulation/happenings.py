"""What happens when: the calls that are due, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from bench.simulation.clock import SimulatedClock


class Happenings:
    """Calls by the second in which they are due; those of one moment in the order in which they were planned."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, time: float, call: Callable[[], None]) -> None:
        """Call at `time`, seconds since midnight."""
        heapq.heappush(self._due, (time, next(self._numbers), call))

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call so long after what is done now has been done."""
        self.at(self.clock.time + seconds, call)

    def next(self) -> bool:
        """Make the next call; False if there is none."""
        if not self._due:
            return False
        time, _, call = heapq.heappop(self._due)
        self.clock.now, self.clock.elapsed = max(time, self.clock.now), 0.0
        call()
        return True
