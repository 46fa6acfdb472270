"""What to do about a batch on its way into the warehouse, and what the catalog still lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from gluebook.core.model import Batch
from gluebook.core.states import BatchState

# How many statements are submitted for a batch one right after the other; further ones come with the schedule.
MOST_LOADS = 5
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


def after_failed_load(worth_retrying: bool) -> BatchState:
    """Where a batch goes whose load has failed: what the warehouse refuses for its content is divided, until the
    one bad file is alone; a conflict or a lost connection is nobody's fault."""
    return BatchState.CURATED if worth_retrying else BatchState.DIVIDING


def loaded(batch: Batch, merged: int, superseded: int, retracted: int) -> Batch:
    """The batch once it is in the warehouse. Processed again without any effect it keeps the counts it had."""
    done = replace(batch, state=BatchState.LOADED, reason=None)
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
