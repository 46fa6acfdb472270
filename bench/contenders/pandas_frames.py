"""pandas: blocks of records, vectorised where pandas is, Parquet through PyArrow."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from bench.frames import Cleaning, schema
from bench.loading import load as load
from bench.task import Counts, Task


def job(task: Task) -> Counts:
    """Raw files to Parquet."""
    task.parquet.mkdir()
    cleaning, target = Cleaning(task), schema(task)
    with pq.ParquetWriter(task.parquet / "rows.parquet", target) as writer:
        for block in cleaning.blocks(task.files):
            writer.write_table(pa.Table.from_pandas(block, target, preserve_index=False))
    return cleaning.counts
