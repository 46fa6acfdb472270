"""Rows of records, as the verbs leave them, in Parquet that the tasks write themselves.

Spark reads them from there as often as it needs them. No row passes from Python to Java, which would cost more than
the verbs do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import TaskContext
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema

from gluebook.job.lake_files import LakeFiles, LakeFolder

_ROWS = "rows bigint"


@dataclass
class StoredRows:
    """Stores what tasks make of the batches of a frame, each time below a prefix of its own under `prefix`."""

    files: LakeFiles
    prefix: str
    _stored: int = 0

    def __call__(
        self,
        df: DataFrame,
        work: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]],
        schema: pa.Schema,
    ) -> DataFrame:
        """What `work` makes of `df`, computed and written; its batches have this schema."""
        self._stored += 1
        prefix = f"{self.prefix}{self._stored:02d}/"
        df.mapInArrow(partial(_write, work, schema, self.files.folder(prefix)), _ROWS).collect()
        return self.files.stored(prefix, from_arrow_schema(schema))


def _write(
    work: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]],
    schema: pa.Schema,
    folder: LakeFolder,
    batches: Iterable[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """A task's rows, in a file named by its number: tried again, it writes the same file."""
    context = TaskContext.get()
    assert context is not None
    rows = 0
    name = f"part-{context.partitionId():05d}.parquet"
    with folder.new_file(name) as path, pq.ParquetWriter(path, schema) as writer:
        for batch in work(iter(batches)):
            writer.write_batch(batch)
            rows += batch.num_rows
    yield pa.RecordBatch.from_pydict({"rows": [rows]})
