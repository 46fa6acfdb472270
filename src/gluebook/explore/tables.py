"""Records as tables of text, what is wrong with each, and how many that makes: the job's rules, in plain Python.

Made to be read beside the job notebooks, for files that fit into memory. The pipeline itself does the same with
Spark, in `gluebook.transforms`; a test holds both against the sample's truth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from gluebook.contracts import Column
from gluebook.contracts.reasons import Reason
from gluebook.explore.files import RawFile, records
from gluebook.explore.times import read_day, read_time
from gluebook.sources.blanks import BLANKS
from gluebook.sources.model import Source

_WHOLE = re.compile(r"[+-]?\d+(?:\.0+)?")


def table(files: Iterable[RawFile], source: Source) -> pd.DataFrame:
    """One row per record of the files of `source`, in their order, every value as the text that stands there.

    Columns: those the source is known by, then `_file`, `_record` (its number), `_raw`, and `_problem` if its
    fields can't be separated.
    """
    own = [file for file in files if file.source is source]
    rows = [row for file in own for row in _rows(file, source)]
    columns = [*source.columns, "_file", "_record", "_raw", "_problem"]
    return pd.DataFrame(rows, columns=columns, dtype="object").where(lambda found: found.notna(), None)


def _rows(file: RawFile, source: Source) -> Iterator[dict[str, Any]]:
    for number, raw, problem, fields in records(file.path, source):
        yield {**fields, "_file": file.short_name, "_record": number, "_raw": raw, "_problem": problem}


def without_nulls(found: pd.DataFrame, source: Source) -> pd.DataFrame:
    """The same table, trimmed, with None for the empty text and for the source's null markers."""
    nothing = {"", *source.null_markers}
    clean = found.copy()
    for name in source.columns:
        trimmed = [value and value.strip(BLANKS) for value in found[name]]
        clean[name] = [None if value in nothing else value for value in trimmed]
    return clean


def problems(clean: pd.DataFrame, source: Source) -> pd.Series:
    """For each record of a table without nulls the first reason for which the job would set it aside, or None."""
    targets = {old: source.contract.column(new) for old, new in source.renames.items() if old in clean}
    found = [_problem(row, targets, source) for row in clean.to_dict("records")]
    return pd.Series(found, clean.index, dtype="object")


def _problem(row: Mapping[str, Any], targets: Mapping[str, Column], source: Source) -> str | None:
    if row["_problem"]:
        return str(row["_problem"])
    verdicts = (_verdict(row[old], target, source) for old, target in targets.items())
    return next((verdict for verdict in verdicts if verdict), None)


def _verdict(value: str | None, target: Column, source: Source) -> str | None:
    """By the same rules, and in the same words, as `gluebook.transforms.verbs.normalise_types`."""
    if value is None:
        return None if target.nullable else Reason.MISSING.of_column(target.name)
    if _typed(value, target, source) is None:
        return (Reason.UNKNOWN if target.allowed else Reason.UNREADABLE).of_column(target.name)
    too_long = target.is_free_text and len(value.encode()) > target.length
    return Reason.TOO_LONG.of_column(target.name) if too_long else None


def _typed(value: str | None, target: Column, source: Source) -> object:
    """The value as the contract has it; None if there is none or it can't be read."""
    if value is None:
        return None
    if target.allowed:
        return source.choices[target.name].get(value.lower())
    if target.type == "timestamp":
        return read_time(value, source.time_patterns)
    if target.type == "date":
        return read_day(value, source.time_patterns)
    if target.type == "boolean":
        return {"true": True, "false": False}.get(value.lower())
    if target.type in ("integer", "bigint"):
        return int(value.partition(".")[0]) if _WHOLE.fullmatch(value) else None
    return value.lower() if target.personal and "@" in value else value


def extra_bytes(text: str) -> int:
    """By how much a text is longer in bytes of UTF-8 than in characters."""
    return len(text.encode()) - len(text)


def copies(clean: pd.DataFrame, source: Source) -> pd.Series:
    """For each record whether it repeats an earlier one: the same text of a log, the same values of a ticket,
    however they are written."""
    if source.contract.append:
        return clean.duplicated(["_raw"])
    typed = clean[list(source.columns)].copy()
    for old, new in source.renames.items():
        target = source.contract.column(new)
        if not target.is_free_text:
            typed[old] = [_typed(value, target, source) for value in clean[old]]
    return typed.duplicated()


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
        good[of["updated_at"]].map(partial(read_time, patterns=source.time_patterns))
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
