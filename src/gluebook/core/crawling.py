"""How long a dataset waits for its next crawl after crawls have failed. Each costs ten minutes of two DPU."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_FIRST_WAIT = timedelta(minutes=30)
_LONGEST_WAIT = timedelta(hours=24)


@dataclass(frozen=True)
class CrawlFailures:
    """How many crawls of a dataset have failed in a row, and until when there is none."""

    count: int = 0
    until: datetime | None = None

    def waits(self, now: datetime) -> bool:
        """Whether it is too early for the next crawl."""
        return self.until is not None and now < self.until

    def one_more(self, now: datetime) -> CrawlFailures:
        """After another failure: half an hour, doubled with each failure, a day at most.

        While it waits no crawl was started, so a failure that is reported then was counted already.
        """
        if self.waits(now):
            return self
        wait = min(_FIRST_WAIT * 2 ** min(self.count, 10), _LONGEST_WAIT)
        return CrawlFailures(self.count + 1, now + wait)

    def to_mark(self) -> str:
        """As the ledger keeps it."""
        return f"{self.count} {self.until.isoformat() if self.until else ''}"

    @staticmethod
    def from_mark(mark: str | None) -> CrawlFailures:
        """What the ledger keeps; none without a mark."""
        if not mark:
            return CrawlFailures()
        count, _, until = mark.partition(" ")
        return CrawlFailures(int(count), datetime.fromisoformat(until) if until else None)
