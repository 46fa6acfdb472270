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
from gluebook.functions.context import LoadContext

_log = logging.getLogger(__name__)


def crawl_if_needed(batch: Batch, context: LoadContext) -> None:
    """Start the crawler if the catalog lacks a partition or column of the batch."""
    names = contract(batch.dataset).names
    try:
        known, columns = context.catalog.partitions(batch.dataset), context.catalog.columns(batch.dataset)
        if crawl_needed(context.crawl_policy, batch, known, names, columns):
            crawl(batch.dataset, context)
    except ClientError:
        # Loads do not depend on the catalog; the sweep retries the crawl.
        _log.exception("could not read the catalog for batch %s", batch.batch_id)
        _want_crawl(batch.dataset, context)


def crawl_ended(event: CrawlEnded, dataset: str, context: LoadContext) -> None:
    """Record how a crawl ended, and start the next one if it is wanted; after a failure only after a pause."""
    name = _failures(dataset)
    if event.state == "Failed":
        failures = CrawlFailures.from_mark(context.ledger.mark(name)).one_more(context.clock())
        context.ledger.set_mark(name, failures.to_mark())
        _want_crawl(dataset, context)
        _log.error(
            "crawler %s failed %d times in a row: no crawl before %s",
            event.crawler,
            failures.count,
            failures.until,
        )
    else:
        context.ledger.clear_mark(name)
    crawl_if_wanted(dataset, context)


def crawl_if_wanted(dataset: str, context: LoadContext) -> None:
    """Start the crawler if an earlier start was refused or its crawl failed."""
    if context.ledger.mark(_wanted(dataset)):
        crawl(dataset, context)


def crawl(dataset: str, context: LoadContext) -> None:
    """Start the crawler, or record that it must be started later, for example when the running crawl ends."""
    wanted = context.ledger.mark(_wanted(dataset))
    if not _start(dataset, context):
        _want_crawl(dataset, context)
    elif wanted:
        # Unless the mark was set again since: this crawl may miss what was published after its start.
        context.ledger.clear_mark(_wanted(dataset), wanted)


def _want_crawl(dataset: str, context: LoadContext) -> None:
    """Record that a crawl is wanted, with a new value each time, so that only a later start removes the mark."""
    context.ledger.set_mark(_wanted(dataset), f"wanted {uuid.uuid4().hex}")


def _start(dataset: str, context: LoadContext) -> bool:
    if CrawlFailures.from_mark(context.ledger.mark(_failures(dataset))).waits(context.clock()):
        return False
    try:
        return context.catalog.start_crawler(context.crawlers[dataset])
    except ClientError:
        _log.exception("could not start crawler %s", context.crawlers[dataset])
        return False


def _wanted(dataset: str) -> str:
    """The name of the mark for a crawl that must be started later."""
    return f"crawl:{dataset}"


def _failures(dataset: str) -> str:
    """The name of the mark for crawls that failed in a row; see CrawlFailures."""
    return f"crawl-failures:{dataset}"
