"""Load: react to ended job runs, statements and crawls, and on a schedule to those whose event got lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gluebook.contracts.reasons import Reason, ReasonText
from gluebook.core.events import CrawlEnded, Event, JobEnded, StatementEnded, Tick
from gluebook.core.loading import batch_of_statement
from gluebook.core.sql.quality import dataset_of_recording
from gluebook.core.states import LEASED_STATES
from gluebook.errors import Fenced
from gluebook.functions.corrections import withdraw_superseded
from gluebook.functions.crawl import crawl_ended
from gluebook.functions.parts import Parts
from gluebook.functions.runs import failure_line
from gluebook.functions.submit import settle, submit_curated
from gluebook.functions.verdicts import record_verdicts
from gluebook.functions.work import Loading, start_if_needed

_log = logging.getLogger(__name__)


def handle(event: Event, work: Loading) -> None:
    """Do what an event asks for; harmless when it comes twice, late or out of order.

    Each part is done whatever becomes of the others; what failed is raised in the end, as an ExceptionGroup.
    """
    parts = Parts("load function")
    if (handler := _HANDLERS.get(type(event))) is not None:
        handler(event, work, parts)
    parts.raise_what_failed()


def _job_ended(event: JobEnded, work: Loading, parts: Parts) -> None:
    dataset = _dataset_of(event.job, work.job_names)
    if dataset:
        parts.do(f"releasing leases of {event.run_id}", partial(_release, event, dataset, work), None)
        _go_on(dataset, work, parts, after=event)


def _statement_ended(event: StatementEnded, work: Loading, parts: Parts) -> None:
    batch_id = batch_of_statement(event.name)
    batch = work.ledger.batch(batch_id) if batch_id else None
    if batch is not None:
        parts.do(f"settling batch {batch_id}", partial(settle, batch, work), None)
        _go_on(batch.dataset, work, parts)
    elif (of := dataset_of_recording(event.name)) is not None and of in work.job_names:
        parts.do(f"recording verdicts of {of}", partial(record_verdicts, of, work, parts), None)


def _crawl_ended(event: CrawlEnded, work: Loading, _parts: Parts) -> None:
    dataset = _dataset_of(event.crawler, work.crawlers)
    if dataset:
        crawl_ended(event, dataset, work)


def _tick(_event: Tick, work: Loading, parts: Parts) -> None:
    for dataset in work.job_names:
        parts.do(f"catching up with {dataset}", partial(_catch_up, dataset, work, parts), None)


_HANDLERS: Mapping[type[Event], Callable[[Any, Loading, Parts], None]] = {
    JobEnded: _job_ended,
    StatementEnded: _statement_ended,
    CrawlEnded: _crawl_ended,
    Tick: _tick,
}


def _catch_up(dataset: str, work: Loading, parts: Parts) -> None:
    """What events ask for one by one, for all open batches at once: in case an event was lost."""
    for batch in work.ledger.open_batches(dataset):
        parts.do(f"settling batch {batch.batch_id}", partial(settle, batch, work), None)
    _go_on(dataset, work, parts)


def _go_on(dataset: str, work: Loading, parts: Parts, after: JobEnded | None = None) -> None:
    """What there is to do for a dataset: load first, then start the next run."""
    nothing: list[str] = []
    parts.do(f"submitting loads of {dataset}", partial(submit_curated, dataset, work, parts), None)
    parts.do(f"recording verdicts of {dataset}", partial(record_verdicts, dataset, work, parts), None)
    parts.do(
        f"withdrawing what is superseded of {dataset}", partial(withdraw_superseded, dataset, work), nothing
    )
    parts.do(f"starting the job of {dataset}", partial(start_if_needed, dataset, work, after), None)


def _dataset_of(name: str, names: Mapping[str, str]) -> str | None:
    return next((dataset for dataset, known in names.items() if known == name), None)


def _release(event: JobEnded, dataset: str, work: Loading) -> None:
    """A run that has ended holds no lease any more: what it left can be taken over at once."""
    for batch in work.ledger.open_batches(dataset):
        if batch.owner == event.run_id and batch.state in LEASED_STATES:
            _log.warning("run %s ended %s with batch %s", event.run_id, event.state, batch.batch_id)
            try:
                why = ReasonText(f"{Reason.RUN} {event.run_id} is {event.state}: {failure_line(event)}")
                work.ledger.end_lease(batch, why)
            except Fenced:
                _log.info("batch %s has been taken over already", batch.batch_id)
