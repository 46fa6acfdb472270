"""Take up work: a batch that another run left behind, or what is pending."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from gluebook.aws.ports import LedgerPort
from gluebook.clock import Clock, new_batch_id
from gluebook.core.claiming import MOST_FILES, choose_files, inheritance
from gluebook.core.model import Batch
from gluebook.core.stamps import stamp
from gluebook.core.states import BatchState
from gluebook.errors import Fenced

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claimant:
    """Who takes up work of which dataset, how much at most, and for how long without a sign of life."""

    dataset: str
    owner: str
    most_bytes: int
    lease_seconds: int


def take_up(ledger: LedgerPort, who: Claimant, clock: Clock) -> Batch | None:
    """A batch for this run to work on, leased to it; None if there is nothing to do.

    First comes what a dead run left (PUBLISHING: to be rolled forward; CLAIMED: to be done again; DIVIDING: to be
    divided), then the pending files of the dataset that wait longest.
    """
    now = clock()
    seconds, at = int(now.timestamp()), stamp(now)
    for batch in inheritance(ledger.open_batches(who.dataset), seconds).give_up:
        _give_up(ledger, batch, at)
    for batch in inheritance(ledger.open_batches(who.dataset), seconds).take_over:
        taken = ledger.take_over(batch, who.owner, seconds + who.lease_seconds, seconds, at)
        if taken is not None:
            _log.info("took over batch %s from %s, attempt %d", taken.batch_id, batch.owner, taken.attempts)
            return taken
    return _claim_pending(ledger, who, clock)


def _claim_pending(ledger: LedgerPort, who: Claimant, clock: Clock) -> Batch | None:
    files = choose_files(ledger.pending(who.dataset, MOST_FILES), who.most_bytes)
    if not files:
        return None
    now = clock()
    group = files[0].group
    batch = Batch(
        batch_id=new_batch_id(who.dataset, now),
        dataset=who.dataset,
        state=BatchState.CLAIMED,
        owner=who.owner,
        epoch=1,
        lease_until=int(now.timestamp()) + who.lease_seconds,
        attempts=1,
        created_at=stamp(now),
        parent=group.partition("/")[0] if group else None,
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


def _give_up(ledger: LedgerPort, batch: Batch, at: str) -> None:
    """What so many runs have died of is divided; what is processed again can only fail as a whole."""
    last = f"; {batch.reason}" if batch.reason else f", the last {batch.owner}"
    reason = f"attempts_used_up: {batch.attempts} runs ended before it was published{last}"
    _log.error("gave up batch %s: %s", batch.batch_id, reason)
    try:
        give_up(ledger, batch, reason, at)
    except Fenced as faster:
        _log.info("%s", faster)


def give_up(ledger: LedgerPort, batch: Batch, reason: str, at: str) -> Batch:
    """Put a batch past the reach of whoever still works on it, to be divided. Raises Fenced.

    One that is processed again and hasn't come to be published leaves what it had brought before as it was.
    """
    untouched = batch.generation > 1 and batch.state is BatchState.CLAIMED
    state = BatchState.FAILED if untouched else BatchState.DIVIDING
    return ledger.advance(batch, batch.out_of_reach(state, reason), at, reason)
