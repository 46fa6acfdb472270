"""Everything in the report of a day, read from ledger, lake and warehouse.

A day covers the file versions that arrived on it (`dt`), and the batches that carry them now. Trends and business
numbers cover all days, and come from the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from gluebook.contracts import CONTRACTS
from gluebook.core.keys import Lake, RawKey, parse_raw_key
from gluebook.core.plan import keys_in_manifest
from gluebook.core.states import NEEDS_ATTENTION, PUBLISHED_STATES
from gluebook.operations.rejects import Reject as Quarantined
from gluebook.operations.status import FileStatus, Overview
from gluebook.quality.words import sentence
from gluebook.report.model import (
    Answers,
    Check,
    DatasetDay,
    Gated,
    Lineage,
    Reject,
    RejectReason,
    ReportData,
)

EXAMPLES_PER_REASON, EXAMPLE_CHARACTERS, ROWS_PER_CHECK = 3, 160, 10
# Batches of a dataset whose quarantine is read for examples; the counts don't need it.
_BATCHES_FOR_EXAMPLES = 8
_PUBLISHED = frozenset(state.value for state in PUBLISHED_STATES)


class JsonStore(Protocol):
    """Where JSON documents are kept; `gluebook.aws.objects.Objects` is one."""

    def get_json(self, bucket: str, key: str) -> Any:
        """A JSON document; None if there is none."""


# (dataset, batch id) -> its rejects.
Rejects = Callable[[str, str], Iterable[Quarantined]]


@dataclass(frozen=True)
class Sources:
    """Where everything is read from.

    overview   reads the ledger
    answers    queries the warehouse
    """

    lake: Lake
    objects: JsonStore
    overview: Callable[[], Overview]
    rejects: Rejects
    answers: Callable[[], Answers]


def gather(day: date, made_at: str, sources: Sources) -> ReportData:
    """The day's report as values. `made_at`: ISO 8601, UTC.

    Raises ClientError if ledger or lake can't be read. If the warehouse fails, its answers say so.
    """
    seen = sources.overview()
    mine = [file for file in seen.files if _dt(file.key) == day]
    others = [file for file in seen.files if _dt(file.key) != day and file.state in NEEDS_ATTENTION]
    epochs = {batch.batch_id: batch.reported_epoch for batch in seen.batches}
    datasets = tuple(
        _dataset(name, [file for file in mine if file.dataset == name], epochs, sources) for name in CONTRACTS
    )
    return ReportData(
        day=day,
        made_at=made_at,
        datasets=datasets,
        answers=sources.answers(),
        lineage=tuple(_lineage(mine, seen, sources)),
        elsewhere=tuple(reversed(others)),
    )


def _dt(key: str) -> date | None:
    parsed = parse_raw_key(key)
    return parsed.dt if isinstance(parsed, RawKey) else None


def _dataset(
    name: str, files: Sequence[FileStatus], epochs: Mapping[str, int], sources: Sources
) -> DatasetDay:
    """`epochs`: the epoch of each batch whose report is valid."""
    batches = list(dict.fromkeys(file.batch_id for file in files if file.batch_id))
    kept = {b: sources.lake.quality(name, b, epochs[b]) for b in batches if b in epochs}
    found = {b: sources.objects.get_json(sources.lake.bucket, key) for b, key in kept.items()}
    # Reports of an older release hold no outcomes.
    reports = [report for report in found.values() if report and "outcomes" in report]
    published = {f.batch_id for f in files if f.batch_id and f.state in _PUBLISHED and f.counts.curated}
    reported = {report["batch_id"] for report in reports}
    return DatasetDay(
        dataset=name,
        files=tuple(files),
        gated=gated_of(reports),
        checks=checks_of(reports),
        rejects=_rejects(name, files, sources.rejects),
        unchecked=tuple(sorted(published - reported)),
    )


def gated_of(reports: Iterable[Mapping[str, Any]]) -> tuple[Gated, ...]:
    """The gate's reports, oldest first."""
    return tuple(
        Gated(
            batch_id=str(report["batch_id"]),
            dataset=str(report["dataset"]),
            checked_at=str(report["checked_at"]),
            passed=bool(report["passed"]),
            rows=int(report.get("rows") or 0),
            newest_at=str(report.get("newest_at") or ""),
        )
        for report in sorted(reports, key=lambda report: (str(report["checked_at"]), str(report["batch_id"])))
    )


def checks_of(reports: Iterable[Mapping[str, Any]]) -> tuple[Check, ...]:
    """The outcomes of all reports, merged by expectation, in the order of the suite."""
    checks: dict[str, Check] = {}
    for report in reports:
        for outcome in report["outcomes"]:
            one = _check(outcome)
            key = f"{outcome.get('suite')}\0{one.expectation}\0{one.sentence}\0{one.severity}"
            checks[key] = _together(checks[key], one) if key in checks else one
    return tuple(checks.values())


def _check(outcome: Mapping[str, Any]) -> Check:
    kwargs = outcome.get("kwargs") or {}
    rows, percent = outcome.get("unexpected_rows"), outcome.get("unexpected_percent")
    return Check(
        sentence=sentence(str(outcome["expectation"]), kwargs),
        expectation=str(outcome["expectation"]),
        column=str(outcome.get("column") or ""),
        severity=str(outcome.get("severity") or "critical"),
        batches=1,
        failed_in=0 if outcome["passed"] else 1,
        unexpected_rows=None if rows is None else int(rows),
        percent=None if percent is None else float(percent),
        mostly=float(kwargs.get("mostly") or 1.0),
        observed=str(outcome.get("observed") or ""),
        notes=str(outcome.get("notes") or ""),
        examples=tuple(
            {str(name): None if value is None else str(value) for name, value in example.items()}
            for example in (outcome.get("examples") or [])[:ROWS_PER_CHECK]
        ),
    )


def _together(one: Check, other: Check) -> Check:
    # A failed batch's details are shown.
    shown = other if one.passed and not other.passed else one
    return replace(
        shown,
        batches=one.batches + other.batches,
        failed_in=one.failed_in + other.failed_in,
        unexpected_rows=_sum(one.unexpected_rows, other.unexpected_rows),
        percent=max((p for p in (one.percent, other.percent) if p is not None), default=None),
        examples=(*shown.examples, *(other.examples if shown is one else one.examples))[:ROWS_PER_CHECK],
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else one + other


def _rejects(dataset: str, files: Sequence[FileStatus], read: Rejects) -> tuple[RejectReason, ...]:
    counts: dict[str, int] = {}
    for file in files:
        for reason, records in file.reject_reasons.items():
            counts[reason] = counts.get(reason, 0) + records
    keys = {file.key for file in files}
    batches = dict.fromkeys(file.batch_id for file in files if file.batch_id and file.reject_reasons)
    examples: dict[str, list[Reject]] = {reason: [] for reason in counts}
    for batch_id in list(batches)[:_BATCHES_FOR_EXAMPLES]:
        if all(len(found) >= EXAMPLES_PER_REASON for found in examples.values()):
            break
        for row in read(dataset, batch_id):
            found = examples.get(row.reason, [])
            if len(found) < EXAMPLES_PER_REASON and row.key in keys:
                found.append(Reject(row.key, str(row.record), _cut(row.raw)))
    ordered = sorted(counts, key=lambda reason: (-counts[reason], reason))
    return tuple(RejectReason(reason, counts[reason], tuple(examples[reason])) for reason in ordered)


def _cut(text: str) -> str:
    return text if len(text) <= EXAMPLE_CHARACTERS else f"{text[: EXAMPLE_CHARACTERS - 1]}…"


def _lineage(mine: Sequence[FileStatus], seen: Overview, sources: Sources) -> Iterable[Lineage]:
    batches = {batch.batch_id: batch for batch in seen.batches}
    manifests: dict[str, tuple[str, tuple[str, ...]]] = {}
    for batch_id in dict.fromkeys(file.batch_id for file in mine if file.batch_id):
        if (batch := batches.get(batch_id)) is not None:
            key = sources.lake.manifest(batch.dataset, batch_id, batch.generation)
            manifest = sources.objects.get_json(sources.lake.bucket, key)
            if manifest is not None:
                manifests[batch_id] = (key, tuple(sorted(keys_in_manifest(manifest, sources.lake))))
    for file in mine:
        of_batch = manifests.get(file.batch_id or "") if file.state in _PUBLISHED else None
        key, parquet = of_batch or ("", ())
        # A backfilled batch may cover many days; a row is in the partition of its file's date of arrival.
        here = tuple(one for one in parquet if f"/dt={_dt(file.key)}/" in one)
        yield Lineage(
            file.key, file.batch_id or "", key if here else "", here, file.dataset, file.state, file.loaded
        )
