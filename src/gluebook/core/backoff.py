"""When to try again what the environment has refused: soon at first, then ever more seldom.

Each try wakes the warehouse up, which bills a minute at least.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# What fails for this long waits for a person.
GIVEN_UP_AFTER = timedelta(days=1)
# After so many failures an alarm tells of it.
ALARM_AFTER = 3
# How long to pause at most: for loads, and for what nobody waits for.
LONGEST_PAUSE = timedelta(hours=4)
ONCE_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Backoff:
    """The first failure is followed by another try at once; `first` after the second; then the pauses double."""

    first: timedelta = timedelta(minutes=5)

    def pause(self, failures: int, longest: timedelta = LONGEST_PAUSE) -> timedelta:
        """How long to wait after so many failures in a row."""
        if failures < 2:
            return timedelta()
        # Enough doublings for any limit, and few enough to be counted in.
        return min(self.first * (1 << min(failures - 2, 20)), longest)

    def next_try(self, failures: int, failing_since: datetime, now: datetime) -> datetime | None:
        """When to try again what has failed `failures` times since then; None: not before a person says so.

        The last try is made when the time is up.
        """
        end = failing_since + GIVEN_UP_AFTER
        return None if now >= end else min(now + self.pause(failures), end)


# As the template has it.
BACKOFF = Backoff()
