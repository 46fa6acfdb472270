"""Shrink a failing schedule: remove steps, then simplify the remaining ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Step = dict[str, Any]
Fails = Callable[[list[Step]], bool]


def shrink(steps: list[Step], fails: Fails, most_tries: int = 1_500) -> list[Step]:
    """A short schedule that still `fails`. `steps` must."""
    tries = 0

    def still(candidate: list[Step]) -> bool:
        nonlocal tries
        tries += 1
        return tries <= most_tries and fails(candidate)

    while True:
        shorter = _simpler(_without_chunks(steps, still), still)
        if shorter == steps or tries > most_tries:
            return shorter
        steps = shorter


def _without_chunks(steps: list[Step], still: Fails) -> list[Step]:
    """Delta debugging: remove smaller and smaller runs of steps, the last ones first."""
    size = max(1, len(steps) // 2)
    while size:
        start = len(steps)
        while start > 0:
            start = max(0, start - size)
            candidate = steps[:start] + steps[start + size :]
            if len(candidate) < len(steps) and still(candidate):
                steps = candidate
        size //= 2
    return steps


def _simpler(steps: list[Step], still: Fails) -> list[Step]:
    for index in range(len(steps)):
        for step in _simplifications(steps[index]):
            candidate = [*steps[:index], step, *steps[index + 1 :]]
            if still(candidate):
                steps = candidate
                break
    return steps


def _simplifications(step: Step) -> Iterator[Step]:
    """Simpler ones first."""
    for name in ("again", "fault", "calls", "how"):
        if step.get(name) not in (None, False):
            yield {key: value for key, value in step.items() if key != name}
    if step.get("copies", 1) != 1:
        yield {**step, "copies": 1}
    if step.get("pick", 0) not in (0, -1):
        yield from ({**step, "pick": pick} for pick in (0, 1, 2, -1) if pick != step["pick"])
    if step.get("calls", 0) > 1:
        yield {**step, "calls": step["calls"] // 2}
        yield {**step, "calls": step["calls"] - 1}
    lines = step.get("lines", [])
    for number in range(len(lines) if len(lines) > 1 else 0):
        yield {**step, "lines": [*lines[:number], *lines[number + 1 :]]}
