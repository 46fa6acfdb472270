"""Sweep: the safety net. Glue's events are best effort, and even a function can be broken for a while."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import Any

from gluebook.clock import stamp
from gluebook.core.load_sql import LOADS
from gluebook.core.model import Batch
from gluebook.core.states import BatchState
from gluebook.errors import Fenced, TerminalError, WarehouseBusy
from gluebook.steps.load import Loading, crawl, start_if_needed

_log = logging.getLogger(__name__)
# Two datasets within the function's three minutes.
_QUERY_TIMEOUT_SECONDS = 60


def sweep(work: Loading) -> dict[str, Any]:
    """Start what should be running, take in loads that nobody told of, ask for crawls again.

    Returns the number of open batches by dataset and state, and which loads were found.
    """
    found: dict[str, Any] = {}
    for dataset in work.job_names:
        start_if_needed(dataset, work)
        batches = work.ledger.open_batches(dataset)
        loading = [batch for batch in batches if batch.state is BatchState.LOADING]
        found[dataset] = {
            "open": dict(Counter(batch.state.value for batch in batches)),
            "loads_found": _confirmed(loading, work) if loading else [],
        }
        if work.ledger.mark(f"crawl:{dataset}"):
            crawl(dataset, work)
    _log.info("swept: %s", found)
    return found


def _confirmed(loading: list[Batch], work: Loading) -> list[str]:
    """What `confirm_loads` finds; nothing if the warehouse doesn't answer, which must not stop the rest."""
    try:
        return confirm_loads(loading, work)
    except (WarehouseBusy, TerminalError) as error:
        _log.error("the warehouse could not be asked about %d loads: %s", len(loading), error)
        return []


def confirm_loads(loading: list[Batch], work: Loading) -> list[str]:
    """Mark batches LOADED that the warehouse has, by its own word; their ids.

    Asks `etl_loads` with a statement of its own: another function's statements can't be looked at.
    """
    wanted = {batch.batch_id: batch for batch in loading}
    ids = ", ".join(f"'{batch_id}'" for batch_id in wanted)
    rows = work.warehouse.query(
        f"select batch_id, rows_merged, rows_superseded from {LOADS} where batch_id in ({ids})",
        timeout_seconds=_QUERY_TIMEOUT_SECONDS,
    ).rows
    confirmed = []
    for batch_id, merged, superseded in rows:
        batch = wanted[batch_id]
        loaded = replace(
            batch, state=BatchState.LOADED, merged=int(merged), superseded=int(superseded), reason=None
        )
        try:
            work.ledger.advance(batch, loaded, stamp(work.clock()), f"found in {LOADS}")
        except Fenced as faster:
            _log.info("%s", faster)
        else:
            confirmed.append(batch_id)
    return confirmed
