"""The load of one batch as a list of SQL statements, to be run in one transaction.

There is no IF to lean on and no enforced key, so each rule is a statement: wait for your turn, copy, assert
the count by a cast that fails, empty the stage if the batch is already there, keep the newest row per key,
drop what isn't newer than the target, merge, note it in `etl_loads`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gluebook.datasets import Column, Contract

LOADS = "etl_loads"
_LOADS_DDL = f"""create table if not exists {LOADS} (
  batch_id varchar(64) not null,
  dataset varchar(64) not null,
  rows_curated bigint not null,
  rows_merged bigint not null,
  rows_superseded bigint not null,
  loaded_at timestamp not null
) diststyle all sortkey (loaded_at)"""

# A timestamp no row has: nulls must have a place in the order, and this puts them first.
_NEVER = "'0001-01-01 00:00:00'::timestamp"


@dataclass(frozen=True)
class LoadRequest:
    """What a load needs to know. `rows` is the number of curated rows the manifest stands for."""

    batch_id: str
    manifest_uri: str
    copy_role_arn: str
    rows: int


def schema_sql(contracts: tuple[Contract, ...]) -> list[str]:
    """DDL for the load log and for each dataset's table; harmless to repeat.

    Every IAM role is a database user of its own, and the tables belong to the one that made them: the others
    may read, or the sweep couldn't ask `etl_loads` and nobody could query.
    """
    tables = [LOADS, *(contract.name for contract in contracts)]
    return [
        _LOADS_DDL,
        *(_table_ddl(contract) for contract in contracts),
        *(f"grant select on {table} to public" for table in tables),
    ]


def schema_fingerprint(contracts: tuple[Contract, ...]) -> str:
    """Changes whenever `schema_sql` does."""
    return hashlib.sha256("\n".join(schema_sql(contracts)).encode()).hexdigest()[:16]


def _table_ddl(contract: Contract) -> str:
    columns = ",\n  ".join(_column_ddl(column) for column in contract.columns)
    # The key isn't declared PRIMARY KEY: Redshift wouldn't enforce it, yet its planner would trust it.
    return (
        f"create table if not exists {contract.name} (\n  {columns}\n) "
        f"diststyle key distkey ({contract.key[-1]}) sortkey ({contract.key[-1]})"
    )


def _column_ddl(column: Column) -> str:
    return f"{column.name} {column.redshift_type}" + ("" if column.nullable else " not null")


def load_sql(contract: Contract, request: LoadRequest) -> list[str]:
    """The statements that load one batch into `contract`'s table; harmless to repeat.

    The last one returns one row: rows_merged, rows_superseded.
    """
    batch = _quote(request.batch_id)
    stage, newest, target = f"{contract.name}_stage", f"{contract.name}_newest", contract.name
    names = ", ".join(contract.names)
    columns = ", ".join(_column_ddl(column) for column in contract.columns)
    same_key = _same_key(contract, newest, target)
    rest = [name for name in contract.names if name not in contract.key]
    return [
        f"lock table {LOADS}",
        f"create temp table {stage} ({columns})",
        f"copy {stage} from {_quote(request.manifest_uri)} iam_role {_quote(request.copy_role_arn)} "
        "format as parquet manifest",
        f"select cast(case when count(*) = {request.rows} then '1' "
        f"else 'the stage does not hold {request.rows} rows' end as integer) from {stage}",
        f"delete from {stage} where exists (select 1 from {LOADS} where batch_id = {batch})",
        f"create temp table {newest} as select {names} from ("
        f"select {names}, row_number() over (partition by {', '.join(contract.key)} "
        f"order by {', '.join(f'{_rank(contract, name)} desc' for name in contract.newest_by)}) as place "
        f"from {stage}) ranked where place = 1",
        f"delete from {newest} using {target} where {same_key} and ({_not_newer(contract, newest, target)})",
        f"merge into {target} using {newest} on {same_key} "
        f"when matched then update set {', '.join(f'{name} = {newest}.{name}' for name in rest)} "
        f"when not matched then insert ({names}) "
        f"values ({', '.join(f'{newest}.{name}' for name in contract.names)})",
        f"insert into {LOADS} (batch_id, dataset, rows_curated, rows_merged, rows_superseded, loaded_at) "
        f"select {batch}, {_quote(contract.name)}, {request.rows}, merged, {request.rows} - merged, "
        f"getdate() from (select count(*) as merged from {newest}) counted "
        f"where not exists (select 1 from {LOADS} where batch_id = {batch})",
        f"select rows_merged, rows_superseded from {LOADS} where batch_id = {batch}",
    ]


def _same_key(contract: Contract, one: str, other: str) -> str:
    return " and ".join(f"{one}.{name} = {other}.{name}" for name in contract.key)


def _rank(contract: Contract, name: str, table: str = "") -> str:
    """`name` as a value that can be compared: a null timestamp counts as the oldest."""
    qualified = f"{table}.{name}" if table else name
    column = contract.column(name)
    return f"coalesce({qualified}, {_NEVER})" if column.type == "timestamp" and column.nullable else qualified


def _not_newer(contract: Contract, row: str, target: str) -> str:
    """`row` >= comparison spelled out column by column: Redshift compares no row values."""
    alternatives = []
    equal: list[str] = []
    for name in contract.newest_by:
        mine, theirs = _rank(contract, name, row), _rank(contract, name, target)
        alternatives.append(" and ".join([*equal, f"{theirs} > {mine}"]))
        equal.append(f"{theirs} = {mine}")
    alternatives.append(" and ".join(equal))
    return " or ".join(f"({alternative})" for alternative in alternatives)


def _quote(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
