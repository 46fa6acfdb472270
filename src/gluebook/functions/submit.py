"""Submit the loads of curated batches, and settle batches whose statement has ended."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from gluebook.contracts import contract
from gluebook.contracts.reasons import Reason
from gluebook.core.loading import after_failed_load, client_token, is_due, statement_name
from gluebook.core.model import Batch
from gluebook.core.sql.load import LoadRequest, load_sql
from gluebook.core.statements import Statement
from gluebook.core.states import BatchState
from gluebook.core.timestamps import utc_timestamp
from gluebook.errors import Fenced, WarehouseBusy
from gluebook.functions.batch_changes import advance, mark_loaded
from gluebook.functions.context import LoadContext
from gluebook.functions.crawl import crawl_if_needed
from gluebook.functions.independent_steps import IndependentSteps
from gluebook.functions.schema import ensure_schema, forget_schema

_log = logging.getLogger(__name__)


def submit_curated(dataset: str, context: LoadContext, steps: IndependentSteps) -> None:
    """Submit a load for every curated batch that is due, oldest first; stop as soon as the warehouse is busy.

    A batch that is refused is a failed step; the others are still loaded.
    """
    now = context.clock()
    due = [batch for batch in context.ledger.open_batches(dataset) if is_due(batch, now)]
    try:
        for batch in due:
            ensure_schema(context)
            steps.run(f"loading batch {batch.batch_id}", partial(_submit, batch, context), None)
    except WarehouseBusy as busy:
        _log.warning("loads of %s wait for the next event or sweep: %s", dataset, busy)
    for batch in due:
        crawl_if_needed(batch, context)


def _submit(batch: Batch, context: LoadContext) -> None:
    attempt = batch.load_attempts + 1
    # Recorded first: a later call that finds LOADING without a statement submits again, with the same token.
    loading = replace(batch, state=BatchState.LOADING, load_attempts=attempt, statement_id=None)
    noted = advance(batch, loading, f"load {attempt}", context)
    if noted is not None:
        _send(noted, context)


def _send(batch: Batch, context: LoadContext) -> None:
    statement_id = context.warehouse.submit(
        load_sql(contract(batch.dataset), _request(batch, context)),
        name=statement_name(batch),
        token=client_token(batch),
    )
    if statement_id == batch.statement_id:
        return
    try:
        context.ledger.note_statement(batch, statement_id, utc_timestamp(context.clock()))
    except Fenced:
        _log.info("batch %s was settled before its statement was recorded", batch.batch_id)


def _request(batch: Batch, context: LoadContext) -> LoadRequest:
    lake = context.lake
    return LoadRequest(
        batch_id=batch.batch_id,
        generation=batch.generation,
        manifest_uri=lake.uri(lake.manifest(batch.dataset, batch.batch_id, batch.generation)),
        copy_role_arn=context.copy_role_arn,
        rows=batch.counts.curated,
        row_references_uri=lake.uri(
            lake.row_references_manifest(batch.dataset, batch.batch_id, batch.generation)
        ),
        row_references=batch.row_references,
    )


def settle(batch: Batch, context: LoadContext) -> None:
    """Settle a LOADING batch by its statement's state in the Data API, whatever the event says."""
    if batch.state is not BatchState.LOADING:
        return
    statement = context.warehouse.statement(batch.statement_id) if batch.statement_id else None
    try:
        if statement is None:
            _send(batch, context)
        elif statement.status == "FINISHED":
            _loaded(batch, statement, context)
        elif statement.ended:
            _failed(batch, statement, context)
    except WarehouseBusy as busy:
        _log.warning("batch %s waits for the next event or sweep: %s", batch.batch_id, busy)


def _loaded(batch: Batch, statement: Statement, context: LoadContext) -> None:
    counts = context.warehouse.result(statement.result_id).rows[0]
    mark_loaded(batch, counts, f"statement {statement.statement_id}", context)


def _failed(batch: Batch, statement: Statement, context: LoadContext) -> None:
    reason = Reason.LOAD_FAILED.because(statement.error or statement.status)
    _log.error("batch %s, load %d: %s", batch.batch_id, batch.load_attempts, reason)
    if statement.lacks_a_table:  # the warehouse was recreated; the next load creates the tables
        forget_schema(context)
    failed = after_failed_load(
        batch, reason, context.clock(), blames_data=statement.blames_data, backoff=context.backoff
    )
    if failed.given_up:
        _log.error("batch %s: loads stop until it is replayed", batch.batch_id)
    advance(batch, failed, reason, context)
