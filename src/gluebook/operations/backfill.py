"""Backfill: register objects that were in the raw bucket before the pipeline, page by page; resumable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gluebook.errors import TerminalError
from gluebook.operations.context import OperationsContext
from gluebook.operations.jobs import JobStart, datasets_with_pending_files, start_jobs
from gluebook.operations.register import RegisterContext, Registrations, register_missing

_CAUSE = "backfill"


@dataclass(frozen=True)
class Backfilled:
    """The result of one call.

    resumed_after   the last key of an interrupted call that this one resumes; "" for none
    started         the start of each dataset's job
    """

    registrations: Registrations = field(default_factory=Registrations)
    resumed_after: str = ""
    started: dict[str, JobStart] = field(default_factory=dict)


# Called after each page with the registrations so far and the page's last key.
OnPage = Callable[[Registrations, str], None]


def backfill(prefix: str, context: OperationsContext, *, restart: bool, on_page: OnPage) -> Backfilled:
    """Register all object versions below `prefix` ("" for the whole bucket) that the ledger lacks.

    A mark in the ledger holds the last finished key: after an interruption the next call continues there, unless
    `restart` is set. A dataset's job starts after the first page with new files for it, and again at the end. An
    object that cannot be registered does not stop the call; the mark then stays before its page. After a call that
    ran to its end, the next one starts over.
    Raises TerminalError if there is no object below `prefix`.
    """
    ledger, mark = context.ledger, f"backfill:{prefix}"
    if restart:
        ledger.clear_mark(mark)
    after = ledger.mark(mark) or ""
    registering = RegisterContext(ledger, context.objects, context.raw_bucket, context.clock, _CAUSE)
    registrations, started = Registrations(), dict[str, JobStart]()
    found = bool(after)
    for page in context.objects.versions(context.raw_bucket, prefix, after):
        found = True
        registrations += register_missing(page, registering)
        # Once for each dataset: the end of a run starts the next one if files are pending.
        started |= start_jobs(registrations.datasets - started.keys(), context)
        if not registrations.failed:
            ledger.set_mark(mark, page[-1].key)
        on_page(registrations, page[-1].key)
    if not found:
        raise TerminalError(f"there is no object below s3://{context.raw_bucket}/{prefix}")
    ledger.clear_mark(mark)
    # By pending files, not by this call's registrations: an interrupted call may not have started its jobs.
    late = start_jobs(datasets_with_pending_files(context), context)
    return Backfilled(
        registrations, after, late | {name: start for name, start in started.items() if start.run}
    )
