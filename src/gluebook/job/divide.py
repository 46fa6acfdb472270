"""Divide a batch that cannot be processed, until the bad file is alone."""

from __future__ import annotations

import logging
from dataclasses import replace

from gluebook.core.claiming import halves
from gluebook.core.model import Batch, FileVersion, NotedVerdict
from gluebook.core.states import BatchState, FileState
from gluebook.core.timestamps import utc_timestamp
from gluebook.job.context import JobContext
from gluebook.job.publish import withdraw_published

_log = logging.getLogger(__name__)


def divide(context: JobContext, batch: Batch) -> Batch:
    """Release the files of a DIVIDING batch in two halves; a single file is FAILED. Raises Fenced.

    Withdraws first what the batch has published. Idempotent, also after an interruption.
    """
    withdraw_published(context, batch)
    claimed = context.ledger.batch_files(batch.batch_id)
    now = {file.file_id: file for file in context.ledger.files_now(claimed)}
    mine = {i: file for i, file in now.items() if file.batch_id == batch.batch_id}
    # Unreadable files are already FAILED, and superseded ones take no part. An empty file cannot be the cause, but
    # must be loaded with its half.
    excluded = {i for i, f in mine.items() if f.state in (FileState.FAILED, FileState.SUPERSEDED)}
    at = utc_timestamp(context.clock())
    if len(now) - len(excluded) <= 1:
        return _fail(context, batch, [mine[i] for i in mine.keys() - excluded], at)
    for group, files in halves(batch, claimed).items():
        context.ledger.release(
            batch, [mine[f.file_id] for f in files if f.file_id in mine.keys() - excluded], group, at
        )
    _log.warning("divided batch %s of %d files: %s", batch.batch_id, len(claimed), batch.reason)
    return _end(context, batch, BatchState.DIVIDED, "divided", at)


def _fail(context: JobContext, batch: Batch, files: list[FileVersion], at: str) -> Batch:
    for file in files:
        _log.error("%s is FAILED: %s", file.key, batch.reason)
        context.ledger.settle_file(batch, file, FileState.FAILED, batch.reason, at)
    return _end(context, batch, BatchState.FAILED, batch.reason or "failed", at)


def _end(context: JobContext, batch: Batch, state: BatchState, cause: str, at: str) -> Batch:
    """End the batch and delete its recorded verdict: its files are counted with other batches, or not at all."""
    nothing = NotedVerdict(batch.batch_id, batch.dataset, batch.generation, batch.epoch, rows=0)
    return context.ledger.advance(batch, replace(batch, state=state), at, cause, nothing)
