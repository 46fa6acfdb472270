"""What became of job runs: noted for those who start the next one, and for those who look."""

from __future__ import annotations

import logging

from gluebook.aws.ports import LedgerPort
from gluebook.core.events import JobEnded
from gluebook.core.runs import FailedRun, error_line, failed_run_mark, proven_mark

_log = logging.getLogger(__name__)


def failed_run(dataset: str, ledger: LedgerPort) -> FailedRun | None:
    """The last run of a dataset's job, if it failed."""
    return FailedRun.from_text(ledger.mark(failed_run_mark(dataset)))


def is_broken(dataset: str, ledger: LedgerPort) -> FailedRun | None:
    """The last run of a dataset's job if that failed in vain and none has ever succeeded: no run may work here."""
    failed = failed_run(dataset, ledger)
    if failed is None or not failed.in_vain or ledger.mark(proven_mark(dataset)) is not None:
        return None
    _log.warning(
        "dataset %s: no run has succeeded, %s failed in vain: %s", dataset, failed.run_id, failed.error
    )
    return failed


def note_end(event: JobEnded, dataset: str, ledger: LedgerPort, now: int, *, in_vain: bool) -> None:
    """Note that a run has succeeded, or why it failed. `in_vain`: it holds no file that it could have failed on."""
    mark = failed_run_mark(dataset)
    before = FailedRun.from_text(ledger.mark(mark))
    if event.state == "SUCCEEDED":
        if before is not None:
            ledger.clear_mark(mark)
        if ledger.mark(proven_mark(dataset)) is None:
            ledger.set_mark(proven_mark(dataset), event.run_id)
        return
    first = FailedRun("", now, "")
    after = (before or first).then(event.run_id, now, failure_line(event), in_vain)
    if after != before:
        ledger.set_mark(mark, after.to_text())


def failure_line(event: JobEnded) -> str:
    """Why a run failed, in a line."""
    return error_line(event.message) or f"it ended {event.state} without a message"
