"""Compare the warehouse with the ledger: loads whose event was lost, and tables that differ from what was loaded."""

from __future__ import annotations

import hashlib
import logging

from gluebook.contracts import contract
from gluebook.core.model import Batch
from gluebook.core.sql.load import confirm_sql, drift_sql
from gluebook.core.states import BatchState
from gluebook.functions.batch_changes import last_loaded_mark, mark_loaded
from gluebook.functions.context import LoadContext
from gluebook.functions.deferred_queries import drop_query, fetch_or_submit, last_query
from gluebook.operations.reconcile import Drift, parse_drift

_log = logging.getLogger(__name__)


def check_drift(dataset: str, context: LoadContext) -> tuple[Drift | None, int]:
    """The difference between the table and the load log, and the number of unanswered queries for it.

    Queried once after each load, because each query wakes the warehouse; not while a load may change the table.
    Loads that wait because they fail change nothing. A later sweep fetches the result.
    """
    name, ledger = f"drift-{dataset}", context.ledger
    newest = ledger.mark(last_loaded_mark(dataset))
    known = newest is None or newest == ledger.mark(f"compared:{dataset}")
    changing = any(not _waits(batch) for batch in ledger.open_batches(dataset))
    query = last_query(name, context)
    if newest is None or ((known or changing) and not (query and query.statement_id)):
        return None, query.tries if query else 0
    result = fetch_or_submit(name, newest, drift_sql(contract(dataset)), context)
    if result is None:
        query = last_query(name, context)
        return None, query.tries if query else 0
    found = parse_drift(result.rows)
    ledger.set_mark(f"compared:{dataset}", result.about)
    drop_query(name, context)
    if found.rows_apart:
        _log.error("table %s in the warehouse differs from what was loaded: %s", dataset, found)
    return found, 0


def _waits(batch: Batch) -> bool:
    return batch.state is BatchState.CURATED and batch.failed_loads > 0


def confirm_loads(dataset: str, context: LoadContext) -> list[str]:
    """Mark batches LOADED that are in `etl_loads`; returns their ids.

    Queries `etl_loads` with a statement of its own, because a function sees only its own statements. The pauses
    between queries about the same loads grow. A later sweep fetches the result.
    """
    name = f"loads-{dataset}"
    loading = [b for b in context.ledger.open_batches(dataset) if b.state is BatchState.LOADING]
    if not loading:
        drop_query(name, context)
        return []
    wanted = {(batch.batch_id, batch.generation): batch for batch in loading}
    tries = sorted(f"{batch.batch_id}/{batch.generation}/{batch.load_attempts}" for batch in loading)
    about = hashlib.sha256("\n".join(tries).encode()).hexdigest()
    result = fetch_or_submit(name, about, confirm_sql(sorted({batch.batch_id for batch in loading})), context)
    confirmed = []
    for batch_id, generation, *counts in result.rows.rows if result else ():
        batch = wanted.get((batch_id, int(generation)))
        if batch is not None and mark_loaded(batch, counts, "found in etl_loads", context):
            confirmed.append(batch.batch_id)
    return confirmed
