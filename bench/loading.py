"""Cleaned Parquet into PostgreSQL: COPY in binary into a stage, then one MERGE.

What a hand-written load does at its best; pandas, DuckDB and plain PySpark share it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from pgpq import ArrowToPostgresBinaryEncoder

from bench.task import Task

_POSTGRES = {
    "string": "text",
    "large_string": "text",
    "int32": "integer",
    "int64": "bigint",
    "bool": "boolean",
}
_NEWEST_BY = ("revision", "updated_at", "_row_hash")


def load(task: Task) -> None:
    """Create the table, copy all Parquet files into a stage and merge it, in one transaction."""
    paths = sorted(task.parquet.rglob("*.parquet"))
    schema = pq.read_schema(paths[0])
    names = [field.name for field in schema]
    columns = ", ".join(f'"{field.name}" {_POSTGRES.get(str(field.type), "timestamp")}' for field in schema)
    with psycopg.connect(task.database) as connection:
        connection.execute(f"create table {task.dataset} ({columns})")
        connection.execute(f"create temp table stage ({columns})")
        for path in paths:
            _copy(connection, path, names)
        connection.execute(_merge(task, names))


def _copy(connection: psycopg.Connection[Any], path: Path, names: list[str]) -> None:
    file = pq.ParquetFile(path)
    wanted = pa.schema([_plain(field) for field in file.schema_arrow])
    listed = ", ".join(f'"{name}"' for name in names)
    encoder = ArrowToPostgresBinaryEncoder(wanted)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy stage ({listed}) from stdin (format binary)") as target,
    ):
        target.write(encoder.write_header())
        for batch in file.iter_batches():
            target.write(encoder.write_batch(batch.cast(wanted)))
        target.write(encoder.finish())


def _plain(field: Any) -> Any:
    """Timestamps in microseconds without a zone: Spark writes them with one."""
    is_timestamp = pa.types.is_timestamp(field.type)
    return field.with_type(pa.timestamp("us")) if is_timestamp else field


def _merge(task: Task, names: list[str]) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(f'newest."{name}"' for name in names)
    insert = f"when not matched then insert ({listed}) values ({values})"
    if task.is_log:
        return f"merge into app_logs t using stage newest on t.log_id = newest.log_id {insert}"
    newest = (
        f"select distinct on (ticket_id) {listed} from stage "
        f"order by ticket_id, {', '.join(f'{name} desc' for name in _NEWEST_BY)}"
    )
    update = ", ".join(f'"{name}" = newest."{name}"' for name in names if name != "ticket_id")
    return (
        f"merge into support_tickets t using ({newest}) newest on t.ticket_id = newest.ticket_id "
        f"when matched and ({', '.join(f'newest.{name}' for name in _NEWEST_BY)}) > "
        f"({', '.join(f't.{name}' for name in _NEWEST_BY)}) then update set {update} {insert}"
    )
