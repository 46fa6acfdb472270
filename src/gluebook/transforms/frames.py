"""One DataFrame per source: what a job notebook does to all of them, it says once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Concatenate, ParamSpec

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType, StructType

from gluebook.contracts import Contract
from gluebook.sources import sources_of
from gluebook.sources.model import Source

P = ParamSpec("P")
_ABOUT = ("_source_file", "_source_version", "_batch_id", "dt", "_raw", "_problem")


@dataclass(frozen=True)
class Frames:
    """The records of a batch at some step of the notebook: a DataFrame per source that has records in it."""

    contract: Contract
    frames: tuple[tuple[Source, DataFrame], ...]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources, in alphabetical order."""
        return tuple(source for source, _ in self.frames)

    def apply(
        self, verb: Callable[Concatenate[DataFrame, Source, P], DataFrame], *args: P.args, **kwargs: P.kwargs
    ) -> Frames:
        """The frames after `verb(frame, source, ...)`."""
        return replace(
            self, frames=tuple((source, verb(df, source, *args, **kwargs)) for source, df in self.frames)
        )

    def union(self) -> DataFrame:
        """All rows in one frame, with the columns of all the dataset's sources, even of those without records.

        A column that a source lacks is null in its rows.
        """
        frames = (df for _, df in self.frames)
        together = reduce(partial(DataFrame.unionByName, allowMissingColumns=True), frames)
        given = {name for source in sources_of(self.contract.name) for name in source.targets}
        missing = [name for name in self.contract.names if name in given and name not in together.columns]
        return together.withColumns(
            {name: F.lit(None).cast(self.contract.column(name).spark_type) for name in missing}
        )

    def count(self) -> DataFrame:
        """The number of records per file."""
        return self.union().groupBy("_source_file").count()


def records_schema(source: Source) -> StructType:
    """The columns of a source's records: where a record stood (_source_file, _source_version, _source_record), its
    batch, `dt` (the date of arrival), `_raw` (its text), `_problem` (null, or what is wrong with it), its fields."""
    schema = StructType().add("_source_record", LongType())
    for name in (*_ABOUT, *source.columns):
        schema.add(name, StringType())
    return schema


def no_records(spark: SparkSession, source: Source) -> DataFrame:
    """An empty frame; Spark knows that when it plans, and leaves out all that would be done to it."""
    return spark.createDataFrame([], records_schema(source)).where(F.lit(False))
