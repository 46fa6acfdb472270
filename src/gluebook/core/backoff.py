"""Exponential back-off for what the environment refuses.

Each attempt wakes the warehouse, which is billed for at least a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# Retries stop after this time; an operator has to replay.
RETRY_FOR = timedelta(days=1)
# An alarm is raised after this many failures.
ALARM_AFTER = 3
# The longest pauses: of loads, and of queries and verdicts that nothing waits for.
LONGEST_PAUSE = timedelta(hours=4)
ONCE_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Backoff:
    """Retries at once after the first failure, after `first` following the second; then the pauses double."""

    first: timedelta = timedelta(minutes=5)

    def pause(self, failures: int, longest: timedelta = LONGEST_PAUSE) -> timedelta:
        """The pause after this many failures in a row."""
        if failures < 2:
            return timedelta()
        # Enough doublings to reach any limit, few enough not to overflow.
        return min(self.first * (1 << min(failures - 2, 20)), longest)

    def next_try(self, failures: int, failing_since: datetime, now: datetime) -> datetime | None:
        """When to retry after `failures` failures since `failing_since`; None: retries are exhausted.

        The last retry is made when `RETRY_FOR` has passed.
        """
        end = failing_since + RETRY_FOR
        return None if now >= end else min(now + self.pause(failures), end)


# The template's default.
BACKOFF = Backoff()
