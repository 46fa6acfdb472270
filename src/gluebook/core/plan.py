"""The plan for publishing a batch, as plain values that outlive the run that made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gluebook.contracts.reasons import ReasonText
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts, FileResult
from gluebook.core.states import BatchState, FileState
from gluebook.errors import CountMismatch

# Attributes with another name in stored plans: earlier releases called row references vouchers; stored names stay.
_STORED_NAMES = {"row_references": "vouchers", "row_reference_rows": "voucher_rows"}


@dataclass(frozen=True)
class PublishedFile:
    """One Parquet file: its staged key, its final key, its size in bytes."""

    staged: str
    final: str
    size: int


@dataclass(frozen=True)
class PublishPlan:
    """All that a run needs to finish a batch after the gate's verdict, even if another run made the plan.

    row_references       Parquet of row references, which only the warehouse reads; append datasets only
    row_reference_rows   number of rows in it
    rejects              files for the quarantine
    epoch                the planning run's epoch, part of the names of results and rejects; 0: an earlier release
    outcome              CURATED; or EMPTY or REJECTED, which publish no rows
    reason               why it is EMPTY or REJECTED
    """

    files: tuple[PublishedFile, ...]
    results: tuple[FileResult, ...]
    partitions: tuple[str, ...]
    counts: Counts
    row_references: tuple[PublishedFile, ...] = ()
    row_reference_rows: int = 0
    rejects: tuple[PublishedFile, ...] = ()
    epoch: int = 0
    outcome: BatchState = BatchState.CURATED
    reason: ReasonText | None = None

    @property
    def copies(self) -> tuple[PublishedFile, ...]:
        """Every file that publishing copies."""
        return (*self.files, *self.row_references, *self.rejects)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return {_STORED_NAMES.get(name, name): value for name, value in asdict(self).items()}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> PublishPlan:
        """The plan that `to_json` wrote."""
        return PublishPlan(
            files=tuple(PublishedFile(**file) for file in value["files"]),
            results=results_from_json(value["results"]),
            partitions=tuple(value["partitions"]),
            counts=Counts(**value["counts"]),
            row_references=tuple(PublishedFile(**file) for file in value[_STORED_NAMES["row_references"]]),
            row_reference_rows=value[_STORED_NAMES["row_reference_rows"]],
            # Absent in plans of earlier releases.
            rejects=tuple(PublishedFile(**file) for file in value.get("rejects", ())),
            epoch=value.get("epoch", 0),
            outcome=BatchState(value.get("outcome", BatchState.CURATED)),
            reason=value.get("reason"),
        )


def copy_manifest(files: Iterable[PublishedFile], lake: Lake) -> dict[str, Any]:
    """The COPY manifest. `mandatory` makes a missing file an error, `content_length` is needed for Parquet."""
    return {
        "entries": [
            {"url": lake.uri(file.final), "mandatory": True, "meta": {"content_length": file.size}}
            for file in files
        ]
    }


def sizes_in_manifest(manifest: Mapping[str, Any], lake: Lake) -> dict[str, int]:
    """The keys in a COPY manifest, with their sizes in bytes."""
    here = lake.uri("")
    return {e["url"].removeprefix(here): int(e["meta"]["content_length"]) for e in manifest["entries"]}


def keys_in_manifest(manifest: Mapping[str, Any], lake: Lake) -> list[str]:
    """The keys in a COPY manifest."""
    return list(sizes_in_manifest(manifest, lake))


def withdrawn_manifest(keys: Iterable[str]) -> dict[str, Any]:
    """The replacement of a withdrawn manifest: it names no file to read.

    A manifest is never deleted: a late run could write it again, and it holds the only list of the files to delete.
    """
    return {"entries": [], "withdrawn": sorted(set(keys))}


def keys_ever_named(manifest: Mapping[str, Any], lake: Lake) -> list[str]:
    """The keys in a manifest, including those before it was withdrawn."""
    return [*keys_in_manifest(manifest, lake), *manifest.get("withdrawn", [])]


def results_from_json(values: Iterable[Mapping[str, Any]]) -> tuple[FileResult, ...]:
    """File results as `asdict` wrote them."""
    return tuple(
        FileResult(**{**value, "counts": Counts(**value["counts"]), "state": FileState(value["state"])})
        for value in values
    )


def plan_files(
    staged: Mapping[str, int], prefix: str, lake: Lake, batch: Batch
) -> tuple[tuple[PublishedFile, ...], tuple[str, ...]]:
    """From staged keys (`<prefix>dt=<date>/<part>`) and sizes, plan (files with deterministic keys, partitions)."""
    files = []
    for number, key in enumerate(sorted(staged)):
        dt = key.removeprefix(prefix).split("/")[0].removeprefix("dt=")
        final = lake.curated_file(batch.dataset, dt, batch.batch_id, number, batch.generation)
        files.append(PublishedFile(key, final, staged[key]))
    partitions = tuple(sorted({file.final.split("/dt=")[1].split("/")[0] for file in files}))
    return tuple(files), partitions


def reconcile_counts(results: Iterable[FileResult], batch_id: str) -> Counts:
    """The sum of the files' counts. Raises CountMismatch if a file's counts do not add up."""
    total = Counts()
    for result in results:
        if not result.counts.reconciles:
            c = result.counts
            raise CountMismatch(
                f"batch {batch_id}, {result.key}: read {c.read} is not curated {c.curated} + "
                f"duplicates {c.duplicates} + rejected {c.rejected}"
            )
        total += result.counts
    return total
