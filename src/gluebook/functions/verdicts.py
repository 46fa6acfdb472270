"""Verdicts: record the gate's results in the warehouse, whether the batch is published or not.

Separate from the load: a REJECTED batch is never loaded, and no batch waits for its report.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from gluebook.core.backoff import ONCE_A_DAY
from gluebook.core.model import NotedVerdict
from gluebook.core.sql.quality import record_sql, recording_name, recording_token
from gluebook.core.timestamps import utc_timestamp
from gluebook.errors import WarehouseBusy
from gluebook.functions.context import LoadContext
from gluebook.functions.independent_steps import IndependentSteps
from gluebook.functions.schema import ensure_schema, forget_schema

_log = logging.getLogger(__name__)


def record_verdicts(dataset: str, context: LoadContext, steps: IndependentSteps) -> None:
    """Submit verdicts that are not recorded, and drop those that are. Idempotent, also when run concurrently.

    A refused verdict is retried with growing pauses up to one day, without end: it costs little and must not need
    an operator. Stops as soon as the warehouse is busy. A verdict that is refused is a failed step; the others are
    still recorded.
    """
    try:
        for noted in context.ledger.verdicts(dataset):
            steps.run(f"recording the verdict on {noted.batch_id}", partial(_record, noted, context), None)
    except WarehouseBusy as busy:
        _log.warning("verdicts of %s wait for the next event or sweep: %s", dataset, busy)


def _record(noted: NotedVerdict, context: LoadContext) -> None:
    if noted.statement_id is None:
        _submit(noted, context)
        return
    statement = context.warehouse.statement(noted.statement_id)
    if statement is not None and statement.status == "FINISHED":
        context.ledger.drop_verdict(noted)
    elif statement is None or statement.ended:
        if statement is not None:
            _log.error("the verdict on batch %s was not recorded: %s", noted.batch_id, statement.error)
            if statement.lacks_a_table:
                forget_schema(context)
        if noted.retry_at <= utc_timestamp(context.clock()):
            _submit(noted, context)


def _submit(noted: NotedVerdict, context: LoadContext) -> None:
    ensure_schema(context)
    attempt = noted.attempts + 1
    trying = replace(
        noted,
        attempts=attempt,
        retry_at=utc_timestamp(context.clock() + context.backoff.pause(attempt, ONCE_A_DAY)),
    )
    statement_id = context.warehouse.submit(
        record_sql(trying, context.lake.uri(noted.manifest), context.copy_role_arn),
        name=recording_name(trying),
        token=recording_token(trying),
    )
    if context.ledger.verdict_submitted(trying, statement_id) and noted.statement_id is None:
        context.emit_metrics(
            noted.dataset,
            {"ExpectationsFailed": noted.failed, "BatchesRejected": 0 if noted.passed else 1},
        )
