"""Count the rows of a batch on Spark, all in one pass; an entry per file and reason, so they fit the driver."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from gluebook.job.counting import FileKey, Written

_FILE = ("_source_file", "_source_version")


def count_rows(
    curated: DataFrame, duplicates: DataFrame, rejects: DataFrame, row_references: DataFrame | None = None
) -> Written:
    """The number of rows in each by file, of rejects by reason too, and that of all row references.

    Each has the columns `_source_file` and `_source_version`; `rejects` has `reason`.
    """
    parts = [
        _part(curated, "curated"),
        _part(duplicates, "duplicate"),
        _part(rejects, "reject", F.col("reason")),
        *([_part(row_references, "reference")] if row_references is not None else []),
    ]
    found: dict[str, Counter[FileKey]] = defaultdict(Counter)
    reasons: dict[FileKey, dict[str, int]] = defaultdict(dict)
    for kind, reason, key, version, rows in _counted(parts):
        found[kind][key, version] += rows
        if kind == "reject":
            reasons[key, version][reason] = rows
    return Written(
        curated=dict(found["curated"]),
        duplicates=dict(found["duplicate"]),
        rejects=dict(reasons),
        row_references=found["reference"].total(),
    )


def _part(df: DataFrame, kind: str, reason: Column | None = None) -> DataFrame:
    of = F.lit(None).cast("string") if reason is None else reason
    return df.select(F.lit(kind).alias("kind"), of.alias("reason"), *_FILE)


def _counted(parts: list[DataFrame]) -> list[tuple[str, str, str, str, int]]:
    together = reduce(DataFrame.union, parts)
    return [tuple(row) for row in together.groupBy("kind", "reason", *_FILE).count().collect()]
