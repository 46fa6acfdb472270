"""Acquire work: an abandoned batch, or pending files."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from gluebook.clock import new_batch_id
from gluebook.contracts.reasons import Reason, ReasonText
from gluebook.core.claiming import MOST_FILES, abandoned_batches, choose_files
from gluebook.core.model import Batch
from gluebook.core.states import BatchState
from gluebook.core.timestamps import utc_timestamp
from gluebook.errors import Fenced
from gluebook.job.context import JobContext

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claimant:
    """A run that acquires work: its dataset, its most bytes in one batch, and the length of its lease."""

    dataset: str
    owner: str
    most_bytes: int
    lease_seconds: int


def acquire(context: JobContext, who: Claimant) -> Batch | None:
    """A batch for this run to work on, leased to it; None if there is nothing to do.

    First come abandoned batches (PUBLISHING: rolled forward; CLAIMED: started again; DIVIDING: divided), then the
    pending files that have waited longest.
    """
    now = context.clock()
    seconds, at = int(now.timestamp()), utc_timestamp(now)
    for batch in abandoned_batches(context.ledger.open_batches(who.dataset), seconds).exhausted:
        _exhaust(context, batch, at)
    for batch in abandoned_batches(context.ledger.open_batches(who.dataset), seconds).take_over:
        taken = context.ledger.take_over(batch, who.owner, seconds + who.lease_seconds, seconds, at)
        if taken is not None:
            _log.info("took over batch %s from %s, attempt %d", taken.batch_id, batch.owner, taken.attempts)
            return taken
    return _claim_pending(context, who)


def _claim_pending(context: JobContext, who: Claimant) -> Batch | None:
    files = choose_files(context.ledger.pending(who.dataset, MOST_FILES), who.most_bytes)
    if not files:
        return None
    now = context.clock()
    group = files[0].group
    batch = Batch(
        batch_id=new_batch_id(who.dataset, now),
        dataset=who.dataset,
        state=BatchState.CLAIMED,
        owner=who.owner,
        epoch=1,
        lease_until=int(now.timestamp()) + who.lease_seconds,
        attempts=1,
        created_at=utc_timestamp(now),
        parent=group.partition("/")[0] if group else None,
        changed_at=utc_timestamp(now),
    )
    context.ledger.open_batch(batch)
    claimed = context.ledger.claim(batch, files)
    size = sum(file.size for file in claimed)
    # Sealed: from now on the batch consists of these files.
    sealed = replace(batch, files=len(claimed), size=size)
    if not claimed:
        context.ledger.advance(
            batch,
            replace(batch, state=BatchState.EMPTY),
            utc_timestamp(context.clock()),
            "other runs were faster",
        )
        return None
    _log.info("claimed %d files, %d bytes, as batch %s", len(claimed), size, batch.batch_id)
    return context.ledger.advance(batch, sealed, utc_timestamp(context.clock()), "sealed")


def _exhaust(context: JobContext, batch: Batch, at: str) -> None:
    """End a batch whose retries are exhausted: it is divided, or fails as a whole when it was processed before."""
    last = f"; {batch.reason}" if batch.reason else f", the last {batch.owner}"
    reason = Reason.ATTEMPTS_USED_UP.because(f"{batch.attempts} runs ended before it was published{last}")
    _log.error("retries of batch %s are exhausted: %s", batch.batch_id, reason)
    try:
        fail_or_divide(context, batch, reason, at)
    except Fenced as fenced:
        _log.info("%s", fenced)


def fail_or_divide(context: JobContext, batch: Batch, reason: ReasonText, at: str) -> Batch:
    """Fence off any run that still works on the batch, and leave it to be divided. Raises Fenced.

    A batch that is processed again and has published nothing new is FAILED; its earlier generation stays as it is.
    """
    untouched = batch.generation > 1 and batch.state is BatchState.CLAIMED
    state = BatchState.FAILED if untouched else BatchState.DIVIDING
    return context.ledger.advance(batch, batch.fenced_off(state, reason), at, reason)
