"""The records of a batch: what a job notebook does to all of its sources, it says once.

`Records` are worked on in the tasks that read them, over Arrow, by verbs that are only noted until they are needed.
`Frames` are what Spark makes of them: a DataFrame per source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any, Concatenate, ParamSpec

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import LongType, StringType, StructType

from gluebook.contracts import Contract
from gluebook.sources import sources_of
from gluebook.sources.model import Source
from gluebook.transforms.people import full_names
from gluebook.transforms.rows import PROBLEM, RAW, Rows

P = ParamSpec("P")
Verb = Callable[[Rows, Source], Rows]
Batches = Iterator[pa.RecordBatch]
_ABOUT = ("_source_file", "_source_version", "_batch_id", "dt", RAW, PROBLEM)
_NAME = "name"


@dataclass(frozen=True)
class Part:
    """The records of one source: what `read` makes of the batches of `df`, with the columns of `records_schema`.

    `store`: given `df`, what tasks make of its batches, and the schema of that, computes it and gives it as it is
    stored. Without one it is computed whenever Spark needs it.
    """

    source: Source
    df: DataFrame
    read: Callable[[Batches], Batches]
    store: Callable[[DataFrame, Callable[[Batches], Batches], pa.Schema], DataFrame] | None = None

    @classmethod
    def of(cls, source: Source, df: DataFrame) -> Part:
        """Of a DataFrame with the columns of `records_schema`."""
        # Spark's mapInArrow can't find a column whose name has a dot.
        numbered = df.toDF(*(f"c{place}" for place in range(len(df.columns))))
        return cls(source, numbered, partial(_renamed, tuple(df.columns)))


@dataclass(frozen=True)
class Records:
    """The records of a batch at some step of the notebook, for each source that has some."""

    contract: Contract
    parts: tuple[Part, ...]
    verbs: tuple[Verb, ...] = ()

    def apply(
        self, verb: Callable[Concatenate[Rows, Source, P], Rows], *args: P.args, **kwargs: P.kwargs
    ) -> Records:
        """The records after `verb(rows, source, ...)`."""
        return replace(self, verbs=(*self.verbs, _Bound(verb, args, kwargs)))

    def everybody(self) -> frozenset[str]:
        """The full names of the persons in the batch, if a source has prose that may name them."""
        named = [part for part in self.parts if part.source.prose]
        return frozenset(row[0] for part in named for row in self._names(part).distinct().collect())

    def _names(self, part: Part) -> DataFrame:
        return part.df.mapInArrow(partial(_names, part.read, self.verbs, part.source), f"{_NAME} string")

    def frames(self) -> Frames:
        """A DataFrame per source, with the columns that the verbs leave. In a job run they are applied here, once."""
        return Frames(self.contract, tuple((part.source, self._frame(part)) for part in self.parts))

    def _frame(self, part: Part) -> DataFrame:
        no_record = pa.RecordBatch.from_pylist([], to_arrow_schema(records_schema(part.source)))
        [empty] = _worked(iter, self.verbs, part.source, iter([no_record]))
        work = partial(_worked, part.read, self.verbs, part.source)
        if part.store is not None:
            return part.store(part.df, work, empty.schema)
        return part.df.mapInArrow(work, from_arrow_schema(empty.schema))

    def union(self) -> DataFrame:
        """All rows in one frame; see `Frames.union`."""
        return self.frames().union()

    def count(self) -> DataFrame:
        """The number of records per file."""
        return self.union().groupBy("_source_file").count()


@dataclass(frozen=True)
class Frames:
    """A DataFrame per source that has records in the batch."""

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


@dataclass(frozen=True)
class _Bound:
    """A verb with what it takes besides rows and source. Not a closure: its representation names no key."""

    verb: Callable[..., Rows]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self, rows: Rows, source: Source) -> Rows:
        return self.verb(rows, source, *self.args, **self.kwargs)

    def __repr__(self) -> str:
        return f"{getattr(self.verb, '__name__', self.verb)}(...)"


def _renamed(names: tuple[str, ...], batches: Batches) -> Batches:
    return (batch.rename_columns(list(names)) for batch in batches)


def _worked(
    read: Callable[[Batches], Batches], verbs: Iterable[Verb], source: Source, batches: Batches
) -> Batches:
    for batch in read(batches):
        yield _after(verbs, source, batch).to_batch()


def _names(
    read: Callable[[Batches], Batches], verbs: Iterable[Verb], source: Source, batches: Batches
) -> Batches:
    for batch in read(batches):
        yield pa.RecordBatch.from_arrays([full_names(_after(verbs, source, batch), source)], [_NAME])


def _after(verbs: Iterable[Verb], source: Source, batch: pa.RecordBatch) -> Rows:
    return reduce(lambda rows, verb: verb(rows, source), verbs, Rows.of(batch))


def records_schema(source: Source) -> StructType:
    """The columns of a source's records: where a record stood (_source_file, _source_version, _source_record), its
    batch, `dt` (the date of arrival), `_raw` (its text), `_problem` (null, or what is wrong with it), its fields."""
    schema = StructType().add("_source_record", LongType())
    for name in (*_ABOUT, *source.columns):
        schema.add(name, StringType())
    return schema


def no_records(spark: SparkSession, source: Source) -> Part:
    """No record of a source; Spark knows that when it plans, and leaves out all that would be done to it."""
    return Part.of(source, spark.createDataFrame([], records_schema(source)).where(F.lit(False)))
