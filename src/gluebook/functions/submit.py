"""Submit: hand curated batches to the warehouse, and take in what became of their statements."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from gluebook.contracts import contract
from gluebook.contracts.reasons import Reason
from gluebook.core.loading import after_failed_load, client_token, is_due, statement_name
from gluebook.core.model import Batch
from gluebook.core.sql.load import LoadRequest, load_sql
from gluebook.core.stamps import stamp
from gluebook.core.statements import Statement
from gluebook.core.states import BatchState
from gluebook.errors import Fenced, WarehouseBusy
from gluebook.functions.crawl import crawl_if_needed
from gluebook.functions.parts import Parts
from gluebook.functions.schema import ensure_schema, forget_schema
from gluebook.functions.work import Loading, advance, note_loaded

_log = logging.getLogger(__name__)


def submit_curated(dataset: str, work: Loading, parts: Parts) -> None:
    """Submit a load for every curated batch that is due, oldest first; stop as soon as the warehouse is busy.

    What one batch is refused goes to `parts` and keeps no other from being loaded.
    """
    now = work.clock()
    due = [batch for batch in work.ledger.open_batches(dataset) if is_due(batch, now)]
    try:
        for batch in due:
            ensure_schema(work)
            parts.do(f"loading batch {batch.batch_id}", partial(_submit, batch, work), None)
    except WarehouseBusy as busy:
        _log.warning("%s waits for the next look: %s", dataset, busy)
    for batch in due:
        crawl_if_needed(batch, work)


def _submit(batch: Batch, work: Loading) -> None:
    attempt = batch.load_attempts + 1
    # Noted first: a function that finds LOADING without a statement submits again, with the same token.
    loading = replace(batch, state=BatchState.LOADING, load_attempts=attempt, statement_id=None)
    noted = advance(batch, loading, f"load {attempt}", work)
    if noted is not None:
        _send(noted, work)


def _send(batch: Batch, work: Loading) -> None:
    statement_id = work.warehouse.submit(
        load_sql(contract(batch.dataset), _request(batch, work)),
        name=statement_name(batch),
        token=client_token(batch),
    )
    if statement_id == batch.statement_id:
        return
    try:
        work.ledger.note_statement(batch, statement_id, stamp(work.clock()))
    except Fenced:
        _log.info("batch %s was settled before its statement was noted", batch.batch_id)


def _request(batch: Batch, work: Loading) -> LoadRequest:
    lake = work.lake
    return LoadRequest(
        batch_id=batch.batch_id,
        generation=batch.generation,
        manifest_uri=lake.uri(lake.manifest(batch.dataset, batch.batch_id, batch.generation)),
        copy_role_arn=work.copy_role_arn,
        rows=batch.counts.curated,
        vouchers_uri=lake.uri(lake.vouchers(batch.dataset, batch.batch_id, batch.generation)),
        vouchers=batch.vouchers,
    )


def settle(batch: Batch, work: Loading) -> None:
    """Take in what became of a batch's statement; asks the Data API, whatever the event said."""
    if batch.state is not BatchState.LOADING:
        return
    statement = work.warehouse.statement(batch.statement_id) if batch.statement_id else None
    try:
        if statement is None:
            _send(batch, work)
        elif statement.status == "FINISHED":
            _loaded(batch, statement, work)
        elif statement.ended:
            _failed(batch, statement, work)
    except WarehouseBusy as busy:
        _log.warning("batch %s waits for the next look: %s", batch.batch_id, busy)


def _loaded(batch: Batch, statement: Statement, work: Loading) -> None:
    counts = work.warehouse.result(statement.result_id).rows[0]
    note_loaded(batch, counts, f"statement {statement.statement_id}", work)


def _failed(batch: Batch, statement: Statement, work: Loading) -> None:
    reason = Reason.LOAD_FAILED.because(statement.error or statement.status)
    _log.error("batch %s, load %d: %s", batch.batch_id, batch.load_attempts, reason)
    if statement.lacks_a_table:  # the warehouse was made anew; so are the tables, with the next load
        forget_schema(work)
    failed = after_failed_load(
        batch, reason, work.clock(), blames_data=statement.blames_data, backoff=work.backoff
    )
    if failed.given_up:
        _log.error("batch %s is not loaded any more until it is replayed", batch.batch_id)
    advance(batch, failed, reason, work)
