"""What the gate has found, as a table of the warehouse, a row for each expectation and batch: trends are SQL."""

from __future__ import annotations

import re

from gluebook.core.model import NotedVerdict
from gluebook.core.warehouse_sql import column_ddl, quote
from gluebook.datasets import Column

DQ_RESULTS = "dq_results"


def _text(name: str, length: int, description: str, *, nullable: bool = False) -> Column:
    return Column(name, "text", description, length=length, nullable=nullable)


def _rows(name: str, description: str) -> Column:
    return Column(name, "bigint", description, nullable=False)


# In the order of the Parquet, which is copied by position. The batch's own numbers stand in each of its rows.
DQ_COLUMNS = (
    _text("batch_id", 64, "the batch that was looked at"),
    Column("generation", "integer", "1; one more each time it is processed again", nullable=False),
    _text("dataset", 64, "name of the contract"),
    Column("checked_at", "timestamp", "when the gate looked", nullable=False),
    Column("files", "integer", "files whose records were read", nullable=False),
    _rows("rows_read", "records read"),
    _rows("rows_curated", "rows that came through"),
    _rows("rows_duplicates", "records that repeat another one of the batch"),
    _rows("rows_rejected", "records set aside"),
    Column("newest_at", "timestamp", "the newest row's moment"),
    Column("batch_passed", "boolean", "no critical expectation failed", nullable=False),
    _text("suite", 128, "the suite that holds the expectation"),
    _text("expectation", 128, "its type, as Great Expectations calls it"),
    _text("column_name", 1024, "the columns it looks at; null: the table", nullable=True),
    _text("severity", 16, "critical, warning or info"),
    Column("passed", "boolean", "whether it holds", nullable=False),
    Column("unexpected_rows", "bigint", "rows that break it; null where nobody counted"),
)

_NAME = re.compile(r"gluebook-quality:(?P<dataset>[^:]+):(?P<batch>[^:]+):(?P<attempt>\d+)")


def quality_ddl() -> str:
    """The table; harmless to repeat."""
    lines = ",\n  ".join(column_ddl(column) for column in DQ_COLUMNS)
    return f"create table if not exists {DQ_RESULTS} (\n  {lines}\n) diststyle even sortkey (checked_at)"


def record_sql(noted: NotedVerdict, manifest_uri: str, copy_role_arn: str) -> list[str]:
    """The statements that put a verdict in the place of what was there of its batch; harmless to repeat.

    Nothing is copied if the verdict has no row: then the batch has nothing to show any more.
    """
    copy = f"copy {DQ_RESULTS} from {quote(manifest_uri)} iam_role {quote(copy_role_arn)} format as parquet manifest"
    return [
        # Two at once would both delete nothing, and both copy.
        f"lock table {DQ_RESULTS}",
        f"delete from {DQ_RESULTS} where batch_id = {quote(noted.batch_id)}",
        *([copy] if noted.rows else []),
    ]


def recording_name(noted: NotedVerdict) -> str:
    """The name of the statement that records a verdict; its end event carries nothing else of ours."""
    return f"gluebook-quality:{noted.dataset}:{noted.batch_id}:{noted.attempts}"


def recording_token(noted: NotedVerdict) -> str:
    """The same for the same attempt at the same verdict; at most 64 characters."""
    return f"q-{noted.batch_id}-{noted.generation}-{noted.epoch}-{noted.attempts}"[-64:]


def dataset_of_recording(name: str) -> str | None:
    """The dataset of the batch whose verdict a statement of this name records; None if it isn't one of these."""
    match = _NAME.fullmatch(name)
    return match["dataset"] if match else None
