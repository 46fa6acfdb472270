"""How much of each limit is used, and when it is reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from bench.simulation.limits import Limit


@dataclass
class Use:
    """The peak, where it was, and the second in which the limit was reached; None: it was not.

    held   seconds for which requests were held back
    """

    peak: float = 0.0
    where: str = ""
    reached_at: float | None = None
    held: float = 0.0

    def add(self, value: float, where: str) -> None:
        """One more value."""
        if value > self.peak:
            self.peak, self.where = value, where

    def reach(self, at: float) -> None:
        """The limit was reached at `at`."""
        self.reached_at = at if self.reached_at is None else min(at, self.reached_at)


class Meter:
    """The use of `limits`. Times are seconds of the simulation."""

    def __init__(self, limits: Mapping[str, Limit]) -> None:
        self.limits = limits
        self.used = {name: Use() for name in limits}
        self._seconds: defaultdict[tuple[str, str], defaultdict[int, float]] = defaultdict(
            lambda: defaultdict(float)
        )

    def observe(self, name: str, value: float, at: float, where: str = "") -> bool:
        """A value at one moment; whether it exceeds the limit."""
        self.used[name].add(value, where)
        if value > self.limits[name].most:
            self.used[name].reach(at)
            return True
        return False

    def count(self, name: str, at: float, amount: float = 1, where: str = "") -> bool:
        """Something more in this second, which nothing holds back; whether it exceeds the limit of a second."""
        second = self._seconds[name, where]
        second[int(at)] += amount
        return self.observe(name, second[int(at)], at, where)

    def take(self, name: str, at: float, amount: float, of: str = "", where: str = "") -> float:
        """Something that is held back at the limit of a second; how long, in seconds. `of`: what has the limit."""
        most, taken, second = self.limits[name].most, self._seconds[name, of], int(at)
        if taken[second] + amount <= most:
            taken[second] += amount
            self.used[name].add(taken[second], where)
            return 0.0
        left = amount
        while True:
            fits = min(left, most - taken[second])
            taken[second] += fits
            left -= fits
            self.used[name].add(taken[second], where)
            if left <= 0:
                break
            self.used[name].reach(at)
            second += 1
        held = second - at if second > int(at) else 0.0
        self.used[name].held += held
        return held

    def first(self) -> str | None:
        """The limit that was reached first."""
        reached = {name: use.reached_at for name, use in self.used.items() if use.reached_at is not None}
        return min(reached, key=lambda name: reached[name]) if reached else None
