"""Who vouches for a row, of append datasets: what the warehouse must know to withdraw rows of corrected files."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from gluebook.contracts import Contract
from gluebook.core.model import FileVersion
from gluebook.core.sql.load import voucher_columns


def vouchers(spark: SparkSession, contract: Contract, files: list[FileVersion], kept: DataFrame) -> DataFrame:
    """One row per file version, and one per file version that holds a row which stays under another one.

    `kept`: rows with `_copy`, 1 for the one that stays. Columns as `voucher_columns` says.
    """
    columns = voucher_columns(contract)
    schema = ", ".join(f"`{column.name}` {column.spark_type}" for column in columns)
    no_row = (None,) * len(contract.key)
    known = spark.createDataFrame(
        [(*no_row, file.key, file.version_id, None, file.order) for file in files], schema
    )
    holders = kept.groupBy(*contract.key, "_source_file", "_source_version").agg(
        F.min("_source_record").alias("_source_record"), F.min("_copy").alias("_copy")
    )
    echoes = holders.where("_copy > 1").withColumn("version_order", F.lit(None))
    return known.unionByName(
        echoes.select(*(F.col(c.name).cast(c.spark_type).alias(c.name) for c in columns))
    )
