"""Divide a batch that could not be brought to its end, until the one bad file is alone."""

from __future__ import annotations

import logging
from dataclasses import replace

from gluebook.core.claiming import halves
from gluebook.core.model import Batch, FileVersion, NotedVerdict
from gluebook.core.stamps import stamp
from gluebook.core.states import BatchState, FileState
from gluebook.job.context import JobContext
from gluebook.job.publish import withdraw_published

_log = logging.getLogger(__name__)


def divide(context: JobContext, batch: Batch) -> Batch:
    """Let the files of a DIVIDING batch wait again in two halves; a single file is FAILED. Raises Fenced.

    What the batch had published is taken back first. May be repeated from anywhere.
    """
    withdraw_published(context, batch)
    claimed = context.ledger.batch_files(batch.batch_id)
    now = {file.file_id: file for file in context.ledger.files_now(claimed)}
    mine = {i: file for i, file in now.items() if file.batch_id == batch.batch_id}
    # One that can't be read is found out already, a superseded one takes no part. An empty one isn't to blame,
    # but must be loaded elsewhere.
    found_out = {i for i, f in mine.items() if f.state in (FileState.FAILED, FileState.SUPERSEDED)}
    at = stamp(context.clock())
    if len(now) - len(found_out) <= 1:
        return _fail(context, batch, [mine[i] for i in mine.keys() - found_out], at)
    for group, files in halves(batch, claimed).items():
        context.ledger.release(
            batch, [mine[f.file_id] for f in files if f.file_id in mine.keys() - found_out], group, at
        )
    _log.warning("divided batch %s of %d files: %s", batch.batch_id, len(claimed), batch.reason)
    return _end(context, batch, BatchState.DIVIDED, "divided", at)


def _fail(context: JobContext, batch: Batch, files: list[FileVersion], at: str) -> Batch:
    for file in files:
        _log.error("%s is FAILED: %s", file.key, batch.reason)
        context.ledger.settle_file(batch, file, FileState.FAILED, batch.reason, at)
    return _end(context, batch, BatchState.FAILED, batch.reason or "given up", at)


def _end(context: JobContext, batch: Batch, state: BatchState, cause: str, at: str) -> Batch:
    """With it the verdict on the batch is taken back: its files are counted with others, or nowhere."""
    nothing = NotedVerdict(batch.batch_id, batch.dataset, batch.generation, batch.epoch, rows=0)
    return context.ledger.advance(batch, replace(batch, state=state), at, cause, nothing)
