"""The load of one batch as a list of SQL statements, to be run in one transaction.

Redshift has no IF in a batch of statements and enforces no keys, so each rule is a statement: lock, copy, assert the
count by a cast that fails, empty the stage if the batch is already loaded, choose the rows that belong in the table,
write them, add a row to `etl_loads`. Upsert datasets keep the newest revision of a key (this module); append datasets
keep the rows that a live file version contains (`core.sql.retraction`).
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
    copied_wrong,
    drift_sql,
    extra_references_table,
    fail_if,
    listed,
    loaded,
    quote,
    reference_columns,
    same,
    same_content,
)
from gluebook.errors import ConfigurationError

__all__ = [
    "FILES",
    "LOADS",
    "LoadRequest",
    "confirm_sql",
    "drift_sql",
    "extra_references_table",
    "load_sql",
    "reference_columns",
]

# Nulls need a place in the order: this timestamp, which no row has, puts them first.
_NEVER = "'0001-01-01 00:00:00'::timestamp"


def load_sql(contract: Contract, request: LoadRequest) -> list[str]:
    """The statements that load one batch into `contract`'s table; idempotent.

    The last statement returns ONE row: rows_merged, rows_superseded, rows_retracted of this generation, or of the
    latest one if only later generations were loaded. The number of statements depends on the request.
    Raises ConfigurationError if the request has row references and the dataset is not an append dataset.
    """
    if request.row_references and not contract.append:
        raise ConfigurationError(
            f"batch {request.batch_id} has {request.row_references} row references, "
            f"but {contract.name} is not an append dataset"
        )
    return [
        # First, because the transaction's snapshot is taken after it.
        f"lock table {LOADS}",
        *_copied(
            f"{contract.name}_stage",
            contract.columns,
            request.manifest_uri,
            request.rows,
            request.copy_role_arn,
        ),
        *(_append(contract, request) if contract.append else _upsert(contract, request)),
        *_noted(contract, request),
    ]


def _copied(
    table: str, columns: tuple[Column, ...], manifest_uri: str, rows: int, role_arn: str
) -> list[str]:
    """Copy what a manifest names into a temporary table."""
    copy = f"copy {table} from {quote(manifest_uri)} iam_role {quote(role_arn)} format as parquet manifest"
    return [
        # COPY matches columns by position: they are in the order of the files.
        f"create temp table {table} ({', '.join(column_ddl(column) for column in columns)})",
        # Without rows there may be no manifest.
        *([copy] if rows else []),
    ]


def _append(contract: Contract, request: LoadRequest) -> list[str]:
    retraction = Retraction(contract, request)
    row_references = retraction.row_references
    layout = reference_columns(contract)
    return [
        *_copied(
            row_references, layout, request.row_references_uri, request.row_references, request.copy_role_arn
        ),
        *retraction.assertions(),
        f"delete from {contract.name}_stage where {loaded(request)}",
        f"delete from {row_references} where {loaded(request)}",
        *retraction.statements(),
    ]


def _upsert(contract: Contract, request: LoadRequest) -> list[str]:
    stage, newest, target = f"{contract.name}_stage", f"{contract.name}_newest", contract.name
    known = _known(contract)
    rest = [name for name in contract.names if name not in contract.key]
    order = ", ".join(f"{_rank(contract, name)} desc" for name in contract.newest_by)
    same_key = same(contract.key, newest, target)
    return [
        fail_if(copied_wrong(stage, request), stage),
        f"delete from {stage} where {loaded(request)}",
        # MERGE silently inserts both of two source rows with one new key, so there must be one row per key.
        f"create temp table {newest} as select {listed(contract.names)} from (select {listed(contract.names)}, "
        f"row_number() over (partition by {listed(contract.key)} order by {order}) as place from {stage}) ranked "
        "where place = 1",
        # MERGE supports no condition besides MATCHED, so rows that must not win are deleted first.
        f"create temp table {known} as select {listed(contract.key, newest)}, "
        f"case when {_not_newer(contract, request, newest, target)} then 1 else 0 end as stays "
        f"from {newest} join {target} on {same_key}",
        f"delete from {newest} using {known} where {same(contract.key, newest, known)} and {known}.stays = 1",
        f"merge into {target} using {newest} on {same_key} "
        f"when matched then update set {', '.join(f'{name} = {newest}.{name}' for name in rest)} "
        f"when not matched then insert ({listed(contract.names)}) values ({listed(contract.names, newest)})",
    ]


def _known(contract: Contract) -> str:
    """The temporary table of an upsert: keys that were in the table before it, and whether their rows stay."""
    return f"{contract.name}_known"


def _upsert_counts(contract: Contract) -> list[str]:
    """As `Retraction.counts`."""
    return [
        f"(select count(*) as merged from {contract.name}_newest) merged_rows",
        "(select 0 as deleted, 0 as retracted) retracted_rows",
        f"(select count(*) as replaced from {_known(contract)} where stays = 0) replaced_rows",
    ]


def _noted(contract: Contract, request: LoadRequest) -> list[str]:
    """Insert the row in `etl_loads` unless it exists, and select it."""
    batch, dataset = quote(request.batch_id), quote(contract.name)
    counted = [
        *(Retraction(contract, request).counts if contract.append else _upsert_counts(contract)),
        # Counting the table would take longer with each load; `drift_sql` compares the sum with the table.
        "(select coalesce(max(table_rows), 0) as rows_before from "
        f"(select table_rows from {LOADS} where dataset = {dataset} order by load_number desc limit 1) latest) "
        "before",
        # Loads run one at a time, so this orders them; `loaded_at` has whole seconds only.
        f"(select 1 + coalesce(max(load_number), 0) as load_number from {LOADS}) numbered",
    ]
    return [
        f"insert into {LOADS} (batch_id, generation, dataset, rows_curated, rows_merged, rows_superseded, "
        "rows_retracted, table_rows, load_number, loaded_at) "
        f"select {batch}, {request.generation}, {dataset}, {request.rows}, merged, {request.rows} - merged, "
        "retracted, rows_before + merged - deleted - replaced, load_number, getdate() "
        f"from {' cross join '.join(counted)} where not {loaded(request)}",
        f"select rows_merged, rows_superseded, rows_retracted from {LOADS} where batch_id = {batch} "
        f"order by case when generation = {request.generation} then 0 else 1 end, generation desc limit 1",
    ]


def _rank(contract: Contract, name: str, table: str = "") -> str:
    """`name` as a comparable value: a null timestamp counts as the oldest."""
    qualified = f"{table}.{name}" if table else name
    column = contract.column(name)
    return f"coalesce({qualified}, {_NEVER})" if column.type == "timestamp" and column.nullable else qualified


def _not_newer(contract: Contract, request: LoadRequest, row: str, target: str) -> str:
    """Whether `row` is not newer than the target's, column by column: Redshift compares no row values."""
    alternatives = []
    equal: list[str] = []
    for name in contract.newest_by:
        mine, theirs = _rank(contract, name, row), _rank(contract, name, target)
        alternatives.append(" and ".join([*equal, f"{theirs} > {mine}"]))
        equal.append(f"{theirs} = {mine}")
    if request.generation > 1:
        # A batch that is processed again may replace its own revision: a fixed transformation gives other content.
        another = f"{target}.{BATCH} <> {quote(request.batch_id)}"
        equal.append(f"({another} or ({same_content(contract, row, target)}))")
    alternatives.append(" and ".join(equal))
    return " or ".join(f"({alternative})" for alternative in alternatives)
