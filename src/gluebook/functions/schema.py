"""The warehouse's tables and grants: made once per version of their DDL, apart from what is put into them."""

from __future__ import annotations

import json
import re

from gluebook.contracts import CONTRACTS, Contract
from gluebook.core.sql.schema import SCHEMA_MARK, known_users_sql, schema_fingerprint, schema_sql
from gluebook.core.stamps import stamp
from gluebook.errors import ConfigurationError, TerminalError, WarehouseBusy
from gluebook.functions.work import Administrator, Loading

# How long the load function waits for the warehouse, which may have to resume first.
TIMEOUT_SECONDS = 90.0
_TRIES_MARK = "warehouse-schema-tries"
_ATTEMPTS = 4
_OVERTAKEN = re.compile("already exists|concurrent transaction")


def ensure_schema(work: Loading) -> None:
    """Create the tables if this version of them hasn't been made; the first statement of a load must be its lock.

    What fails is tried again ever more seldom. Raises WarehouseBusy (also until the next try), TerminalError,
    ConfigurationError where nobody is the administrator.
    """
    if work.admin is None:
        raise ConfigurationError("only the load function makes the warehouse's tables")
    contracts = tuple(CONTRACTS.values())
    fingerprint = schema_fingerprint(contracts, work.admin.users)
    if work.ledger.mark(SCHEMA_MARK) == fingerprint:
        return
    _note_try(fingerprint, work)
    _make(contracts, work.admin)
    work.ledger.set_mark(SCHEMA_MARK, fingerprint)
    work.ledger.clear_mark(_TRIES_MARK)


def _make(contracts: tuple[Contract, ...], admin: Administrator) -> None:
    """Again if another function makes it at the same time: what was about to be made is there, or about to be."""
    for _ in range(_ATTEMPTS):
        try:
            _make_once(contracts, admin)
        except TerminalError as failure:
            if not _OVERTAKEN.search(str(failure)):
                raise
        else:
            return
    raise WarehouseBusy("others are making the warehouse's tables at the same time")


def _make_once(contracts: tuple[Contract, ...], admin: Administrator) -> None:
    warehouse, queries = admin.connect(), known_users_sql()
    asked = warehouse.run(queries, name="gluebook-users", timeout_seconds=TIMEOUT_SECONDS)
    found = [warehouse.result(f"{asked}:{number}").rows for number in range(1, len(queries) + 1)]
    known = frozenset(str(name) for rows in found for (name,) in rows)
    sqls = schema_sql(contracts, admin.users, known)
    warehouse.run(sqls, name="gluebook-schema", timeout_seconds=TIMEOUT_SECONDS)


def _note_try(fingerprint: str, work: Loading) -> None:
    """Note the try before it is made: if the function dies of it, the next one waits."""
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
