"""Load: react to ended job runs, statements and crawls, and on a schedule to those whose event got lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from gluebook.core.events import CrawlEnded, Event, JobEnded, StatementEnded, Tick
from gluebook.core.loading import batch_of_statement
from gluebook.core.quality_sql import dataset_of_recording
from gluebook.core.states import LEASED_STATES
from gluebook.errors import Fenced
from gluebook.steps.corrections import withdraw_superseded
from gluebook.steps.crawl import crawl_ended
from gluebook.steps.runs import told
from gluebook.steps.submit import settle, submit_curated
from gluebook.steps.verdicts import record_verdicts
from gluebook.steps.work import Loading, start_if_needed

_log = logging.getLogger(__name__)


def handle(event: Event, work: Loading) -> None:
    """Do what an event asks for; harmless when it comes twice, late or out of order."""
    if isinstance(event, JobEnded):
        dataset = _dataset_of(event.job, work.job_names)
        if dataset:
            _release(event, dataset, work)
            start_if_needed(dataset, work, after=event)
            submit_curated(dataset, work)
            record_verdicts(dataset, work)
    elif isinstance(event, StatementEnded):
        batch_id = batch_of_statement(event.name)
        batch = work.ledger.batch(batch_id) if batch_id else None
        if batch is not None:
            settle(batch, work)
            submit_curated(batch.dataset, work)
            withdraw_superseded(batch.dataset, work)
            start_if_needed(batch.dataset, work)
        elif (of := dataset_of_recording(event.name)) is not None and of in work.job_names:
            record_verdicts(of, work)
    elif isinstance(event, CrawlEnded):
        dataset = _dataset_of(event.crawler, work.crawlers)
        if dataset:
            crawl_ended(event, dataset, work)
    elif isinstance(event, Tick):
        for dataset in work.job_names:
            catch_up(dataset, work)


def catch_up(dataset: str, work: Loading) -> None:
    """What events ask for one by one, for all open batches at once: in case an event was lost."""
    for batch in work.ledger.open_batches(dataset):
        settle(batch, work)
    submit_curated(dataset, work, scheduled=True)
    record_verdicts(dataset, work, scheduled=True)
    withdraw_superseded(dataset, work)
    start_if_needed(dataset, work)


def _dataset_of(name: str, names: Mapping[str, str]) -> str | None:
    return next((dataset for dataset, known in names.items() if known == name), None)


def _release(event: JobEnded, dataset: str, work: Loading) -> None:
    """A run that has ended holds no lease any more: what it left can be taken over at once."""
    for batch in work.ledger.open_batches(dataset):
        if batch.owner == event.run_id and batch.state in LEASED_STATES:
            _log.warning("run %s ended %s with batch %s", event.run_id, event.state, batch.batch_id)
            try:
                work.ledger.end_lease(batch, f"run {event.run_id} is {event.state}: {told(event)}")
            except Fenced:
                _log.info("batch %s has been taken over already", batch.batch_id)
