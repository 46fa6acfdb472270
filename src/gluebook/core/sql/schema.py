"""The warehouse's tables and their grants."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from gluebook.contracts import PROVENANCE, Column, Contract
from gluebook.core.sql.quality import quality_ddl
from gluebook.core.sql.warehouse import FILES, LOADS, ORDER_COLUMN, column_ddl, extra_references_table

_FILE, _VERSION, _RECORD, _BATCH = PROVENANCE
_DATASET = Column("dataset", "text", "name of the contract", nullable=False, length=64)

# The name of the ledger's mark for the created version of the tables.
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


# Database roles outlive the users that hold them: a user is named after an IAM role, and ends with it.
LOADER, READER = "gluebook_loader", "gluebook_reader"


@dataclass(frozen=True)
class WarehouseUsers:
    """Database users that may load or read. `IAMR:<name>` is an IAM role, `IAM:<name>` an IAM user."""

    loaders: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()

    @property
    def roles(self) -> dict[str, tuple[str, ...]]:
        """The users of each database role."""
        return {LOADER: self.loaders, READER: self.readers}


def known_users_sql() -> list[str]:
    """Queries for the names of existing users and roles; Redshift has no IF NOT EXISTS for them."""
    return ["select usename from pg_user", "select role_name from svv_roles"]


def schema_sql(
    contracts: tuple[Contract, ...],
    users: WarehouseUsers = WarehouseUsers(),
    known: frozenset[str] = frozenset(),
) -> list[str]:
    """The administrator's statements: create users and roles that are not `known`, the tables, and the grants.

    The tables are those of loads, files and verdicts, and of each dataset. Idempotent, except that users and roles
    can be created only once. Every IAM role is a database user, and a table belongs to the user that created it, so
    others need the grants. The permission for LOCK is undocumented; as in PostgreSQL it is assumed to be UPDATE or
    DELETE. COPY into a table needs INSERT (AWS docs: "COPY", "Required permissions").
    """
    ddl = {LOADS: _LOADS_DDL, FILES: _files_ddl(), **quality_ddl()}
    for contract in contracts:
        ddl[contract.name] = _table_ddl(contract.name, contract.columns, contract.key[-1])
        if contract.append:
            key = tuple(contract.column(name) for name in contract.key)
            name = extra_references_table(contract)
            ddl[name] = _table_ddl(name, (*key, *PROVENANCE), contract.key[-1])
    tables = ", ".join(ddl)
    return [
        *_principals_sql(users, known),
        *ddl.values(),
        # Earlier releases granted SELECT to everybody.
        f"revoke select on {tables} from public",
        f"grant select on {tables} to role {READER}",
        f"grant select, insert, update, delete on {tables} to role {LOADER}",
        *(f"grant role {role} to {_quoted(name)}" for role, names in users.roles.items() for name in names),
    ]


def _principals_sql(users: WarehouseUsers, known: frozenset[str]) -> list[str]:
    """Create roles, and users that have not connected yet: grants need existing users.

    Names are compared case-insensitively, because Redshift may have folded them.
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
    """A hash of `schema_sql`; it also changes when the users change."""
    return hashlib.sha256("\n".join(schema_sql(contracts, users)).encode()).hexdigest()[:16]


def _files_ddl() -> str:
    batch = replace(_BATCH, name="batch_id")
    columns = (_DATASET, _FILE, _VERSION, replace(ORDER_COLUMN, nullable=False), batch)
    return _table_ddl(FILES, columns, _FILE.name)


def _table_ddl(name: str, columns: tuple[Column, ...], spread_by: str) -> str:
    # The key is not declared PRIMARY KEY: Redshift does not enforce it, but its planner trusts it.
    lines = ",\n  ".join(column_ddl(column) for column in columns)
    return (
        f"create table if not exists {name} (\n  {lines}\n) "
        f"diststyle key distkey ({spread_by}) sortkey ({spread_by})"
    )
