"""The warehouse's tables."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from gluebook.core.quality_sql import quality_ddl
from gluebook.core.warehouse_sql import FILES, LOADS, ORDER_COLUMN, column_ddl, echoes_table
from gluebook.datasets import PROVENANCE, Column, Contract

_FILE, _VERSION, _RECORD, _BATCH = PROVENANCE
_DATASET = Column("dataset", "text", "name of the contract", nullable=False, length=64)

_LOADS_DDL = f"""create table if not exists {LOADS} (
  batch_id varchar(64) not null,
  generation integer not null,
  dataset varchar(64) not null,
  rows_curated bigint not null,
  rows_merged bigint not null,
  rows_superseded bigint not null,
  rows_retracted bigint not null,
  table_rows bigint not null,
  load_number bigint not null,
  loaded_at timestamp not null
) diststyle all sortkey (load_number)"""


def schema_sql(contracts: tuple[Contract, ...]) -> list[str]:
    """DDL for the logs of loads, files and verdicts and for each dataset's tables; harmless to repeat.

    Every IAM role is a database user of its own, and the tables belong to the one that made them: the others
    may read, or the sweep couldn't ask `etl_loads` and nobody could query.
    """
    ddl = {LOADS: _LOADS_DDL, FILES: _files_ddl(), **quality_ddl()}
    for contract in contracts:
        ddl[contract.name] = _table_ddl(contract.name, contract.columns, contract.key[-1])
        if contract.append:
            key = tuple(contract.column(name) for name in contract.key)
            name = echoes_table(contract)
            ddl[name] = _table_ddl(name, (*key, *PROVENANCE), contract.key[-1])
    return [*ddl.values(), *(f"grant select on {table} to public" for table in ddl)]


def schema_fingerprint(contracts: tuple[Contract, ...]) -> str:
    """Changes whenever `schema_sql` does."""
    return hashlib.sha256("\n".join(schema_sql(contracts)).encode()).hexdigest()[:16]


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
