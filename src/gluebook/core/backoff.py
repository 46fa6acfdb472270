"""When to try again what the environment has refused: soon at first, then ever more seldom.

Each try wakes the warehouse up, which bills a minute at least.
"""

from __future__ import annotations

from datetime import datetime, timedelta

# From the second failure on the pauses double; the first is followed by another try at once.
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=4)
# Of what nobody waits for.
ONCE_A_DAY = timedelta(days=1)
# What fails for this long waits for a person.
GIVEN_UP_AFTER = timedelta(days=1)
# After so many failures an alarm tells of it.
ALARM_AFTER = 3


def pause(failures: int, longest: timedelta = LONGEST_PAUSE) -> timedelta:
    """How long to wait after so many failures in a row."""
    if failures < 2:
        return timedelta()
    # Enough doublings for any limit, and few enough to be counted in.
    return min(FIRST_PAUSE * (1 << min(failures - 2, 20)), longest)


def next_try(failures: int, failing_since: datetime, now: datetime) -> datetime | None:
    """When to try again what has failed `failures` times since then; None: not before a person says so.

    The last try is made when the time is up.
    """
    end = failing_since + GIVEN_UP_AFTER
    return None if now >= end else min(now + pause(failures), end)
