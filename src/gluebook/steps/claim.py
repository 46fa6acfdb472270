"""Take up work: a batch that another run left behind, or what is pending."""

from __future__ import annotations

import logging
from dataclasses import replace

from gluebook.aws.ledger import Ledger
from gluebook.clock import Clock, new_batch_id, stamp
from gluebook.core.claiming import MOST_FILES, choose_files, inheritance
from gluebook.core.model import Batch
from gluebook.core.states import BatchState, FileState

_log = logging.getLogger(__name__)


def take_up(
    ledger: Ledger, dataset: str, owner: str, *, most_bytes: int, lease_seconds: int, clock: Clock
) -> Batch | None:
    """A batch for this run to work on, leased to `owner`; None if there is nothing to do.

    First comes what a dead run left (PUBLISHING: to be rolled forward; CLAIMED: to be done again), then the
    pending files of the dataset, oldest first, up to `most_bytes`.
    """
    now = clock()
    seconds, at = int(now.timestamp()), stamp(now)
    left = inheritance(ledger.open_batches(dataset), seconds)
    for batch in left.give_up:
        give_up(ledger, batch, f"attempts_used_up: {batch.attempts} runs ended before it was published", at)
    for batch in left.take_over:
        taken = ledger.take_over(batch, owner, seconds + lease_seconds, seconds, at)
        if taken is not None:
            _log.info("took over batch %s from %s, attempt %d", taken.batch_id, batch.owner, taken.attempts)
            return taken
    return _claim_pending(ledger, dataset, owner, most_bytes, lease_seconds, clock)


def _claim_pending(
    ledger: Ledger, dataset: str, owner: str, most_bytes: int, lease_seconds: int, clock: Clock
) -> Batch | None:
    files = choose_files(ledger.pending(dataset, MOST_FILES), most_bytes)
    if not files:
        return None
    now = clock()
    batch = Batch(
        batch_id=new_batch_id(dataset, now),
        dataset=dataset,
        state=BatchState.CLAIMED,
        owner=owner,
        epoch=1,
        lease_until=int(now.timestamp()) + lease_seconds,
        attempts=1,
        created_at=stamp(now),
        changed_at=stamp(now),
    )
    ledger.open_batch(batch)
    claimed = ledger.claim(batch, files)
    size = sum(file.size for file in claimed)
    # Sealed: from here on the batch is these files, whoever works on it.
    sealed = replace(batch, files=len(claimed), size=size)
    if not claimed:
        ledger.advance(batch, replace(batch, state=BatchState.EMPTY), stamp(clock()), "others were faster")
        return None
    _log.info("claimed %d files, %d bytes, as batch %s", len(claimed), size, batch.batch_id)
    return ledger.advance(batch, sealed, stamp(clock()), "sealed")


def give_up(ledger: Ledger, batch: Batch, reason: str, at: str) -> None:
    """Mark a batch and its files FAILED."""
    _log.error("gave up batch %s: %s", batch.batch_id, reason)
    for file in ledger.batch_files(batch.batch_id):
        if ledger.file_state(file.file_id) is FileState.CLAIMED:  # a run may have settled it before it died
            ledger.settle_file(batch, file, FileState.FAILED, reason, at)
    ledger.advance(batch, replace(batch, state=BatchState.FAILED, reason=reason), at, reason)
