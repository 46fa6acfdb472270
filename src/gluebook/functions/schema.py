"""The warehouse's tables and grants: created once per version of their DDL, apart from the loads."""

from __future__ import annotations

import json
import re

from gluebook.contracts import CONTRACTS, Contract
from gluebook.core.sql.schema import SCHEMA_MARK, known_users_sql, schema_fingerprint, schema_sql
from gluebook.core.timestamps import utc_timestamp
from gluebook.errors import ConfigurationError, TerminalError, WarehouseBusy
from gluebook.functions.context import LoadContext, WarehouseAdmin

# How long the load function waits for the warehouse, which may have to resume first.
TIMEOUT_SECONDS = 90.0
_TRIES_MARK = "warehouse-schema-tries"
_ATTEMPTS = 4
_CONCURRENT = re.compile("already exists|concurrent transaction")


def ensure_schema(context: LoadContext) -> None:
    """Create the tables unless this version of them exists; separate from loads, which must begin with their lock.

    A failed attempt is retried with growing pauses. Raises WarehouseBusy (also until the next attempt is due),
    TerminalError, and ConfigurationError if the context has no administrator.
    """
    if context.admin is None:
        raise ConfigurationError("only the load function can create the warehouse's tables")
    contracts = tuple(CONTRACTS.values())
    fingerprint = schema_fingerprint(contracts, context.admin.users)
    if context.ledger.mark(SCHEMA_MARK) == fingerprint:
        return
    _record_attempt(fingerprint, context)
    _create(contracts, context.admin)
    context.ledger.set_mark(SCHEMA_MARK, fingerprint)
    context.ledger.clear_mark(_TRIES_MARK)


def _create(contracts: tuple[Contract, ...], admin: WarehouseAdmin) -> None:
    """Retry if another function creates the tables at the same time."""
    for _ in range(_ATTEMPTS):
        try:
            _create_once(contracts, admin)
        except TerminalError as failure:
            if not _CONCURRENT.search(str(failure)):
                raise
        else:
            return
    raise WarehouseBusy("other functions are creating the warehouse's tables at the same time")


def _create_once(contracts: tuple[Contract, ...], admin: WarehouseAdmin) -> None:
    warehouse, queries = admin.connect(), known_users_sql()
    asked = warehouse.run(queries, name="gluebook-users", timeout_seconds=TIMEOUT_SECONDS)
    found = [warehouse.result(f"{asked}:{number}").rows for number in range(1, len(queries) + 1)]
    known = frozenset(str(name) for rows in found for (name,) in rows)
    sqls = schema_sql(contracts, admin.users, known)
    warehouse.run(sqls, name="gluebook-schema", timeout_seconds=TIMEOUT_SECONDS)


def _record_attempt(fingerprint: str, context: LoadContext) -> None:
    """Record the attempt before it is made, so that no attempt follows at once if this one kills the function."""
    now = context.clock()
    noted = json.loads(context.ledger.mark(_TRIES_MARK) or "{}")
    if noted.get("fingerprint") != fingerprint:
        noted = {"tries": 0, "retry_at": ""}
    if noted["retry_at"] > utc_timestamp(now):
        raise WarehouseBusy(
            f"the tables could not be created; the next attempt is due at {noted['retry_at']}"
        )
    tries = noted["tries"] + 1
    again = {
        "fingerprint": fingerprint,
        "tries": tries,
        "retry_at": utc_timestamp(now + context.backoff.pause(tries)),
    }
    context.ledger.set_mark(_TRIES_MARK, json.dumps(again))


def forget_schema(context: LoadContext) -> None:
    """The warehouse was recreated: the next load or verdict creates the tables again."""
    context.ledger.clear_mark(SCHEMA_MARK)
