"""The warehouse's tables: made once per version of their DDL, apart from what is put into them."""

from __future__ import annotations

import json

from gluebook.clock import stamp
from gluebook.core.schema_sql import schema_fingerprint, schema_sql
from gluebook.datasets import CONTRACTS
from gluebook.errors import WarehouseBusy
from gluebook.steps.work import SCHEMA_MARK, Loading

# The warehouse may have to wake up first.
_TIMEOUT_SECONDS = 90.0
_TRIES_MARK = "warehouse-schema-tries"


def ensure_schema(work: Loading) -> None:
    """Create the tables if this version of them hasn't been made; the first statement of a load must be its lock.

    What fails is tried again ever more seldom. Raises WarehouseBusy (also until the next try), TerminalError.
    """
    contracts = tuple(CONTRACTS.values())
    fingerprint = schema_fingerprint(contracts)
    if work.ledger.mark(SCHEMA_MARK) == fingerprint:
        return
    _note_try(fingerprint, work)
    work.warehouse.run(schema_sql(contracts), name="gluebook-schema", timeout_seconds=_TIMEOUT_SECONDS)
    work.ledger.set_mark(SCHEMA_MARK, fingerprint)
    work.ledger.clear_mark(_TRIES_MARK)


def _note_try(fingerprint: str, work: Loading) -> None:
    """Note it before it is made: whoever dies of it must not be followed by others at once."""
    now = work.clock()
    noted = json.loads(work.ledger.mark(_TRIES_MARK) or "{}")
    if noted.get("fingerprint") != fingerprint:
        noted = {"tries": 0, "retry_at": ""}
    if noted["retry_at"] > stamp(now):
        raise WarehouseBusy(f"the tables could not be made; the next try is due at {noted['retry_at']}")
    tries = noted["tries"] + 1
    again = {"fingerprint": fingerprint, "tries": tries, "retry_at": stamp(now + work.backoff.pause(tries))}
    work.ledger.set_mark(_TRIES_MARK, json.dumps(again))


def forget_schema(work: Loading) -> None:
    """The warehouse was made anew; so are the tables, with what comes next."""
    work.ledger.clear_mark(SCHEMA_MARK)
