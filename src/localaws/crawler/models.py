"""Crawls as moto keeps them, with a state that only the service changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.glue import models
from moto.glue.exceptions import InvalidInputException
from moto.glue.models import FakeCrawl, FakeCrawler

from ..patches import Patches, around, replace

# A crawl's state -> what GetCrawler's LastCrawl calls it.
_LAST_CRAWL_STATUS = {"COMPLETED": "SUCCEEDED", "FAILED": "FAILED", "STOPPED": "CANCELLED"}


class Crawl(FakeCrawl):  # type: ignore[misc]
    """A crawl whose state is set by the service: RUNNING, STOPPING, COMPLETED, FAILED or STOPPED.

    moto's own crawls become COMPLETED after a while.
    """

    def __init__(self, crawler_name: str) -> None:
        super().__init__(crawler_name)
        self.state = "RUNNING"
        self.error = ""

    @property
    def status(self) -> str:
        """The state, under the name moto asks for."""
        return self.state

    @status.setter
    def status(self, value: str) -> None:
        self.state = value  # moto's StopCrawler sets STOPPING

    def advance(self) -> None:
        """moto's hook for the passing of time; it changes nothing here."""

    def finish(self, state: str, error: str = "") -> None:
        """Enter a final state."""
        self.end_time = datetime.now(UTC).replace(tzinfo=None)  # as moto's timestamps: UTC without saying so
        self.error = error
        self.state = state

    def as_dict(self) -> dict[str, Any]:
        """The crawl as ListCrawls shows it; its cost is not known here."""
        shown: dict[str, Any] = super().as_dict()
        shown.pop("DPUHour", None)
        if self.error:
            shown["ErrorMessage"] = self.error
        return shown


def crawl_patches(started: Callable[[FakeCrawler, Crawl], None]) -> Patches:
    """moto keeps Crawls, each is passed to `started`, and GetCrawler shows the last finished one."""
    # In-process: moto has no hook for a crawl that was started, and takes no lock between its look at the
    # crawler's state and the start.
    lock = threading.Lock()

    def start_crawler(start: Callable[[FakeCrawler], Any], crawler: FakeCrawler) -> None:
        _check_policy(crawler)
        with lock:
            start(crawler)
            crawl = crawler.crawls[-1]
        started(crawler, crawl)

    def as_dict(show: Callable[[FakeCrawler], dict[str, Any]], crawler: FakeCrawler) -> dict[str, Any]:
        shown = show(crawler)
        shown.pop("LastCrawl", None)
        finished = [one for one in crawler.crawls if one.status in _LAST_CRAWL_STATUS]
        if finished:
            shown["LastCrawl"] = _last_crawl(finished[-1])
        running = crawler.crawls and crawler.crawls[-1] not in finished
        since = crawler.crawls[-1].start_time if running else None
        now = datetime.now(UTC).replace(tzinfo=None)
        shown["CrawlElapsedTime"] = int((now - since).total_seconds() * 1000) if since else 0
        return shown

    return Patches(
        replace(models, "FakeCrawl", Crawl),
        around(FakeCrawler, "start_crawler", start_crawler),
        around(FakeCrawler, "as_dict", as_dict),
    )


def _last_crawl(crawl: Any) -> dict[str, Any]:
    shown = {
        "Status": _LAST_CRAWL_STATUS[crawl.status],
        "LogGroup": crawl.log_group,
        "LogStream": crawl.log_stream,
        "MessagePrefix": crawl.message_prefix,
        "StartTime": crawl.start_time,
    }
    if getattr(crawl, "error", ""):
        shown["ErrorMessage"] = crawl.error
    return shown


def _check_policy(crawler: FakeCrawler) -> None:
    """AWS docs: "Scheduling incremental crawls for adding new partitions"."""
    behavior = (crawler.recrawl_policy or {}).get("RecrawlBehavior", "CRAWL_EVERYTHING")
    policy = crawler.schema_change_policy or {}
    if behavior == "CRAWL_NEW_FOLDERS_ONLY" and (
        policy.get("UpdateBehavior") != "LOG" or policy.get("DeleteBehavior") != "LOG"
    ):
        message = (
            'The SchemaChangePolicy for "Crawl new folders only" Amazon S3 target can have only LOG '
            "DeleteBehavior value and LOG UpdateBehavior value."
        )
        raise InvalidInputException("StartCrawler", message)
