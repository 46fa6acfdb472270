"""The load of one batch as a list of SQL statements, to be run in one transaction.

There is no IF to lean on and no enforced key, so each rule is a statement: wait for your turn, copy, assert
the count by a cast that fails, empty the stage if the batch is already there, find the rows that may stand in
the table, put them there, note it in `etl_loads`. Which rows may stand is one thing for revisions, of which the
newest wins (here), and another for records that are only ever added (`retraction_sql`).
"""

from __future__ import annotations

from gluebook.contracts import Column, Contract
from gluebook.core.sql.retraction import Retraction
from gluebook.core.sql.warehouse import (
    BATCH,
    FILES,
    LOADS,
    LoadRequest,
    column_ddl,
    confirm_sql,
    drift_sql,
    echoes_table,
    fail_if_any,
    listed,
    loaded,
    quote,
    same,
    same_content,
    voucher_columns,
)
from gluebook.errors import ConfigurationError

__all__ = [
    "FILES",
    "LOADS",
    "LoadRequest",
    "confirm_sql",
    "drift_sql",
    "echoes_table",
    "load_sql",
    "voucher_columns",
]

# A timestamp no row has: nulls must have a place in the order, and this puts them first.
_NEVER = "'0001-01-01 00:00:00'::timestamp"


def load_sql(contract: Contract, request: LoadRequest) -> list[str]:
    """The statements that load one batch into `contract`'s table; harmless to repeat.

    The last one returns ONE row: rows_merged, rows_superseded, rows_retracted, as noted of this generation, or
    of the latest if only later ones were loaded. How many statements there are depends on the request.
    Raises ConfigurationError if there are vouchers for a dataset that knows none.
    """
    if request.vouchers and not contract.append:
        raise ConfigurationError(
            f"batch {request.batch_id} has {request.vouchers} vouchers, but {contract.name} is no append dataset"
        )
    stage = f"{contract.name}_stage"
    return [
        # The first statement: behind it the snapshot is taken.
        f"lock table {LOADS}",
        *_copied(stage, contract.columns, request.manifest_uri, request.rows, request.copy_role_arn),
        # This column says which rows are the batch's own, when it is processed again.
        fail_if_any("rows are of another batch", f"{stage} where {BATCH} <> {quote(request.batch_id)}"),
        *(_append(contract, request) if contract.append else _upsert(contract, request)),
        *_noted(contract, request),
    ]


def _copied(
    table: str, columns: tuple[Column, ...], manifest_uri: str, rows: int, role_arn: str
) -> list[str]:
    """A temporary table with what a manifest stands for, its count asserted."""
    copy = f"copy {table} from {quote(manifest_uri)} iam_role {quote(role_arn)} format as parquet manifest"
    return [
        # COPY goes by position: the columns stand in the order of the files.
        f"create temp table {table} ({', '.join(column_ddl(column) for column in columns)})",
        # Where there are no rows there may be no manifest.
        *([copy] if rows else []),
        # A cast that fails is the only assertion there is; its text says what was wrong.
        f"select cast(case when count(*) = {rows} then '1' "
        f"else '{table} does not hold {rows} rows' end as integer) from {table}",
    ]


def _append(contract: Contract, request: LoadRequest) -> list[str]:
    retraction = Retraction(contract, request)
    vouchers = retraction.vouchers
    layout = voucher_columns(contract)
    return [
        *_copied(vouchers, layout, request.vouchers_uri, request.vouchers, request.copy_role_arn),
        *retraction.assertions(),
        f"delete from {contract.name}_stage where {loaded(request)}",
        f"delete from {vouchers} where {loaded(request)}",
        *retraction.statements(),
    ]


def _upsert(contract: Contract, request: LoadRequest) -> list[str]:
    stage, newest, target = f"{contract.name}_stage", f"{contract.name}_newest", contract.name
    rest = [name for name in contract.names if name not in contract.key]
    order = ", ".join(f"{_rank(contract, name)} desc" for name in contract.newest_by)
    same_key = same(contract.key, newest, target)
    return [
        f"delete from {stage} where {loaded(request)}",
        # MERGE inserts two source rows of one new key both, without a word; so there must be one per key.
        f"create temp table {newest} as select {listed(contract.names)} from (select {listed(contract.names)}, "
        f"row_number() over (partition by {listed(contract.key)} order by {order}) as place from {stage}) ranked "
        "where place = 1",
        # MERGE takes no condition beside MATCHED; so what may not win must not reach it.
        f"delete from {newest} using {target} where {same_key} "
        f"and ({_not_newer(contract, request, newest, target)})",
        f"merge into {target} using {newest} on {same_key} "
        f"when matched then update set {', '.join(f'{name} = {newest}.{name}' for name in rest)} "
        f"when not matched then insert ({listed(contract.names)}) values ({listed(contract.names, newest)})",
    ]


def _noted(contract: Contract, request: LoadRequest) -> list[str]:
    """The row in `etl_loads`, if there is none yet, and what it says."""
    batch = quote(request.batch_id)
    retracted = f"count(*) as retracted from {Retraction(contract, request).doomed}"
    counted = [
        f"(select count(*) as merged from {contract.name}_newest) merged_rows",
        f"(select {retracted if contract.append else '0 as retracted'}) retracted_rows",
        f"(select count(*) as table_rows from {contract.name}) present",
        # Loads take turns, so this orders them; the time is in whole seconds.
        f"(select 1 + count(*) as load_number from {LOADS}) before",
    ]
    return [
        f"insert into {LOADS} (batch_id, generation, dataset, rows_curated, rows_merged, rows_superseded, "
        "rows_retracted, table_rows, load_number, loaded_at) "
        f"select {batch}, {request.generation}, {quote(contract.name)}, {request.rows}, merged, "
        f"{request.rows} - merged, retracted, table_rows, load_number, getdate() "
        f"from {' cross join '.join(counted)} where not {loaded(request)}",
        f"select rows_merged, rows_superseded, rows_retracted from {LOADS} where batch_id = {batch} "
        f"order by case when generation = {request.generation} then 0 else 1 end, generation desc limit 1",
    ]


def _rank(contract: Contract, name: str, table: str = "") -> str:
    """`name` as a value that can be compared: a null timestamp counts as the oldest."""
    qualified = f"{table}.{name}" if table else name
    column = contract.column(name)
    return f"coalesce({qualified}, {_NEVER})" if column.type == "timestamp" and column.nullable else qualified


def _not_newer(contract: Contract, request: LoadRequest, row: str, target: str) -> str:
    """`row` >= comparison spelled out column by column: Redshift compares no row values."""
    alternatives = []
    equal: list[str] = []
    for name in contract.newest_by:
        mine, theirs = _rank(contract, name, row), _rank(contract, name, target)
        alternatives.append(" and ".join([*equal, f"{theirs} > {mine}"]))
        equal.append(f"{theirs} = {mine}")
    if request.generation > 1:
        # Processed again, a batch may say the same revision anew: what a corrected transformation makes of it.
        another = f"{target}.{BATCH} <> {quote(request.batch_id)}"
        equal.append(f"({another} or ({same_content(contract, row, target)}))")
    alternatives.append(" and ".join(equal))
    return " or ".join(f"({alternative})" for alternative in alternatives)
