"""Compare the warehouse with the ledger: loads whose event was lost, and tables that differ from what was loaded."""

from __future__ import annotations

import hashlib
import logging

from gluebook.contracts import contract
from gluebook.core.model import Batch
from gluebook.core.sql.load import confirm_sql, drift_sql
from gluebook.core.states import BatchState
from gluebook.functions.asking import ask, asked, forget
from gluebook.functions.work import Loading, loaded_mark, note_loaded
from gluebook.operations.reconcile import Drift, drift_from

_log = logging.getLogger(__name__)


def compare(dataset: str, work: Loading) -> tuple[Drift | None, int]:
    """How far the warehouse is from what was loaded, and how often that was asked in vain since it was known last.

    Asked once after each time that something was loaded: each question wakes the warehouse up. Not while a load may
    be changing it; loads that wait because they fail change nothing. The answer comes with a later sweep.
    """
    name, ledger = f"drift-{dataset}", work.ledger
    newest = ledger.mark(loaded_mark(dataset))
    known = newest is None or newest == ledger.mark(f"compared:{dataset}")
    changing = any(not _waits(batch) for batch in ledger.open_batches(dataset))
    question = asked(name, work)
    if newest is None or ((known or changing) and not (question and question.statement_id)):
        return None, question.tries if question else 0
    answer = ask(name, newest, drift_sql(contract(dataset)), work)
    if answer is None:
        question = asked(name, work)
        return None, question.tries if question else 0
    found = drift_from(answer.rows)
    ledger.set_mark(f"compared:{dataset}", answer.about)
    forget(name, work)
    if found.rows_apart:
        _log.error("%s in the warehouse isn't what was loaded: %s", dataset, found)
    return found, 0


def _waits(batch: Batch) -> bool:
    return batch.state is BatchState.CURATED and batch.failed_loads > 0


def confirm_loads(dataset: str, work: Loading) -> list[str]:
    """Mark batches LOADED that the warehouse has, by its own word; their ids.

    Asks `etl_loads` with a statement of its own: another function's statements can't be looked at. The same loads are
    asked for ever more seldom; the answer comes with a later sweep.
    """
    name = f"loads-{dataset}"
    loading = [b for b in work.ledger.open_batches(dataset) if b.state is BatchState.LOADING]
    if not loading:
        forget(name, work)
        return []
    wanted = {(batch.batch_id, batch.generation): batch for batch in loading}
    tries = sorted(f"{batch.batch_id}/{batch.generation}/{batch.load_attempts}" for batch in loading)
    about = hashlib.sha256("\n".join(tries).encode()).hexdigest()
    answer = ask(name, about, confirm_sql(sorted({batch.batch_id for batch in loading})), work)
    confirmed = []
    for batch_id, generation, *counts in answer.rows.rows if answer else ():
        batch = wanted.get((batch_id, int(generation)))
        if batch is not None and note_loaded(batch, counts, "found in etl_loads", work):
            confirmed.append(batch.batch_id)
    return confirmed
