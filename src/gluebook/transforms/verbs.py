"""The shared verbs of every job.

A verb on records takes `Rows` and their source and returns `Rows`, at the same grain: one row per record. It runs in
the task that reads the records, over Arrow. What follows `Records.frames` takes a DataFrame and returns one.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from gluebook.contracts import Contract
from gluebook.sources.blanks import BLANKS
from gluebook.sources.model import Source
from gluebook.transforms.fingerprints import fingerprint as fingerprint
from gluebook.transforms.fingerprints import record_id as record_id
from gluebook.transforms.masking import pseudonymise as pseudonymise
from gluebook.transforms.rows import Rows
from gluebook.transforms.types import normalise_types as normalise_types

PLACE = ("_source_file", "_source_version", "_source_record")
_FIRST, _HASH = "_first", "_hash"
# More repeated identities than that are not copied to every executor: with their places they take about 300 MB.
_MOST_BROADCAST_ROWS = 1_000_000


def rename_columns(rows: Rows, source: Source) -> Rows:
    """Give the source's columns the contract's names; source columns that have none are left out."""
    own = {new: rows[old] for old, new in source.renames.items()}
    named = {"source": pa.repeat(source.name, len(rows)), **own}
    return rows.without(source.columns).with_columns(named)


def blank_to_null(rows: Rows, source: Source) -> Rows:
    """Trim every source column of `BLANKS`; the empty text and the source's null markers become null."""
    nothing = pa.array(["", *source.null_markers], pa.string())
    trimmed = {name: pc.utf8_trim(rows[name], BLANKS) for name in source.columns}
    none = pa.scalar(None, pa.string())
    return rows.with_columns(
        {name: pc.if_else(pc.is_in(text, nothing), none, text) for name, text in trimmed.items()}
    )


# -- on DataFrames --------------------------------------------------------------------------------------------


def derive(df: DataFrame, source: Source) -> DataFrame:
    """Add what only this source can tell, by its own SQL (`Source.derive`)."""
    return df.withColumns({name: F.expr(sql) for name, sql in source.derive.items()})


def derivation(source: Source) -> str:
    """The SQL by which `derive` adds to the rows of a source, to be read."""
    columns = (f"\n  {' '.join(sql.split())} as {name}" for name, sql in source.derive.items())
    return f"{source.name} adds: {','.join(columns) or 'nothing'}"


def split_rejects(df: DataFrame) -> tuple[DataFrame, DataFrame]:
    """(valid rows, rejects): every record is in exactly one of the two."""
    return df.where(F.col("_problem").isNull()), df.where(F.col("_problem").isNotNull())


def rejects_table(rejects: DataFrame, dataset: str) -> DataFrame:
    """What the quarantine keeps of a reject: why, where it stood, and its masked text."""
    return rejects.select(
        F.lit(dataset).alias("dataset"),
        "source",
        F.col("_problem").alias("reason"),
        "_source_file",
        "_source_version",
        "_source_record",
        "_batch_id",
        F.col("_raw").alias("raw"),
    )


def mark_copies(df: DataFrame, identity: tuple[str, ...]) -> DataFrame:
    """Add `_copy`: 1 for the first row with this identity, 2 for its repeats; and `_copy_of`, the place of that first
    row, which is null in the first row itself.

    First is by file, version and record number, so that the same input always keeps the same row. Repeated identities
    are looked for by their hashes, eight bytes a row; what is sorted and compared are the few rows that share one.
    """
    place, hashed = F.struct(*PLACE), F.xxhash64(*identity)
    hashes = df.groupBy(hashed.alias(_HASH)).agg(F.count("*").alias("_rows")).where("_rows > 1").drop("_rows")
    shared, number = _to_join(hashes)
    if not number:
        return df.withColumn("_copy", F.lit(1)).withColumn("_copy_of", F.when(F.lit(False), place))
    candidates = df.join(shared, hashed == F.col(_HASH), "left_semi").groupBy(*identity)
    repeated = candidates.agg(F.min(place).alias(_FIRST), F.count("*").alias("_rows")).where("_rows > 1")
    few, _ = _to_join(repeated.drop("_rows"))
    first = F.col(_FIRST)
    is_copy = first.isNotNull() & (first != place)
    return (
        df.join(few, list(identity), "left")
        .withColumn("_copy", F.when(is_copy, 2).otherwise(1))
        .withColumn("_copy_of", F.when(is_copy, first))
        .drop(_FIRST)
    )


def _to_join(df: DataFrame) -> tuple[DataFrame, int]:
    """The rows, computed once and copied to every executor if they are not too many; and their number."""
    computed = df.persist()
    number = computed.count()
    return (F.broadcast(computed) if number <= _MOST_BROADCAST_ROWS else computed), number


def conform(df: DataFrame, contract: Contract) -> DataFrame:
    """The contract's columns, in its order and types, and the partition `dt`; the last step of every job."""
    rows = df.select(*(F.col(c.name).cast(c.spark_type).alias(c.name) for c in contract.columns), "dt")
    # A column that Spark knows to be without nulls, such as a constant, would be a required one in the batch's files.
    written = F.col("_source_record").isNotNull()  # as it always is, which Spark can't know of a file
    return rows.select(
        *(c.name if c.nullable else F.when(written, F.col(c.name)).alias(c.name) for c in rows.schema)
    )
