"""Records as tables of text, what is wrong with each, and how many that makes.

For files that fit into memory. What a value is, and what is wrong with it, the job's own verbs say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from gluebook.explore.files import RawFile, records
from gluebook.explore.times import read_times
from gluebook.sources.model import Source
from gluebook.transforms.fingerprints import fingerprint
from gluebook.transforms.masking import pseudonymise
from gluebook.transforms.rows import PROBLEM, RAW, Rows
from gluebook.transforms.types import normalise_types
from gluebook.transforms.verbs import blank_to_null, rename_columns


def table(files: Iterable[RawFile], source: Source) -> pd.DataFrame:
    """One row per record of the files of `source`, in their order, every value as the text that stands there.

    Columns: those the source is known by, then `_file`, `_record` (its number), `_raw`, and `_problem` if its
    fields can't be separated.
    """
    own = [file for file in files if file.source is source]
    rows = [row for file in own for row in _rows(file, source)]
    columns = [*source.columns, "_file", "_record", RAW, PROBLEM]
    return pd.DataFrame(rows, columns=columns, dtype="object").where(lambda found: found.notna(), None)


def _rows(file: RawFile, source: Source) -> Iterator[dict[str, Any]]:
    for number, raw, problem, fields in records(file.path, source):
        yield {**fields, "_file": file.short_name, "_record": number, RAW: raw, PROBLEM: problem}


def without_nulls(found: pd.DataFrame, source: Source) -> pd.DataFrame:
    """The same table, trimmed, with None for the empty text and for the source's null markers."""
    rows = blank_to_null(_rows_of(found, source), source)
    return found.assign(**{name: rows[name].to_pylist() for name in source.columns})


def _rows_of(found: pd.DataFrame, source: Source) -> Rows:
    schema = pa.schema([(name, pa.string()) for name in (*source.columns, PROBLEM, RAW)])
    return Rows.of(pa.RecordBatch.from_pandas(found, schema, preserve_index=False))


def problems(clean: pd.DataFrame, source: Source) -> pd.Series:
    """For each record of a table without nulls the first reason for which the job would set it aside, or None."""
    return pd.Series(_typed(clean, source)[PROBLEM].to_pylist(), clean.index, dtype="object")


def _typed(clean: pd.DataFrame, source: Source) -> Rows:
    """The records as the job types them, with their fingerprints if the dataset has revisions."""
    rows = _rows_of(clean, source)
    if source.contract.append:
        return normalise_types(rename_columns(rows, source), source)
    masked = pseudonymise(rows, source, "no key", frozenset())
    return fingerprint(normalise_types(rename_columns(masked, source), source), source)


def extra_bytes(text: str) -> int:
    """By how much a text is longer in bytes of UTF-8 than in characters."""
    return len(text.encode()) - len(text)


def copies(clean: pd.DataFrame, source: Source) -> pd.Series:
    """For each record whether it repeats an earlier one: the same text of a log, the same values of a ticket,
    however they are written."""
    if source.contract.append:
        return clean.duplicated(["_raw"])
    return pd.Series(_typed(clean, source)["_row_hash"].to_pylist(), clean.index, dtype="object").duplicated()


def count(clean: pd.DataFrame, source: Source) -> pd.DataFrame:
    """By file, in order: how many records were read, and how many of them are curated, duplicates, rejected."""
    rejected = problems(clean, source).notna()
    duplicates = copies(clean[~rejected], source).reindex(clean.index, fill_value=False)
    by_file = pd.DataFrame({"read": True, "duplicates": duplicates, "rejected": rejected}, clean.index)
    found = by_file.groupby(clean["_file"], sort=False).sum().astype(int)
    found.insert(1, "curated", found["read"] - found["duplicates"] - found["rejected"])
    return found


def expected(truth: Mapping[str, Any], files: Iterable[RawFile]) -> pd.DataFrame:
    """The generator's truth about the same files, in the shape of `count`."""
    rows = {file.short_name: truth["files"][file.name]["counts"] for file in files}
    return pd.DataFrame.from_dict(rows, orient="index")[["read", "curated", "duplicates", "rejected"]]


def reasons(truth: Mapping[str, Any], dataset: str) -> pd.Series:
    """The generator's truth about why records are rejected."""
    return pd.Series(truth["reject_reasons"][dataset], dtype="int64")


def verdict(counted: pd.DataFrame, known: pd.DataFrame | None) -> str:
    """The counts in a sentence, and whether they are what the generator says."""
    read, curated, duplicates, rejected = counted.sum()
    parts = f"{curated:,} rows + {duplicates:,} copies + {rejected:,} rejects"
    sentence = f"{len(counted)} files: {read:,} records = {parts}."
    if known is None:
        return f"{sentence} Nobody knows the truth about these files."
    differing = counted.index[(counted != known.loc[counted.index]).any(axis=1)]
    if differing.empty:
        return f"{sentence} The generator's truth says the same, file by file."
    return f"{sentence} The generator's truth differs for {', '.join(differing)}."


def revisions(good: pd.DataFrame, source: Source) -> pd.DataFrame:
    """The good records, and of each its `ticket`, `revision` and `updated`; 0 or one moment where there is none."""
    of = {new: old for old, new in source.renames.items()}
    revision = good[of["revision"]].astype(float) if "revision" in of else 0.0
    updated = (
        read_times(good[of["updated_at"]], source.time_patterns)
        if "updated_at" in of
        else pd.Timestamp(0, tz="UTC")
    )
    return good.assign(ticket=good[of["ticket_id"]], revision=revision, updated=updated)


def newest(rows: pd.DataFrame, key: str, by: Sequence[str]) -> pd.DataFrame:
    """One row per `key`: the greatest in `by`; of those that are equal in that too, the last one. Indexed by key."""
    ordered = rows.sort_values(list(by), kind="stable") if by else rows
    return ordered.groupby(key, sort=False).tail(1).set_index(key).sort_index()


def mistaken(rows: pd.DataFrame, key: str, by: Sequence[str], right: Sequence[str]) -> int:
    """For how many keys the newest row in `by` isn't as new, in `right`, as the newest row in that."""
    columns = list(right)
    differs = newest(rows, key, by)[columns] != newest(rows, key, columns)[columns]
    return int(differs.any(axis=1).sum())
