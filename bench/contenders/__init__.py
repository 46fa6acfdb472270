"""The contenders: one file and one row each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What the command has to know of a contender, without importing it.

    title          in the table
    module         in this package
    environment    which `.venv-bench-*` it runs in; "": the project's
    workers        how many DPUs its job has on AWS Glue; 0: as many as the template gives a job run
    whole          the module has `run`, which does everything and measures itself; otherwise `job` and `load`
    """

    title: str
    module: str
    environment: str = ""
    workers: int = 1
    whole: bool = False


CONTENDERS = {
    "ours": Kind("Gluebook", "gluebook_cold", workers=0, whole=True),
    "ours-warm": Kind("Gluebook, second batch in a warm process", "gluebook_warm", workers=0, whole=True),
    "pyspark": Kind("PySpark by hand, COPY and MERGE", "pyspark_plain", workers=0),
    "pandas": Kind("pandas, COPY and MERGE", "pandas_frames"),
    "dlt": Kind("dlt, filesystem to PostgreSQL", "dlt_merge", "dlt"),
    "duckdb": Kind("DuckDB SQL, COPY and MERGE: the practical limit", "duckdb_sql", "duckdb"),
}
