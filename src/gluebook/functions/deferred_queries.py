"""Deferred queries: submit a query to the warehouse now, and fetch its result on a later call.

No function waits while the warehouse wakes up. A mark in the ledger holds the query and its statement. A query that
fails is retried with growing pauses, up to one day, because each attempt wakes the warehouse.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace

from gluebook.core.backoff import ONCE_A_DAY
from gluebook.core.statements import Rows
from gluebook.core.timestamps import utc_timestamp
from gluebook.errors import WarehouseBusy
from gluebook.functions.context import LoadContext

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeferredQuery:
    """A query as its mark stores it; the attribute names are stored.

    about         identifies what the query is about; a new value makes it a new query of the same name
    tries         number of statements submitted for it
    retry_at      no further statement is submitted before this time
    statement_id  the statement whose result is to be fetched
    answered      whether the last finished statement returned a result
    """

    about: str
    tries: int = 0
    retry_at: str = ""
    statement_id: str | None = None
    answered: bool = False


@dataclass(frozen=True)
class QueryResult:
    """The rows, and what the submitted query was about, which may differ from what is queried now."""

    about: str
    rows: Rows


def fetch_or_submit(name: str, about: str, sql: str, context: LoadContext) -> QueryResult | None:
    """Return the result of the last query called `name` if it is ready; otherwise make sure that one is submitted.

    Never waits. After a result, the next query is submitted by the next call at the earliest.
    """
    query = last_query(name, context)
    result = None
    if query is not None and query.statement_id is not None:
        statement = context.warehouse.statement(query.statement_id)
        if statement is not None and not statement.ended:
            return None
        if statement is not None and statement.status == "FINISHED":
            result = QueryResult(query.about, context.warehouse.result(query.statement_id))
        else:
            error = (statement.error or statement.status) if statement else "its statement has expired"
            _log.error("query %s failed, try %d: %s", name, query.tries, error)
        query = replace(query, statement_id=None, answered=result is not None)
        _store(name, query, context)
    if result is None:
        # A failing query keeps its back-off, whatever it is about.
        continues = query is not None and (query.about == about or not query.answered)
        _submit(
            name, replace(query, about=about) if query and continues else DeferredQuery(about), sql, context
        )
    return result


def last_query(name: str, context: LoadContext) -> DeferredQuery | None:
    """The last query called `name`."""
    stored = context.ledger.mark(_mark(name))
    return DeferredQuery(**json.loads(stored)) if stored else None


def drop_query(name: str, context: LoadContext) -> None:
    """Delete the query called `name`, if there is one."""
    if context.ledger.mark(_mark(name)) is not None:
        context.ledger.clear_mark(_mark(name))


def _submit(name: str, query: DeferredQuery, sql: str, context: LoadContext) -> None:
    now = context.clock()
    if query.retry_at > utc_timestamp(now):
        return
    tries = query.tries + 1
    try:
        statement_id = context.warehouse.submit_query(sql, name=f"gluebook-{name}")
    except WarehouseBusy as busy:
        _log.warning("query %s is submitted by the next sweep: %s", name, busy)
        return
    retry_at = utc_timestamp(now + context.backoff.pause(tries, ONCE_A_DAY))
    _store(name, replace(query, tries=tries, retry_at=retry_at, statement_id=statement_id), context)


def _store(name: str, query: DeferredQuery, context: LoadContext) -> None:
    context.ledger.set_mark(_mark(name), json.dumps(asdict(query)))


def _mark(name: str) -> str:
    """The name of the query's mark; stored."""
    return f"asked:{name}"
