"""Count rows by file on Spark; one entry per file, so the result fits the driver."""

from __future__ import annotations

from pyspark.sql import DataFrame

from gluebook.job.counting import FileKey

_FILE = ("_source_file", "_source_version")


def rows_per_file(df: DataFrame) -> dict[FileKey, int]:
    """Number of rows by (key, version id)."""
    return {(row[0], row[1]): row[2] for row in df.groupBy(*_FILE).count().collect()}


def reasons_per_file(rejects: DataFrame) -> dict[FileKey, dict[str, int]]:
    """Number of rejects by (key, version id) and reason."""
    found: dict[FileKey, dict[str, int]] = {}
    for row in rejects.groupBy(*_FILE, "reason").count().collect():
        found.setdefault((row[0], row[1]), {})[row[2]] = row[3]
    return found
