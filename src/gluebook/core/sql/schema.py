"""The warehouse's tables, and who may use them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from gluebook.contracts import PROVENANCE, Column, Contract
from gluebook.core.sql.quality import quality_ddl
from gluebook.core.sql.warehouse import FILES, LOADS, ORDER_COLUMN, column_ddl, echoes_table

_FILE, _VERSION, _RECORD, _BATCH = PROVENANCE
_DATASET = Column("dataset", "text", "name of the contract", nullable=False, length=64)

# The name of the ledger's mark for the tables that the warehouse has.
SCHEMA_MARK = "warehouse-schema"

LOADS_COLUMNS = (
    replace(_BATCH, name="batch_id", description="the batch"),
    Column("generation", "integer", "1; one more each time the batch is processed again", nullable=False),
    Column("dataset", "text", "the table that it went into", nullable=False, length=64),
    Column("rows_curated", "bigint", "rows in the manifest", nullable=False),
    Column("rows_merged", "bigint", "rows inserted or updated", nullable=False),
    Column("rows_superseded", "bigint", "rows that are not the newest of their key", nullable=False),
    Column(
        "rows_retracted", "bigint", "rows deleted because no live file version contains them", nullable=False
    ),
    Column("table_rows", "bigint", "rows in the dataset's table after the load", nullable=False),
    Column("load_number", "bigint", "orders the loads", nullable=False),
    Column("loaded_at", "timestamp", "time of the load", nullable=False),
)
_LOADS_DDL = (
    f"create table if not exists {LOADS} (\n  "
    + ",\n  ".join(column_ddl(column) for column in LOADS_COLUMNS)
    + "\n) diststyle all sortkey (load_number)"
)


# Database roles, which outlive who has them: a user is the name of an IAM role, and goes with that name.
LOADER, READER = "gluebook_loader", "gluebook_reader"


@dataclass(frozen=True)
class WarehouseUsers:
    """Database users by what they may do: load, or read. `IAMR:<name>` is an IAM role, `IAM:<name>` an IAM user."""

    loaders: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()

    @property
    def roles(self) -> dict[str, tuple[str, ...]]:
        """Who is to have each database role."""
        return {LOADER: self.loaders, READER: self.readers}


def known_users_sql() -> list[str]:
    """Queries for the users and the roles that exist, by name; Redshift has no IF NOT EXISTS for these."""
    return ["select usename from pg_user", "select role_name from svv_roles"]


def schema_sql(
    contracts: tuple[Contract, ...],
    users: WarehouseUsers = WarehouseUsers(),
    known: frozenset[str] = frozenset(),
) -> list[str]:
    """What the administrator runs: users and roles that aren't `known`, tables, and who may do what with them.

    The tables are for loads, files and verdicts, and for each dataset. Harmless to repeat, except that users and
    roles can be made once only. Every IAM role is a database user of its own, and a table belongs to who made it;
    so nobody else may use it without a grant here. LOCK, undocumented, is taken to need UPDATE or DELETE as in
    PostgreSQL; COPY into a table needs INSERT (AWS docs: "COPY", "Required permissions").
    """
    ddl = {LOADS: _LOADS_DDL, FILES: _files_ddl(), **quality_ddl()}
    for contract in contracts:
        ddl[contract.name] = _table_ddl(contract.name, contract.columns, contract.key[-1])
        if contract.append:
            key = tuple(contract.column(name) for name in contract.key)
            name = echoes_table(contract)
            ddl[name] = _table_ddl(name, (*key, *PROVENANCE), contract.key[-1])
    tables = ", ".join(ddl)
    return [
        *_principals_sql(users, known),
        *ddl.values(),
        # Earlier releases let everybody read.
        f"revoke select on {tables} from public",
        f"grant select on {tables} to role {READER}",
        f"grant select, insert, update, delete on {tables} to role {LOADER}",
        *(f"grant role {role} to {_quoted(name)}" for role, names in users.roles.items() for name in names),
    ]


def _principals_sql(users: WarehouseUsers, known: frozenset[str]) -> list[str]:
    """Roles, and users that haven't connected yet: who isn't there can't be granted anything.

    Names are compared without case, in which Redshift may have folded them.
    """
    there = {name.lower() for name in known}
    named = dict.fromkeys(name for names in users.roles.values() for name in names)
    return [
        *(f"create role {role}" for role in users.roles if role not in there),
        *(f"create user {_quoted(name)} password disable" for name in named if name.lower() not in there),
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def schema_fingerprint(contracts: tuple[Contract, ...], users: WarehouseUsers = WarehouseUsers()) -> str:
    """Changes whenever `schema_sql` does, so also when somebody else is to load or to read."""
    return hashlib.sha256("\n".join(schema_sql(contracts, users)).encode()).hexdigest()[:16]


def _files_ddl() -> str:
    batch = replace(_BATCH, name="batch_id")
    columns = (_DATASET, _FILE, _VERSION, replace(ORDER_COLUMN, nullable=False), batch)
    return _table_ddl(FILES, columns, _FILE.name)


def _table_ddl(name: str, columns: tuple[Column, ...], spread_by: str) -> str:
    # The key isn't declared PRIMARY KEY: Redshift wouldn't enforce it, yet its planner would trust it.
    lines = ",\n  ".join(column_ddl(column) for column in columns)
    return (
        f"create table if not exists {name} (\n  {lines}\n) "
        f"diststyle key distkey ({spread_by}) sortkey ({spread_by})"
    )
