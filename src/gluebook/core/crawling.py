"""Back-off between crawls of a dataset that fail. Each crawl is billed for at least ten minutes of two DPUs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_FIRST_WAIT = timedelta(minutes=30)
_LONGEST_WAIT = timedelta(hours=24)


@dataclass(frozen=True)
class CrawlFailures:
    """Number of a dataset's crawls that have failed in a row; no crawl starts before `until`."""

    count: int = 0
    until: datetime | None = None

    def waits(self, now: datetime) -> bool:
        """Whether it is too early for the next crawl."""
        return self.until is not None and now < self.until

    def one_more(self, now: datetime) -> CrawlFailures:
        """The state after another failure: a pause of half an hour, doubled with each failure, up to a day.

        No crawl starts during a pause, so a failure that is reported then is already counted.
        """
        if self.waits(now):
            return self
        wait = min(_FIRST_WAIT * 2 ** min(self.count, 10), _LONGEST_WAIT)
        return CrawlFailures(self.count + 1, now + wait)

    def to_mark(self) -> str:
        """The value of its mark."""
        return f"{self.count} {self.until.isoformat() if self.until else ''}"

    @staticmethod
    def from_mark(mark: str | None) -> CrawlFailures:
        """Parse the value of a mark; no failures without one."""
        if not mark:
            return CrawlFailures()
        count, _, until = mark.partition(" ")
        return CrawlFailures(int(count), datetime.fromisoformat(until) if until else None)
