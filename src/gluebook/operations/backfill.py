"""Backfill: take in what lay in the raw bucket before the pipeline, page by page; goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gluebook.errors import TerminalError
from gluebook.operations.operating import Operating, Start, start_jobs, with_pending_files
from gluebook.operations.register import Adopted, Adopting, adopt

_CAUSE = "backfill"


@dataclass(frozen=True)
class Backfilled:
    """What came of it in this call. `resumed_after`: the key that an interrupted call had come to, "" for none.

    `started` tells by dataset what came of the start of its job.
    """

    adopted: Adopted = field(default_factory=Adopted)
    resumed_after: str = ""
    started: dict[str, Start] = field(default_factory=dict)


# Called after each page with what was registered so far, and its last key.
Watch = Callable[[Adopted, str], None]


def backfill(prefix: str, work: Operating, *, restart: bool, watch: Watch) -> Backfilled:
    """Adopt all object versions below `prefix` ("" for the whole bucket) that the ledger doesn't know.

    A mark in the ledger holds the last key that is done with, so that after an interruption the next call goes
    on there, unless it is to `restart`. A dataset's job starts after the first page that brings something for
    it, and at the end. An object that can't be registered ends nothing, and the mark stays before its page; the
    next call after this one has come to its end starts over.
    Raises TerminalError if there is nothing below `prefix`.
    """
    ledger, mark = work.ledger, f"backfill:{prefix}"
    if restart:
        ledger.clear_mark(mark)
    after = ledger.mark(mark) or ""
    adopting = Adopting(ledger, work.objects, work.raw_bucket, work.clock, _CAUSE)
    adopted, started = Adopted(), dict[str, Start]()
    found = bool(after)
    for page in work.objects.versions(work.raw_bucket, prefix, after):
        found = True
        adopted += adopt(page, adopting)
        # Once each: what a run doesn't see any more, its end does.
        started |= start_jobs(adopted.datasets - started.keys(), work)
        if not adopted.failed:
            ledger.set_mark(mark, page[-1].key)
        watch(adopted, page[-1].key)
    if not found:
        raise TerminalError(f"there is no object below s3://{work.raw_bucket}/{prefix}")
    ledger.clear_mark(mark)
    # By what waits, not by what this call has adopted: an interrupted call may not have come to start its jobs.
    late = start_jobs(with_pending_files(work), work)
    return Backfilled(adopted, after, late | {name: start for name, start in started.items() if start.run})
