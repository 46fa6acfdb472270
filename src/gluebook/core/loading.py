"""What to do about a batch on its way into the warehouse, and what the catalog still lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

# How many statements are submitted for a batch before it is given up.
MOST_LOADS = 5
CrawlPolicy = Literal["when-needed", "always", "never"]

_NAME = re.compile(r"gluebook-load:(?P<batch>[^:]+):(?P<attempt>\d+)")


def statement_name(batch_id: str, attempt: int) -> str:
    """The name of the statement that loads a batch; its end event carries nothing else of ours."""
    return f"gluebook-load:{batch_id}:{attempt}"


def client_token(batch_id: str, attempt: int) -> str:
    """The same for the same attempt, so that submitting twice runs once; at most 64 characters.

    A new attempt needs a new one: a token used again after a failure gives back the failed statement.
    """
    return f"{batch_id}-{attempt}"[-64:]


def batch_of_statement(name: str) -> str | None:
    """The batch that a statement of this name loads; None if it isn't one of ours."""
    match = _NAME.fullmatch(name)
    return match["batch"] if match else None


def crawl_needed(
    policy: CrawlPolicy,
    brought: Iterable[str],
    catalogued: set[str] | None,
    contract_columns: Iterable[str],
    catalog_columns: Iterable[str],
) -> bool:
    """Whether the catalog lacks a partition or a column that the lake has; a crawl costs ten job minutes."""
    if policy == "never":
        return False
    if policy == "always" or catalogued is None:
        return True
    lower = {name.lower() for name in contract_columns}
    return not set(brought) <= catalogued or not lower <= set(catalog_columns)
