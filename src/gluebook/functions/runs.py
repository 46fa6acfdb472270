"""Start job runs, and record how they end."""

from __future__ import annotations

import logging

from gluebook.aws.ports import LedgerPort
from gluebook.core.claiming import is_abandoned, retries_exhausted
from gluebook.core.events import JobEnded
from gluebook.core.runs import FailedRun, error_line, failed_run_mark, proven_mark
from gluebook.functions.context import LoadContext

_log = logging.getLogger(__name__)


def failed_run(dataset: str, ledger: LedgerPort) -> FailedRun | None:
    """The last run of a dataset's job, if it failed."""
    return FailedRun.from_text(ledger.mark(failed_run_mark(dataset)))


def is_broken(dataset: str, ledger: LedgerPort) -> FailedRun | None:
    """The last run of a dataset's job if it failed without a claim and no run has ever succeeded; else None."""
    failed = failed_run(dataset, ledger)
    if failed is None or not failed.without_claim or ledger.mark(proven_mark(dataset)) is not None:
        return None
    _log.warning(
        "dataset %s: no run has succeeded, %s failed without a claim: %s",
        dataset,
        failed.run_id,
        failed.error,
    )
    return failed


def record_end(event: JobEnded, dataset: str, ledger: LedgerPort, now: int, *, without_claim: bool) -> None:
    """Record that a run has succeeded, or why it failed.

    `without_claim`: the run holds no batch that could have caused the failure.
    """
    mark = failed_run_mark(dataset)
    before = FailedRun.from_text(ledger.mark(mark))
    if event.state == "SUCCEEDED":
        if before is not None:
            ledger.clear_mark(mark)
        if ledger.mark(proven_mark(dataset)) is None:
            ledger.set_mark(proven_mark(dataset), event.run_id)
        return
    first = FailedRun("", now, "")
    after = (before or first).then(event.run_id, now, failure_line(event), without_claim)
    if after != before:
        ledger.set_mark(mark, after.to_text())


def failure_line(event: JobEnded) -> str:
    """Why a run failed, in one line."""
    return error_line(event.message) or f"it ended {event.state} without a message"


def start_if_needed(dataset: str, context: LoadContext, after: JobEnded | None = None) -> None:
    """Start a run if files are pending or a batch is abandoned.

    No run follows at once after one that failed without a claim (missing permissions, broken script) or on a batch
    with exhausted retries: that would repeat without end. The schedule retries, with growing pauses as long as no
    run has succeeded.
    """
    now = int(context.clock().timestamp())
    abandoned = [batch for batch in context.ledger.open_batches(dataset) if is_abandoned(batch, now)]
    if after is not None:
        without_claim = after.state != "SUCCEEDED" and not any(
            b.owner == after.run_id and not retries_exhausted(b) for b in abandoned
        )
        record_end(after, dataset, context.ledger, now, without_claim=without_claim)
        if without_claim:
            _log.error("job %s run %s is %s: %s", after.job, after.run_id, after.state, failure_line(after))
            return
    if abandoned or context.ledger.pending(dataset, 1):
        if (broken := is_broken(dataset, context.ledger)) is not None and now < broken.pause_until:
            return
        run = context.jobs.start(context.job_names[dataset])
        _log.info("dataset %s: %s", dataset, f"started run {run}" if run else "a run is under way")
