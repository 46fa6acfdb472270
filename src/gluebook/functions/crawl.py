"""Crawl: keep the catalog up to date with the lake, with as few crawls as possible."""

from __future__ import annotations

import logging
import uuid

from botocore.exceptions import ClientError

from gluebook.contracts import contract
from gluebook.core.crawling import CrawlFailures
from gluebook.core.events import CrawlEnded
from gluebook.core.loading import crawl_needed
from gluebook.core.model import Batch
from gluebook.functions.work import Loading

_log = logging.getLogger(__name__)


def crawl_if_needed(batch: Batch, work: Loading) -> None:
    """Start the crawler if the batch brought what the catalog hasn't got."""
    names = contract(batch.dataset).names
    try:
        known, columns = work.catalog.partitions(batch.dataset), work.catalog.columns(batch.dataset)
        if crawl_needed(work.crawl_policy, batch, known, names, columns):
            crawl(batch.dataset, work)
    except ClientError:
        # No row waits for the catalog; the sweep asks again.
        _log.exception("the catalog could not be asked about batch %s", batch.batch_id)
        _ask_again(batch.dataset, work)


def crawl_ended(event: CrawlEnded, dataset: str, work: Loading) -> None:
    """Note how a crawl has ended; start the next one if it is wanted, after a failure only when it has waited."""
    name = _failures(dataset)
    if event.state == "Failed":
        failures = CrawlFailures.from_mark(work.ledger.mark(name)).one_more(work.clock())
        work.ledger.set_mark(name, failures.to_mark())
        _ask_again(dataset, work)
        _log.error(
            "crawler %s failed %d times in a row: no crawl before %s",
            event.crawler,
            failures.count,
            failures.until,
        )
    else:
        work.ledger.clear_mark(name)
    crawl_if_wanted(dataset, work)


def crawl_if_wanted(dataset: str, work: Loading) -> None:
    """Start the crawler if an earlier start was refused, or its crawl failed."""
    if work.ledger.mark(_wanted(dataset)):
        crawl(dataset, work)


def crawl(dataset: str, work: Loading) -> None:
    """Start the crawler, or remember that it must be asked again: when the crawl under way ends, or later."""
    wanted = work.ledger.mark(_wanted(dataset))
    if not _start(dataset, work):
        _ask_again(dataset, work)
    elif wanted:
        # Unless it was set again since: this crawl may not see what was published after its start.
        work.ledger.clear_mark(_wanted(dataset), wanted)


def _ask_again(dataset: str, work: Loading) -> None:
    """Remember that a crawl is wanted: each time with a new value, so that only a later start removes the mark."""
    work.ledger.set_mark(_wanted(dataset), f"wanted {uuid.uuid4().hex}")


def _start(dataset: str, work: Loading) -> bool:
    if CrawlFailures.from_mark(work.ledger.mark(_failures(dataset))).waits(work.clock()):
        return False
    try:
        return work.catalog.start_crawler(work.crawlers[dataset])
    except ClientError:
        _log.exception("crawler %s could not be started", work.crawlers[dataset])
        return False


def _wanted(dataset: str) -> str:
    """The name of the ledger's mark for a crawl that has to be asked for again."""
    return f"crawl:{dataset}"


def _failures(dataset: str) -> str:
    """The name of the ledger's mark for the crawls that failed in a row; see CrawlFailures."""
    return f"crawl-failures:{dataset}"
