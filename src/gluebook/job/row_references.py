"""Row references of append datasets: which file versions contain a row, so that corrections can retract rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from gluebook.contracts import Contract
from gluebook.core.model import FileVersion
from gluebook.core.sql.load import reference_columns


def row_references(
    spark: SparkSession, contract: Contract, files: list[FileVersion], copies: DataFrame
) -> DataFrame:
    """One row per file version, and one per further file version that contains a row with other provenance.

    `copies`: rows with `_copy` and `_copy_of`, as `mark_copies` adds them; of these, only copies count. Columns:
    `reference_columns(contract)`.
    """
    columns = reference_columns(contract)
    ddl = ", ".join(f"`{column.name}` {column.spark_type}" for column in columns)
    schema = spark.createDataFrame([], ddl).schema
    of_files = [
        {"_source_file": file.key, "_source_version": file.version_id, "version_order": file.order}
        for file in files
    ]
    # Not createDataFrame: its task needs other Python workers than those of Arrow, which Spark would have to start.
    rows = pa.RecordBatch.from_pylist(of_files, to_arrow_schema(schema))
    known = spark.range(0, 1, 1, 1).mapInArrow(partial(_instead, rows), schema)
    version = ("_source_file", "_source_version")
    in_another_version = copies.where("_copy > 1").where(
        F.struct(*version) != F.struct(*(f"_copy_of.{n}" for n in version))
    )
    extra = (
        in_another_version.groupBy(*contract.key, *version)
        .agg(F.min("_source_record").alias("_source_record"))
        .withColumn("version_order", F.lit(None))
    )
    return known.unionByName(extra.select(*(F.col(c.name).cast(c.spark_type).alias(c.name) for c in columns)))


def _instead(rows: pa.RecordBatch, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return (rows for _ in batches)
