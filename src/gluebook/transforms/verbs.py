"""The shared verbs of every job: rename, null, normalise, filter, deduplicate.

Each takes a DataFrame and returns one, at the same grain (one row per record) unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from gluebook.contracts import Column as Target
from gluebook.contracts import Contract
from gluebook.contracts.reasons import Reason
from gluebook.sources.blanks import BLANKS
from gluebook.sources.model import Source
from gluebook.transforms.masking import UNMASKED
from gluebook.transforms.masking import mask_emails as mask_emails
from gluebook.transforms.masking import pseudonymise as pseudonymise
from gluebook.transforms.times import date_of, in_range, timestamp_of

_PARSED = "_parsed_"
# What a fingerprint begins with. The first format has nothing before its hexadecimal digits, so a later one is
# greater: of two rows of one revision the one that was fingerprinted last stands in the warehouse.
_FINGERPRINT_FORMAT = "v2:"


def rename_columns(df: DataFrame, source: Source) -> DataFrame:
    """Give the source's columns the contract's names; source columns that have none are left out."""
    own = [F.col(f"`{old}`").alias(new) for old, new in source.renames.items()]
    carried = [name for name in df.columns if name not in source.columns]
    return df.select(*carried, F.lit(source.name).alias("source"), *own)


def blank_to_null(df: DataFrame, source: Source) -> DataFrame:
    """Trim every source column of `BLANKS`; the empty text and the source's null markers become null."""
    nothing = ("", *source.null_markers)
    trimmed = {name: F.btrim(f"`{name}`", F.lit(BLANKS)) for name in source.columns}
    return df.withColumns({name: F.when(~text.isin(*nothing), text) for name, text in trimmed.items()})


def fingerprint(df: DataFrame, source: Source) -> DataFrame:
    """Add `_row_hash`: equal for two records if and only if all source columns say the same, however it is written.

    It is the first 61 hexadecimal digits of a SHA-256 behind the number of the format. Hashed are the typed values,
    and of texts and persons what `pseudonymise` has put down in `_unmasked`, which goes. So neither the key nor the
    other records of the batch have a say in it.
    """
    typed = sorted(new for old, new in source.renames.items() if old not in (*source.texts, *source.persons))
    values = F.struct(*(F.col(name).cast("string").alias(name) for name in typed), UNMASKED)
    digits = F.substring(F.sha2(F.to_json(values), 256), 1, 64 - len(_FINGERPRINT_FORMAT))
    return df.withColumn("_row_hash", F.concat(F.lit(_FINGERPRINT_FORMAT), digits)).drop(UNMASKED)


def record_id(df: DataFrame, source: Source, name: str) -> DataFrame:  # noqa: ARG001 - a verb takes both
    """Add SHA-256 (hex) of the record's text as column `name`: two records share it if they are the same text."""
    return df.withColumn(name, F.sha2("_raw", 256))


def derive(df: DataFrame, source: Source) -> DataFrame:
    """Add what only this source can tell, by its own SQL (`Source.derive`)."""
    return df.withColumns({name: F.expr(sql) for name, sql in source.derive.items()})


def derivation(source: Source) -> str:
    """The SQL by which `derive` adds to the rows of a source, to be read."""
    columns = (f"\n  {' '.join(sql.split())} as {name}" for name, sql in source.derive.items())
    return f"{source.name} adds: {','.join(columns) or 'nothing'}"


def normalise_types(df: DataFrame, source: Source) -> DataFrame:
    """Turn the source's texts into the contract's types.

    Integers, booleans, dates and UTC timestamps are parsed, enumerations are mapped. Whatever can't be is null and
    leaves a problem: `missing:<column>` where the contract wants a value and there was none,
    `unreadable:<column>`, `unknown:<column>` or `too_long:<column>`. The first problem of a record stays.
    """
    targets = [source.contract.column(name) for name in source.renames.values()]
    # In two projections, so that each text is parsed once, though both its value and its problem ask for it.
    both = df.withColumns({f"{_PARSED}{target.name}": _typed(target, source) for target in targets})
    problems = [F.col("_problem"), *(problem for target in targets for problem in _problems(target))]
    typed = {target.name: _parsed(target) for target in targets}
    return both.withColumns({"_problem": F.coalesce(*problems), **typed}).select(*df.columns)


def _problems(target: Target) -> Iterator[Column]:
    raw, value = F.col(target.name), _parsed(target)
    if not target.nullable:
        yield F.when(raw.isNull(), F.lit(Reason.MISSING.of_column(target.name)))
    if target.type != "text" or target.allowed:
        verdict = Reason.UNKNOWN if target.allowed else Reason.UNREADABLE
        yield F.when(raw.isNotNull() & value.isNull(), F.lit(verdict.of_column(target.name)))
    elif not target.personal:
        yield F.when(F.octet_length(raw) > target.length, F.lit(Reason.TOO_LONG.of_column(target.name)))


def _typed(target: Target, source: Source) -> Column:
    raw = F.col(target.name)
    if target.allowed:
        known = source.choices[target.name]
        pairs = [F.lit(text) for pair in known.items() for text in pair]
        return F.try_element_at(F.create_map(*pairs), F.lower(raw))
    if target.type in ("integer", "bigint"):
        # 3.0 is how spreadsheets write 3.
        return F.expr(f"try_cast(regexp_replace({target.name}, '[.]0+$', '') as {target.spark_type})")
    if target.type == "boolean":
        lowered = F.lower(raw)
        return F.when(lowered == "true", F.lit(True)).when(lowered == "false", F.lit(False))
    if target.type == "timestamp":
        return timestamp_of(raw, source.time_patterns)
    if target.type == "date":
        return date_of(raw, source.time_patterns)
    return raw


def _parsed(target: Target) -> Column:
    value = F.col(f"{_PARSED}{target.name}")
    return in_range(value, target.spark_type) if target.type in ("timestamp", "date") else value


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
    """Add `_copy`: 1 for the first row with this identity, 2 and up for its repeats.

    First is by file, version and record number, so that the same input always keeps the same row.
    """
    first = Window.partitionBy(*identity).orderBy("_source_file", "_source_version", "_source_record")
    return df.withColumn("_copy", F.row_number().over(first))


def conform(df: DataFrame, contract: Contract) -> DataFrame:
    """The contract's columns, in its order and types, and the partition `dt`; the last step of every job."""
    return df.select(*(F.col(c.name).cast(c.spark_type).alias(c.name) for c in contract.columns), "dt")
