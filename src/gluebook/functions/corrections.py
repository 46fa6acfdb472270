"""Corrections: take file versions out of the lake for which a newer one of the same file is loaded.

The load has taken their rows out of the warehouse already, in the transaction that brought the newer ones. The
batches that carry them are processed again without them, so that the lake tells the same story.
"""

from __future__ import annotations

import logging

from gluebook.contracts import contract
from gluebook.core.model import Batch, FileVersion
from gluebook.core.stamps import stamp
from gluebook.core.states import BatchState
from gluebook.core.versions import resolve
from gluebook.functions.work import Loading

_log = logging.getLogger(__name__)
# What goes into one transaction beside the batch; the rest follows when that is loaded again.
_MOST_FILES = 90


def withdraw_superseded(dataset: str, work: Loading) -> list[str]:
    """Have batches processed again that hold superseded file versions; their ids."""
    if not contract(dataset).append:
        return []
    ledger = work.ledger
    stale: dict[str, list[FileVersion]] = {}
    batches: dict[str, Batch] = {}
    for correction in ledger.corrections(dataset):
        versions = ledger.versions(correction.bucket, correction.key)
        carried = {version.batch_id for version in versions if version.batch_id}
        found = {batch_id: batches.get(batch_id) or ledger.batch(batch_id) for batch_id in carried}
        batches |= {batch_id: batch for batch_id, batch in found.items() if batch}
        resolution = resolve(versions, batches)
        for batch_id, files in resolution.withdraw.items():
            stale.setdefault(batch_id, []).extend(files)
        if resolution.settled:
            ledger.drop_correction(dataset, correction)
    return [batch_id for batch_id, files in stale.items() if _reopen(batches[batch_id], files, work)]


def _reopen(batch: Batch, files: list[FileVersion], work: Loading) -> bool:
    if batch.state is not BatchState.LOADED:
        return False
    cause = f"{len(files)} of its files are superseded"
    again = work.ledger.reopen(batch, stamp(work.clock()), cause, files[:_MOST_FILES])
    if again is not None:
        _log.info("batch %s is processed again: %s", batch.batch_id, cause)
    return again is not None
