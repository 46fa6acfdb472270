"""Verdicts: put what the gate has found into the warehouse, be the batch published or not.

Apart from the load: a batch that is REJECTED is never loaded, and a batch must not wait because of its report.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from gluebook.core.model import NotedVerdict
from gluebook.core.quality_sql import record_sql, recording_name, recording_token
from gluebook.errors import WarehouseBusy
from gluebook.steps.schema import ensure_schema, forget_schema
from gluebook.steps.work import Loading

_log = logging.getLogger(__name__)


def record_verdicts(dataset: str, work: Loading, *, scheduled: bool = False) -> None:
    """Submit what isn't recorded, forget what is. May be repeated, and done by several at once.

    What the warehouse has refused is tried again with the schedule, so that it can't go round in circles.
    """
    for noted in work.ledger.verdicts(dataset):
        try:
            _record(noted, work, scheduled)
        except WarehouseBusy as busy:
            _log.warning("the verdict on batch %s waits for the next look: %s", noted.batch_id, busy)


def _record(noted: NotedVerdict, work: Loading, scheduled: bool) -> None:
    if noted.statement_id is None:
        _submit(noted, work)
        return
    statement = work.warehouse.statement(noted.statement_id)
    if statement is not None and statement.status == "FINISHED":
        work.ledger.drop_verdict(noted)
    elif statement is None or statement.ended:
        if statement is not None:
            _log.error("the verdict on batch %s was not recorded: %s", noted.batch_id, statement.error)
            if statement.lacks_a_table:
                forget_schema(work)
        if scheduled or (statement is not None and statement.lacks_a_table):
            _submit(noted, work)


def _submit(noted: NotedVerdict, work: Loading) -> None:
    ensure_schema(work)
    trying = replace(noted, attempts=noted.attempts + 1)
    statement_id = work.warehouse.submit(
        record_sql(trying, work.lake.uri(noted.manifest), work.copy_role_arn),
        name=recording_name(trying),
        token=recording_token(trying),
    )
    if work.ledger.verdict_submitted(trying, statement_id) and noted.statement_id is None:
        work.tell(
            noted.dataset,
            {"ExpectationsFailed": noted.failed, "BatchesRejected": 0 if noted.passed else 1},
        )
