"""Decide what to do with a batch that is to be loaded, and whether the catalog needs a crawl."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from gluebook.contracts.reasons import ReasonText
from gluebook.core.backoff import BACKOFF, Backoff
from gluebook.core.model import Batch
from gluebook.core.states import BatchState
from gluebook.core.timestamps import utc_timestamp

CrawlPolicy = Literal["when-needed", "always", "never"]

_NAME = re.compile(r"gluebook-load:(?P<batch>[^:]+):(?P<generation>\d+):(?P<attempt>\d+)")


def statement_name(batch: Batch) -> str:
    """The name of the statement that loads a batch; its end event carries no other data of ours."""
    return f"gluebook-load:{batch.batch_id}:{batch.generation}:{batch.load_attempts}"


def client_token(batch: Batch) -> str:
    """The idempotency token of an attempt, so that submitting twice runs once; at most 64 characters.

    A new attempt needs a new token: with the old one the Data API returns the failed statement.
    """
    return f"{batch.batch_id}-{batch.generation}-{batch.load_attempts}"[-64:]


def batch_of_statement(name: str) -> str | None:
    """The batch that a statement of this name loads; None for other statements."""
    match = _NAME.fullmatch(name)
    return match["batch"] if match else None


def after_failed_load(
    batch: Batch, reason: ReasonText, now: datetime, *, blames_data: bool, backoff: Backoff = BACKOFF
) -> Batch:
    """The next state of a LOADING batch whose statement has failed.

    A batch that the warehouse refuses because of its data is divided until the bad file is alone. Other failures are
    the environment's: the batch stays CURATED and is loaded again with growing pauses, for a day at most.
    """
    if blames_data:
        return batch.fenced_off(BatchState.DIVIDING, reason)
    since = batch.failing_since or utc_timestamp(now)
    again = backoff.next_try(batch.load_attempts, datetime.fromisoformat(since), now)
    return replace(
        batch,
        state=BatchState.CURATED,
        reason=reason,
        failing_since=since,
        retry_at=utc_timestamp(again) if again else "",
        given_up=again is None,
    )


def is_due(batch: Batch, now: datetime) -> bool:
    """Whether a load of the batch is due."""
    return batch.state is BatchState.CURATED and not batch.given_up and batch.retry_at <= utc_timestamp(now)


def retry_status(batch: Batch) -> str | None:
    """The state of the retries of a batch whose loads have failed, in words; None for other batches."""
    if not batch.failed_loads:
        return None
    failed = f"{batch.failed_loads} load{'s' if batch.failed_loads > 1 else ''} failed"
    if batch.given_up:
        return f"{failed}, retries exhausted; `gluebook replay` processes it again"
    if batch.state is BatchState.LOADING:
        return f"{failed}, another one is running"
    return (
        f"{failed}, the next one is due at {batch.retry_at}"
        if batch.retry_at
        else f"{failed}, the next one is due"
    )


def loaded(batch: Batch, merged: int, superseded: int, retracted: int) -> Batch:
    """The batch once it is loaded. A generation that changes no row keeps the counts of the one before."""
    done = replace(batch, state=BatchState.LOADED, reason=None, failing_since="", retry_at="", given_up=False)
    if batch.generation > 1 and not merged and not retracted and batch.merged <= batch.counts.curated:
        return replace(done, superseded=batch.counts.curated - batch.merged)
    return replace(done, merged=merged, superseded=superseded, retracted=retracted)


def crawl_needed(
    policy: CrawlPolicy,
    batch: Batch,
    catalogued: set[str] | None,
    contract_columns: Iterable[str],
    catalog_columns: Iterable[str],
) -> bool:
    """Whether the catalog lacks a partition or a column of the lake; a crawl is billed for ten minutes at least.

    If the ledger names only some of a batch's partitions, others are assumed to be lacking.
    """
    if policy == "never":
        return False
    if policy == "always" or catalogued is None:
        return True
    lower = {name.lower() for name in contract_columns}
    lacks = bool(batch.partitions_left_out) or not set(batch.partitions) <= catalogued
    return lacks or not lower <= set(catalog_columns)
