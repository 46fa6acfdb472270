"""What to do about a batch on its way into the warehouse, and what the catalog still lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from gluebook.contracts.reasons import ReasonText
from gluebook.core.backoff import BACKOFF, Backoff
from gluebook.core.model import Batch
from gluebook.core.stamps import stamp
from gluebook.core.states import BatchState

CrawlPolicy = Literal["when-needed", "always", "never"]

_NAME = re.compile(r"gluebook-load:(?P<batch>[^:]+):(?P<generation>\d+):(?P<attempt>\d+)")


def statement_name(batch: Batch) -> str:
    """The name of the statement that loads a batch; its end event carries nothing else of ours."""
    return f"gluebook-load:{batch.batch_id}:{batch.generation}:{batch.load_attempts}"


def client_token(batch: Batch) -> str:
    """The same for the same attempt, so that submitting twice runs once; at most 64 characters.

    A new attempt needs a new one: a token used again after a failure gives back the failed statement.
    """
    return f"{batch.batch_id}-{batch.generation}-{batch.load_attempts}"[-64:]


def batch_of_statement(name: str) -> str | None:
    """The batch that a statement of this name loads; None if it isn't one of ours."""
    match = _NAME.fullmatch(name)
    return match["batch"] if match else None


def after_failed_load(
    batch: Batch, reason: ReasonText, now: datetime, *, blames_data: bool, backoff: Backoff = BACKOFF
) -> Batch:
    """A LOADING batch whose statement has failed.

    What the warehouse refuses for its content is divided, until the one bad file is alone. Anything else is nobody's
    fault: the batch stays as it was published and waits, ever longer, for its next load; after a day for a person.
    """
    if blames_data:
        return batch.out_of_reach(BatchState.DIVIDING, reason)
    since = batch.failing_since or stamp(now)
    again = backoff.next_try(batch.load_attempts, datetime.fromisoformat(since), now)
    return replace(
        batch,
        state=BatchState.CURATED,
        reason=reason,
        failing_since=since,
        retry_at=stamp(again) if again else "",
        given_up=again is None,
    )


def is_due(batch: Batch, now: datetime) -> bool:
    """Whether a load is to be submitted for a batch now."""
    return batch.state is BatchState.CURATED and not batch.given_up and batch.retry_at <= stamp(now)


def waiting_told(batch: Batch) -> str | None:
    """What a batch waits for whose loads have failed, in words; None for any other."""
    if not batch.failed_loads:
        return None
    failed = f"{batch.failed_loads} load{'s' if batch.failed_loads > 1 else ''} failed"
    if batch.given_up:
        return f"{failed}, given up; `gluebook replay` processes it again"
    if batch.state is BatchState.LOADING:
        return f"{failed}, another is under way"
    return (
        f"{failed}, the next is due at {batch.retry_at}" if batch.retry_at else f"{failed}, the next is due"
    )


def loaded(batch: Batch, merged: int, superseded: int, retracted: int) -> Batch:
    """The batch once it is in the warehouse. Processed again without any effect it keeps the counts it had."""
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
    """Whether the catalog lacks a partition or a column that the lake has; a crawl costs ten job minutes.

    Of a batch that brought more partitions than the ledger names, some are taken to be lacking.
    """
    if policy == "never":
        return False
    if policy == "always" or catalogued is None:
        return True
    lower = {name.lower() for name in contract_columns}
    lacks = bool(batch.partitions_left_out) or not set(batch.partitions) <= catalogued
    return lacks or not lower <= set(catalog_columns)
