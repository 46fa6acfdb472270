"""Change a batch in the ledger, and record that it is loaded."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from gluebook.core.loading import loaded
from gluebook.core.model import Batch
from gluebook.core.timestamps import utc_timestamp
from gluebook.errors import Fenced
from gluebook.functions.context import LoadContext

_log = logging.getLogger(__name__)


def advance(batch: Batch, new: Batch, cause: str, context: LoadContext) -> Batch | None:
    """Change a batch; None if another process has changed it since it was read, which is as good."""
    try:
        return context.ledger.advance(batch, new, utc_timestamp(context.clock()), cause)
    except Fenced as fenced:
        _log.info("%s", fenced)
        return None


def last_loaded_mark(dataset: str) -> str:
    """The name of the mark for the last load of a dataset."""
    return f"loaded:{dataset}"


def mark_loaded(batch: Batch, counts: Iterable[Any], cause: str, context: LoadContext) -> bool:
    """Mark a batch LOADED with the warehouse's counts: merged, superseded, retracted.

    False if another process has changed the batch since it was read.
    """
    merged, superseded, retracted = map(int, counts)
    if advance(batch, loaded(batch, merged, superseded, retracted), cause, context) is None:
        return False
    context.ledger.set_mark(last_loaded_mark(batch.dataset), f"{batch.batch_id}/{batch.generation}")
    counted = {"RowsMerged": merged, "RowsSuperseded": superseded, "RowsRetracted": retracted}
    context.emit_metrics(batch.dataset, counted)
    return True
