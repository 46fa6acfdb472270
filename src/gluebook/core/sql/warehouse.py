"""The tables that loads write, queries about loads, and the SQL fragments that both use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gluebook.contracts import PROVENANCE, Column, Contract

# One row per load; a batch is loaded if and only if its row is there.
LOADS = "etl_loads"
# One row per file version of an append dataset that was ever loaded.
FILES = "etl_files"
# A file version, as rows and row references name it.
FILE_VERSION = ("_source_file", "_source_version")
RECORD = "_source_record"
BATCH = "_batch_id"
ORDER = "version_order"

_FILE, _VERSION, _RECORD, _ = PROVENANCE
ORDER_COLUMN = Column(ORDER, "text", "orders the versions of one file, greatest last", length=64)


@dataclass(frozen=True)
class LoadRequest:
    """The parameters of a load.

    rows             curated rows in the manifest; 0: nothing is copied, the manifest need not exist
    generation       1 for the first load of a batch, one more each time it is processed again
    row_references   rows in the manifest at `row_references_uri`, laid out as `reference_columns`; append only
    """

    batch_id: str
    manifest_uri: str
    copy_role_arn: str
    rows: int
    generation: int = 1
    row_references_uri: str = ""
    row_references: int = 0


def reference_columns(contract: Contract) -> tuple[Column, ...]:
    """The layout of an append dataset's row references, by position.

    A row is a file version of the batch (key and record null, `version_order` set), or an extra reference: another
    file version that contains a curated row's record (key and record set, `version_order` null).
    """
    key = (replace(contract.column(name), nullable=True) for name in contract.key)
    return (*key, _FILE, _VERSION, replace(_RECORD, nullable=True), ORDER_COLUMN)


def extra_references_table(contract: Contract) -> str:
    """The table of an append dataset's references besides the rows' own provenance; the stored name stays."""
    return f"{contract.name}_echoes"


def confirm_sql(batch_ids: Iterable[str]) -> str:
    """The recorded loads of these batches, a row for each batch and generation:
    batch_id, generation, rows_merged, rows_superseded, rows_retracted."""
    ids = ", ".join(quote(batch_id) for batch_id in batch_ids)
    return (
        f"select batch_id, generation, rows_merged, rows_superseded, rows_retracted from {LOADS} "
        # `in ()` is a syntax error.
        f"where {f'batch_id in ({ids})' if ids else '1 = 0'} order by batch_id, generation"
    )


def drift_sql(contract: Contract) -> str:
    """Compare the dataset's table with its load log; returns ONE row.

    table_rows     number of rows now
    noted_rows     number of rows after the last load; null if there was none
    loads          number of recorded loads
    doubled_loads  number of batch generations that are recorded more than once
    doubled_keys   number of keys with more than one row
    """
    of_dataset = f"from {LOADS} where dataset = {quote(contract.name)}"
    # An aggregate without GROUP BY always has one row, so the cross join has exactly one.
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


# -- fragments ---------------------------------------------------------------------------------------------


def quote(value: str) -> str:
    """`value` as a literal. AWS docs, "String literals": a backslash escapes the next character."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def column_ddl(column: Column) -> str:
    """A column definition for CREATE TABLE."""
    return f"{column.name} {column.redshift_type}" + ("" if column.nullable else " not null")


def listed(names: Iterable[str], table: str = "") -> str:
    """Names separated by commas, each qualified with `table` if given."""
    return ", ".join(f"{table}.{name}" if table else name for name in names)


def same(names: Iterable[str], one: str, other: str) -> str:
    """A condition: two tables' rows are equal in `names`, none of which is null."""
    return " and ".join(f"{one}.{name} = {other}.{name}" for name in names)


def same_content(contract: Contract, one: str, other: str) -> str:
    """A condition: two rows of a key are equal in all columns but provenance; a null equals a null.

    Spelled out because Redshift has no IS DISTINCT FROM, and as equality because an inequality with a null is
    neither true nor false, and neither is its negation.
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
    """A condition: the batch is already loaded, in this generation or a later one."""
    return (
        f"exists (select 1 from {LOADS} where batch_id = {quote(request.batch_id)} "
        f"and generation >= {request.generation})"
    )


def fail_if(complaints: dict[str, str], rows: str) -> str:
    """A statement that fails the transaction if one of the conditions holds for `rows`, a FROM clause.

    `complaints`: what is wrong -> a condition on aggregates, in order. A failing cast is the only assertion there is;
    its text says what is wrong.
    """
    cases = " ".join(f"when {condition} then '{what}'" for what, condition in complaints.items())
    return f"select cast(case {cases} else '1' end as integer) from {rows}"


def fail_if_any(what: str, rows: str) -> str:
    """A statement that fails the transaction if `rows`, a FROM clause, has any row."""
    return fail_if({what: "count(*) > 0"}, rows)


def not_as_many(table: str, rows: int) -> dict[str, str]:
    """For `fail_if`: the table does not hold as many rows as its manifest names."""
    return {f"{table} does not hold {rows} rows": f"count(*) <> {rows}"}


def copied_wrong(stage: str, request: LoadRequest) -> dict[str, str]:
    """For `fail_if`: the stage holds other rows than the batch's. One statement, because it reads all rows."""
    others = f"count(case when {stage}.{BATCH} <> {quote(request.batch_id)} then 1 end)"
    # When the batch is processed again, this column identifies its rows.
    return not_as_many(stage, request.rows) | {"rows belong to another batch": f"{others} > 0"}
