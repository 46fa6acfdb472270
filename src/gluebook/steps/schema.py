"""The warehouse's tables: made once per version of their DDL, apart from what is put into them."""

from __future__ import annotations

from gluebook.core.schema_sql import schema_fingerprint, schema_sql
from gluebook.datasets import CONTRACTS
from gluebook.steps.work import SCHEMA_MARK, Loading

# The warehouse may have to wake up first.
_TIMEOUT_SECONDS = 90.0


def ensure_schema(work: Loading) -> None:
    """Create the tables if this version of them hasn't been made; the first statement of a load must be its lock.

    Raises WarehouseBusy, TerminalError.
    """
    contracts = tuple(CONTRACTS.values())
    fingerprint = schema_fingerprint(contracts)
    if work.ledger.mark(SCHEMA_MARK) == fingerprint:
        return
    work.warehouse.run(schema_sql(contracts), name="gluebook-schema", timeout_seconds=_TIMEOUT_SECONDS)
    work.ledger.set_mark(SCHEMA_MARK, fingerprint)


def forget_schema(work: Loading) -> None:
    """The warehouse was made anew; so are the tables, with what comes next."""
    work.ledger.clear_mark(SCHEMA_MARK)
