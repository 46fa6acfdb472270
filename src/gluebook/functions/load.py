"""Load: handle ended job runs, statements and crawls, and on a schedule those whose event was lost."""

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
from gluebook.functions.context import LoadContext
from gluebook.functions.corrections import withdraw_superseded
from gluebook.functions.crawl import crawl_ended
from gluebook.functions.independent_steps import IndependentSteps
from gluebook.functions.runs import failure_line, start_if_needed
from gluebook.functions.submit import settle, submit_curated
from gluebook.functions.verdicts import record_verdicts

_log = logging.getLogger(__name__)


def handle(event: Event, context: LoadContext) -> None:
    """Handle an event; harmless when it arrives twice, late or out of order.

    The steps are independent; failures are raised at the end as an ExceptionGroup.
    """
    steps = IndependentSteps("load function")
    if (handler := _HANDLERS.get(type(event))) is not None:
        handler(event, context, steps)
    steps.raise_failures()


def _job_ended(event: JobEnded, context: LoadContext, steps: IndependentSteps) -> None:
    dataset = _dataset_of(event.job, context.job_names)
    if dataset:
        steps.run(f"releasing leases of {event.run_id}", partial(_release, event, dataset, context), None)
        _continue(dataset, context, steps, after=event)


def _statement_ended(event: StatementEnded, context: LoadContext, steps: IndependentSteps) -> None:
    batch_id = batch_of_statement(event.name)
    batch = context.ledger.batch(batch_id) if batch_id else None
    if batch is not None:
        steps.run(f"settling batch {batch_id}", partial(settle, batch, context), None)
        _continue(batch.dataset, context, steps)
    elif (of := dataset_of_recording(event.name)) is not None and of in context.job_names:
        steps.run(f"recording verdicts of {of}", partial(record_verdicts, of, context, steps), None)


def _crawl_ended(event: CrawlEnded, context: LoadContext, _steps: IndependentSteps) -> None:
    dataset = _dataset_of(event.crawler, context.crawlers)
    if dataset:
        crawl_ended(event, dataset, context)


def _tick(_event: Tick, context: LoadContext, steps: IndependentSteps) -> None:
    for dataset in context.job_names:
        steps.run(
            f"handling missed events of {dataset}",
            partial(_handle_missed_events, dataset, context, steps),
            None,
        )


_HANDLERS: Mapping[type[Event], Callable[[Any, LoadContext, IndependentSteps], None]] = {
    JobEnded: _job_ended,
    StatementEnded: _statement_ended,
    CrawlEnded: _crawl_ended,
    Tick: _tick,
}


def _handle_missed_events(dataset: str, context: LoadContext, steps: IndependentSteps) -> None:
    """Do for all open batches what their events would have done, in case one was lost."""
    for batch in context.ledger.open_batches(dataset):
        steps.run(f"settling batch {batch.batch_id}", partial(settle, batch, context), None)
    _continue(dataset, context, steps)


def _continue(
    dataset: str, context: LoadContext, steps: IndependentSteps, after: JobEnded | None = None
) -> None:
    """Take the next steps of a dataset: first submit loads, then start the next run."""
    nothing: list[str] = []
    steps.run(f"submitting loads of {dataset}", partial(submit_curated, dataset, context, steps), None)
    steps.run(f"recording verdicts of {dataset}", partial(record_verdicts, dataset, context, steps), None)
    steps.run(
        f"withdrawing superseded files of {dataset}", partial(withdraw_superseded, dataset, context), nothing
    )
    start = partial(start_if_needed, dataset, context, after)
    steps.run(f"starting the job of {dataset}", start, None)


def _dataset_of(name: str, names: Mapping[str, str]) -> str | None:
    return next((dataset for dataset, known in names.items() if known == name), None)


def _release(event: JobEnded, dataset: str, context: LoadContext) -> None:
    """End the leases of a run that has ended, so that its batches can be taken over at once."""
    for batch in context.ledger.open_batches(dataset):
        if batch.owner == event.run_id and batch.state in LEASED_STATES:
            _log.warning("run %s ended %s with batch %s", event.run_id, event.state, batch.batch_id)
            try:
                why = ReasonText(f"{Reason.RUN} {event.run_id} is {event.state}: {failure_line(event)}")
                context.ledger.end_lease(batch, why)
            except Fenced:
                _log.info("batch %s has been taken over already", batch.batch_id)
