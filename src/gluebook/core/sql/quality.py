"""The gate's outcomes as a table of the warehouse: one row for each expectation and batch."""

from __future__ import annotations

import re

from gluebook.contracts import Column
from gluebook.core.model import NotedVerdict
from gluebook.core.sql.warehouse import column_ddl, quote

DQ_RESULTS = "dq_results"
# The epoch of the last recorded verdict on each batch, also for verdicts without rows.
DQ_VERDICTS = "dq_verdicts"
_STAGE = "dq_stage"


def _text(name: str, length: int, description: str, *, nullable: bool = False) -> Column:
    return Column(name, "text", description, length=length, nullable=nullable)


def _rows(name: str, description: str) -> Column:
    return Column(name, "bigint", description, nullable=False)


# In the order of the Parquet's columns, because COPY matches by position. Each row repeats the batch's numbers.
DQ_COLUMNS = (
    _text("batch_id", 64, "the validated batch"),
    Column("generation", "integer", "1; one more each time it is processed again", nullable=False),
    _text("dataset", 64, "name of the contract"),
    Column("checked_at", "timestamp", "when the gate validated it", nullable=False),
    Column("files", "integer", "files whose records were read", nullable=False),
    _rows("rows_read", "records read"),
    _rows("rows_curated", "rows that were curated"),
    _rows("rows_duplicates", "records that duplicate another one in the batch"),
    _rows("rows_rejected", "quarantined records"),
    Column("newest_at", "timestamp", "the time of the newest row"),
    Column("batch_passed", "boolean", "no critical expectation failed", nullable=False),
    _text("suite", 128, "the suite that holds the expectation"),
    _text("expectation", 128, "its type in Great Expectations"),
    _text("column_name", 1024, "the columns that it checks; null: the table", nullable=True),
    _text("severity", 16, "critical, warning or info"),
    Column("passed", "boolean", "whether it holds", nullable=False),
    Column("unexpected_rows", "bigint", "rows that break it; null if it is not about rows"),
)

_NAME = re.compile(r"gluebook-quality:(?P<dataset>[^:]+):(?P<batch>[^:]+):(?P<attempt>\d+)")


def quality_ddl() -> dict[str, str]:
    """The DDL by table name; idempotent."""
    lines = ",\n  ".join(column_ddl(column) for column in DQ_COLUMNS)
    return {
        DQ_RESULTS: f"create table if not exists {DQ_RESULTS} (\n  {lines}\n) "
        "diststyle even sortkey (checked_at)",
        DQ_VERDICTS: f"create table if not exists {DQ_VERDICTS} (\n  batch_id varchar(64) not null,\n  "
        "epoch integer not null\n) diststyle all sortkey (batch_id)",
    }


def record_sql(noted: NotedVerdict, manifest_uri: str, copy_role_arn: str) -> list[str]:
    """The statements that replace the recorded verdict on a batch; idempotent.

    If the statement of a later verdict ran first, that verdict stays: the epoch orders the verdicts on a batch.
    Nothing is copied if the verdict has no rows.
    """
    batch = quote(noted.batch_id)
    copy = (
        f"copy {_STAGE} from {quote(manifest_uri)} iam_role {quote(copy_role_arn)} format as parquet manifest"
    )
    later = f"exists (select 1 from {DQ_VERDICTS} where batch_id = {batch} and epoch > {noted.epoch})"
    columns = ", ".join(column.name for column in DQ_COLUMNS)
    staged = [
        # COPY matches columns by position: they are in the order of the Parquet's columns.
        f"create temp table {_STAGE} ({', '.join(column_ddl(column) for column in DQ_COLUMNS)})",
        copy,
        f"delete from {_STAGE} where {later}",
        f"insert into {DQ_RESULTS} ({columns}) select {columns} from {_STAGE}",
    ]
    return [
        # Without the lock, two concurrent statements would both delete nothing and both copy.
        f"lock table {DQ_RESULTS}",
        f"delete from {DQ_RESULTS} where batch_id = {batch} and not {later}",
        *(staged if noted.rows else []),
        f"delete from {DQ_VERDICTS} where batch_id = {batch} and epoch <= {noted.epoch}",
        # A remaining row of the batch has a later epoch.
        f"insert into {DQ_VERDICTS} (batch_id, epoch) select {batch}, {noted.epoch} from "
        f"(select count(*) as later from {DQ_VERDICTS} where batch_id = {batch}) known where later = 0",
    ]


def recording_name(noted: NotedVerdict) -> str:
    """The name of the statement that records a verdict; its end event carries no other data of ours."""
    return f"gluebook-quality:{noted.dataset}:{noted.batch_id}:{noted.attempts}"


def recording_token(noted: NotedVerdict) -> str:
    """The idempotency token of an attempt to record a verdict; at most 64 characters."""
    return f"q-{noted.batch_id}-{noted.generation}-{noted.epoch}-{noted.attempts}"[-64:]


def dataset_of_recording(name: str) -> str | None:
    """The dataset whose verdict a statement of this name records; None for other statements."""
    match = _NAME.fullmatch(name)
    return match["dataset"] if match else None
