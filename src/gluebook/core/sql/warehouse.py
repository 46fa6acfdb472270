"""What loads put where, the questions that are asked about them, and the phrases that they are built of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gluebook.contracts import PROVENANCE, Column, Contract

# One row per load; a batch is loaded if and only if its row is there.
LOADS = "etl_loads"
# One row per file version of an append dataset that was ever loaded.
FILES = "etl_files"
# A file version, as rows and vouchers name it.
FILE_VERSION = ("_source_file", "_source_version")
RECORD = "_source_record"
BATCH = "_batch_id"
ORDER = "version_order"

_FILE, _VERSION, _RECORD, _ = PROVENANCE
ORDER_COLUMN = Column(ORDER, "text", "orders the versions of one file, greatest last", length=64)


@dataclass(frozen=True)
class LoadRequest:
    """What a load needs to know.

    rows        curated rows in the manifest; 0: nothing is copied, the manifest need not exist
    generation  1 when a batch is loaded first, one more each time it is processed again
    vouchers    rows in the manifest at `vouchers_uri`, laid out as `voucher_columns`; append datasets only
    """

    batch_id: str
    manifest_uri: str
    copy_role_arn: str
    rows: int
    generation: int = 1
    vouchers_uri: str = ""
    vouchers: int = 0


def voucher_columns(contract: Contract) -> tuple[Column, ...]:
    """The layout of an append dataset's vouchers, by position.

    A row is a file version of the batch (key and record null, `version_order` set), or an echo: a file version
    that holds a curated row's record too (key and record set, `version_order` null).
    """
    key = (replace(contract.column(name), nullable=True) for name in contract.key)
    return (*key, _FILE, _VERSION, replace(_RECORD, nullable=True), ORDER_COLUMN)


def echoes_table(contract: Contract) -> str:
    """The table of an append dataset's vouchers beside the rows' own provenance."""
    return f"{contract.name}_echoes"


def confirm_sql(batch_ids: Iterable[str]) -> str:
    """What is noted of these batches' loads, a row for each batch and generation:
    batch_id, generation, rows_merged, rows_superseded, rows_retracted."""
    ids = ", ".join(quote(batch_id) for batch_id in batch_ids)
    return (
        f"select batch_id, generation, rows_merged, rows_superseded, rows_retracted from {LOADS} "
        # An empty list is no SQL.
        f"where {f'batch_id in ({ids})' if ids else '1 = 0'} order by batch_id, generation"
    )


def drift_sql(contract: Contract) -> str:
    """Whether the dataset's table is what its loads have left, in ONE row.

    table_rows    how many rows it has now
    noted_rows    how many it had after its last load; null if there was none
    loads         how many loads are noted
    doubled_loads how many generations of a batch are noted more than once
    doubled_keys  how many keys have more than one row
    """
    of_dataset = f"from {LOADS} where dataset = {quote(contract.name)}"
    # Without GROUP BY an aggregate has one row, always: the cross join has exactly one too.
    parts = [
        f"(select count(*) as table_rows from {contract.name}) present",
        "(select max(case when place = 1 then table_rows end) as noted_rows, count(*) as loads from (select "
        f"table_rows, row_number() over (order by load_number desc) as place {of_dataset}) numbered) noted",
        f"(select count(*) as doubled_loads from (select batch_id {of_dataset} "
        "group by batch_id, generation having count(*) > 1) repeated_loads) loads_twice",
        f"(select count(*) as doubled_keys from (select {listed(contract.key)} from {contract.name} "
        f"group by {listed(contract.key)} having count(*) > 1) repeated_keys) keys_twice",
    ]
    return (
        f"select table_rows, noted_rows, loads, doubled_loads, doubled_keys from {' cross join '.join(parts)}"
    )


# -- phrases -----------------------------------------------------------------------------------------------


def quote(value: str) -> str:
    """`value` as a literal. AWS docs, "String literals": a backslash escapes what follows it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def column_ddl(column: Column) -> str:
    """A column as CREATE TABLE names it."""
    return f"{column.name} {column.redshift_type}" + ("" if column.nullable else " not null")


def listed(names: Iterable[str], table: str = "") -> str:
    """Names with commas between them, each with its table if one is given."""
    return ", ".join(f"{table}.{name}" if table else name for name in names)


def same(names: Iterable[str], one: str, other: str) -> str:
    """That two tables' rows agree in `names`, none of which is null."""
    return " and ".join(f"{one}.{name} = {other}.{name}" for name in names)


def same_content(contract: Contract, one: str, other: str) -> str:
    """That two rows of a key agree in all but their provenance; a null equals a null.

    Spelled out, as Redshift has no IS DISTINCT FROM, and as what holds, never as what differs: beside a null
    that would be neither true nor false, and so would its opposite.
    """
    provenance = {column.name for column in PROVENANCE}
    return " and ".join(
        f"({one}.{column.name} = {other}.{column.name}"
        + (
            f" or ({one}.{column.name} is null and {other}.{column.name} is null))"
            if column.nullable
            else ")"
        )
        for column in contract.columns
        if column.name not in contract.key and column.name not in provenance
    )


def loaded(request: LoadRequest) -> str:
    """That the batch is there already, in this generation or a later one."""
    return (
        f"exists (select 1 from {LOADS} where batch_id = {quote(request.batch_id)} "
        f"and generation >= {request.generation})"
    )


def fail_if_any(what: str, rows: str) -> str:
    """Fails the transaction if there are any of `rows`, a FROM clause.

    A cast that fails is the only assertion there is; its text, `what`, says what was wrong.
    """
    return f"select cast(case when count(*) = 0 then '1' else '{what}' end as integer) from {rows}"
