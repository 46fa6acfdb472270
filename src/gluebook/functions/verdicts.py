"""Verdicts: put what the gate has found into the warehouse, be the batch published or not.

Apart from the load: a batch that is REJECTED is never loaded, and a batch must not wait because of its report.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from gluebook.core.backoff import ONCE_A_DAY
from gluebook.core.model import NotedVerdict
from gluebook.core.sql.quality import record_sql, recording_name, recording_token
from gluebook.core.stamps import stamp
from gluebook.errors import WarehouseBusy
from gluebook.functions.parts import Parts
from gluebook.functions.schema import ensure_schema, forget_schema
from gluebook.functions.work import Loading

_log = logging.getLogger(__name__)


def record_verdicts(dataset: str, work: Loading, parts: Parts) -> None:
    """Submit what isn't recorded, forget what is. May be repeated, and done by several at once.

    What the warehouse has refused is tried again ever more seldom, down to once a day, but without end: a verdict
    costs little, and must not need an operator. Stops as soon as the warehouse is busy. What one verdict is refused
    goes to `parts` and keeps no other from being recorded.
    """
    try:
        for noted in work.ledger.verdicts(dataset):
            parts.do(f"recording the verdict on {noted.batch_id}", partial(_record, noted, work), None)
    except WarehouseBusy as busy:
        _log.warning("verdicts of %s wait for the next look: %s", dataset, busy)


def _record(noted: NotedVerdict, work: Loading) -> None:
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
        if noted.retry_at <= stamp(work.clock()):
            _submit(noted, work)


def _submit(noted: NotedVerdict, work: Loading) -> None:
    ensure_schema(work)
    attempt = noted.attempts + 1
    trying = replace(
        noted, attempts=attempt, retry_at=stamp(work.clock() + work.backoff.pause(attempt, ONCE_A_DAY))
    )
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
