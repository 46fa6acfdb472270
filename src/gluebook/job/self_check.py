"""Check without data whether job runs work in this environment.

Until a run of a dataset's job has succeeded, each run begins with this check. It fails before a file is claimed, so
no batch is retried or divided because of the environment. A file that kills runs cannot cause the same failure,
because the check ends before any file is read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from pyspark.sql import SparkSession

from gluebook.aws.ports import LedgerPort, ObjectsPort
from gluebook.core.keys import Lake
from gluebook.core.runs import error_line, proven_mark
from gluebook.errors import SelfCheckFailed
from gluebook.job.lake_files import LakeFiles

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)
T = TypeVar("T")
_SCHEMA = "number bigint, package string"


def self_check_unless_proven(
    spark: SparkSession, ledger: LedgerPort, objects: ObjectsPort, lake: Lake, dataset: str, run: str
) -> None:
    """Compute, write, read and delete two rows, unless a run of the dataset's job has succeeded before.

    Raises SelfCheckFailed with the line of the error that says what is wrong.
    """
    mark = f"self-check:{dataset}"
    if _step("reading the ledger", lambda: ledger.mark(proven_mark(dataset))) is not None:
        return
    _step("writing to the ledger", lambda: ledger.set_mark(mark, run))
    _step("deleting from the ledger", lambda: ledger.clear_mark(mark))
    prefix = lake.self_check(dataset, run)
    files = LakeFiles(spark, objects, lake.bucket)
    try:
        # Two partitions, so that on a cluster more than one executor has to import the package.
        rows = spark.range(0, 2, 1, 2).mapInArrow(_in_executor, _SCHEMA)
        _step(f"writing rows of Spark's executors to {lake.uri(prefix)}", lambda: files.write(rows, prefix))
        found = _step(f"reading {lake.uri(prefix)}", lambda: files.read(prefix, _SCHEMA).collect())
        if sorted(row.number for row in found) != [0, 1]:
            raise SelfCheckFailed(f"self-check: wrote the rows 0 and 1 to {lake.uri(prefix)}, read {found}")
        _step(f"deleting {lake.uri(prefix)}", lambda: _delete(objects, lake, prefix))
    finally:
        files.close()
    _log.info("self-check passed: no run of the job of %s has succeeded before", dataset)


def _step(what: str, do: Callable[[], T]) -> T:
    try:
        return do()
    except Exception as error:
        line = error_line(f"{type(error).__name__}: {error}")
        raise SelfCheckFailed(f"self-check, before any file was touched: {what}: {line}") from error


def _in_executor(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Spark's executors import this module, and with it the package, to find this function."""
    import pyarrow as pa

    for batch in batches:
        named = pa.array([__name__] * batch.num_rows, pa.string())
        yield pa.RecordBatch.from_arrays([batch.column(0), named], names=["number", "package"])


def _delete(objects: ObjectsPort, lake: Lake, prefix: str) -> None:
    objects.delete(lake.bucket, sorted(objects.sizes(lake.bucket, prefix)))
    if left := sorted(objects.sizes(lake.bucket, prefix)):
        raise SelfCheckFailed(f"not deleted: {', '.join(left)}")
