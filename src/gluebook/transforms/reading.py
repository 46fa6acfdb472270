"""Schema change: from numbered raw records to the columns a source is known by.

Records come as `_source_file, _source_version, _source_record, _batch_id, dt, _header, _raw, _problem`. What
is read here is added to them; the raw text stays until the rejects have been split off.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from gluebook.contracts.reasons import Reason
from gluebook.sources.framing import parse_header
from gluebook.sources.model import Source

_CORRUPT = "_corrupt"


def read_csv_columns(records: DataFrame, source: Source, headers: Sequence[str]) -> DataFrame:
    """Parse CSV records by their own file's header, so that columns may come, go and change places.

    Shape: one row per record, the input's columns plus every column of `source.layout.columns` as text. Columns
    that a file lacks are null, columns that the source isn't known by are left out. A record whose number of
    fields differs from its header's gets the problem `malformed_record`.
    """
    parts = [_read_one_header(records, source, header) for header in headers]
    if not parts:
        nothing = records.where(F.lit(False))
        return nothing.select("*", *(F.lit(None).cast("string").alias(c) for c in source.layout.columns))
    return reduce(DataFrame.unionByName, parts)


def _read_one_header(records: DataFrame, source: Source, header: str) -> DataFrame:
    names = parse_header(header)
    schema = ", ".join([*(f"c{i} string" for i in range(len(names))), f"{_CORRUPT} string"])
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": _CORRUPT, "escape": '"'}
    of_this_header = records.where(F.col("_header") == header)
    parsed = of_this_header.withColumn("_parsed", F.from_csv("_raw", schema, options))
    place = {name: f"_parsed.c{i}" for i, name in enumerate(names)}
    columns = [
        (F.col(place[name]) if name in place else F.lit(None).cast("string")).alias(name)
        for name in source.layout.columns
    ]
    problem = first_problem(F.col(f"_parsed.{_CORRUPT}").isNotNull())
    return parsed.withColumn("_problem", problem).select(*records.columns, *columns)


def read_json_columns(records: DataFrame, source: Source, schema: str) -> DataFrame:
    """Parse one JSON object per record.

    `schema` is Spark DDL; a field of type string keeps whatever JSON stands there as text. Shape: one row per
    record, the input's columns plus every key of `source.renames` as text. What isn't exactly one JSON object
    gets the problem `malformed_record`.
    """
    parsed = records.withColumn("_parsed", read_json("_raw", f"struct<{schema}>"))
    columns = [_field(F.col("_parsed"), path).alias(path) for path in source.renames]
    problem = first_problem(F.col("_parsed").isNull())
    return parsed.withColumn("_problem", problem).select(*records.columns, *columns)


def read_json(name: str, type_: str) -> Column:
    """The text in column `name` as a value of `type_` (DDL of a struct or a map); null if it isn't exactly one
    JSON object."""
    text = F.col(name)
    # As the only element of an array, nothing can follow the object unnoticed.
    parsed = F.from_json(F.concat(F.lit("["), text, F.lit("]")), f"array<{type_}>")
    return F.when(text.rlike(r"^\s*\{") & (F.size(parsed) == 1), F.try_element_at(parsed, F.lit(1)))


def _field(value: Column, path: str) -> Column:
    return without_nul(reduce(Column.getField, path.split("."), value).cast("string"))


def without_nul(text: Column) -> Column:
    """The text without NULs, which COPY doesn't take: decoding JSON makes them of \\u0000.

    JSON that stays text keeps the escape.
    """
    return F.replace(text, F.lit("\0"), F.lit(""))


def first_problem(malformed: Column) -> Column:
    """A record that framing has found fault with already keeps that fault."""
    return F.coalesce(F.col("_problem"), F.when(malformed, F.lit(Reason.MALFORMED.because())))
