"""What publishing a batch will do, as plain values that survive the run that made them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gluebook.contracts.reasons import ReasonText
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts, FileResult
from gluebook.core.states import BatchState, FileState
from gluebook.errors import CountMismatch


@dataclass(frozen=True)
class PublishedFile:
    """One Parquet file: where it stands staged, where it will stand, its size in bytes."""

    staged: str
    final: str
    size: int


@dataclass(frozen=True)
class PublishPlan:
    """Everything that any run has to know to finish a batch that the gate has judged.

    vouchers       files for the warehouse alone, of append datasets
    voucher_rows   the number of rows in them
    rejects        files for the quarantine
    epoch          of the run that made the plan, in the names of results and rejects; 0: an earlier release's
    outcome        CURATED; or EMPTY or REJECTED, which publish no row
    reason         why it is EMPTY or REJECTED
    """

    files: tuple[PublishedFile, ...]
    results: tuple[FileResult, ...]
    partitions: tuple[str, ...]
    counts: Counts
    vouchers: tuple[PublishedFile, ...] = ()
    voucher_rows: int = 0
    rejects: tuple[PublishedFile, ...] = ()
    epoch: int = 0
    outcome: BatchState = BatchState.CURATED
    reason: ReasonText | None = None

    @property
    def copies(self) -> tuple[PublishedFile, ...]:
        """Every file that publishing puts in its place."""
        return (*self.files, *self.vouchers, *self.rejects)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> PublishPlan:
        """The plan that `to_json` wrote."""
        return PublishPlan(
            files=tuple(PublishedFile(**file) for file in value["files"]),
            results=results_from_json(value["results"]),
            partitions=tuple(value["partitions"]),
            counts=Counts(**value["counts"]),
            vouchers=tuple(PublishedFile(**file) for file in value["vouchers"]),
            voucher_rows=value["voucher_rows"],
            # What follows an earlier release's plan lacks.
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
    """The keys that a COPY manifest names, and the sizes in bytes that it says they have."""
    here = lake.uri("")
    return {e["url"].removeprefix(here): int(e["meta"]["content_length"]) for e in manifest["entries"]}


def keys_in_manifest(manifest: Mapping[str, Any], lake: Lake) -> list[str]:
    """The keys that a COPY manifest names."""
    return list(sizes_in_manifest(manifest, lake))


def withdrawn_manifest(keys: Iterable[str]) -> dict[str, Any]:
    """What takes the place of a manifest that is withdrawn: it names nothing to be read.

    It is never just deleted: a late run could write it again, and with it would go the only word of the files
    that have to be removed.
    """
    return {"entries": [], "withdrawn": sorted(set(keys))}


def keys_ever_named(manifest: Mapping[str, Any], lake: Lake) -> list[str]:
    """The keys that a manifest names, or did before it was withdrawn."""
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
    """Staged keys (`<prefix>dt=<date>/<part>`) and sizes to (files with deterministic names, partitions)."""
    files = []
    for number, key in enumerate(sorted(staged)):
        dt = key.removeprefix(prefix).split("/")[0].removeprefix("dt=")
        final = lake.curated_file(batch.dataset, dt, batch.batch_id, number, batch.generation)
        files.append(PublishedFile(key, final, staged[key]))
    partitions = tuple(sorted({file.final.split("/dt=")[1].split("/")[0] for file in files}))
    return tuple(files), partitions


def reconcile(results: Iterable[FileResult], batch_id: str) -> Counts:
    """The sum of the files' counts. Raises CountMismatch if rows of a file went missing or appeared."""
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
