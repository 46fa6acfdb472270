"""Corrections: remove file versions from the lake once a newer version of the same file is loaded.

The load of the newer version has already retracted their rows from the warehouse, in the same transaction. The
batches that carry them are processed again without them, so that lake and warehouse agree.
"""

from __future__ import annotations

import logging

from gluebook.contracts import contract
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import BatchState
from gluebook.core.timestamps import utc_timestamp
from gluebook.core.versions import resolve
from gluebook.functions.context import LoadContext

_log = logging.getLogger(__name__)
# As many fit into one transaction with the batch; the rest follows when the batch is loaded again.
_MOST_FILES = 90


def withdraw_superseded(dataset: str, context: LoadContext) -> list[str]:
    """Reopen batches that carry superseded file versions; returns their ids."""
    if not contract(dataset).append:
        return []
    ledger = context.ledger
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
    return [batch_id for batch_id, files in stale.items() if _reopen(batches[batch_id], files, context)]


def _reopen(batch: Batch, files: list[FileVersion], context: LoadContext) -> bool:
    if batch.state is not BatchState.LOADED:
        return False
    cause = f"{len(files)} of its files are superseded"
    again = context.ledger.reopen(batch, utc_timestamp(context.clock()), cause, files[:_MOST_FILES])
    if again is not None:
        _log.info("batch %s is processed again: %s", batch.batch_id, cause)
    return again is not None
