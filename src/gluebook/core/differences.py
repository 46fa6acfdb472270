"""The kinds of differences between bucket, ledger, lake and warehouse, with their meaning and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """The kinds of differences."""

    UNREGISTERED = "unregistered"
    VANISHED = "vanished"
    UNMARKED = "unmarked"
    OVERDUE_FILES = "overdue-files"
    OVERDUE_CORRECTIONS = "overdue-corrections"
    ABANDONED = "abandoned"
    UNLOADED = "unloaded"
    LOAD_FAILING = "load-failing"
    NOT_IN_WAREHOUSE = "not-in-warehouse"
    NOT_LOADED = "not-loaded"
    OTHER_COUNTS = "other-counts"
    DRIFT = "drift"
    UNANSWERED = "unanswered"
    MISSING_FILE = "missing-file"
    STALE_MANIFEST = "stale-manifest"
    ORPHAN = "orphan"
    LEFTOVER = "leftover"
    UNKNOWN_OBJECT = "unknown-object"


@dataclass(frozen=True)
class Difference:
    """One difference.

    what                 a key, batch id or dataset
    detail               numbers, or other details
    dataset, batch_id    the dataset or batch concerned, if it is one
    objects              keys in the lake that a repair removes
    """

    kind: Kind
    what: str
    detail: str = ""
    dataset: str = ""
    batch_id: str = ""
    objects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What a kind of difference means, what to do about it, and whether `--repair` does it."""

    title: str
    meaning: str
    way_out: str
    repairable: bool = False


_REPLAY = "gluebook replay --file KEY, for a file of that batch"

EXPLANATIONS: Mapping[Kind, Explanation] = MappingProxyType(
    {
        Kind.UNREGISTERED: Explanation(
            "in the raw bucket, not in the ledger",
            "their events were lost, they are older than the pipeline, or they have just arrived",
            "--repair registers them; so do the sweeps, one part of the bucket at a time",
            repairable=True,
        ),
        Kind.VANISHED: Explanation(
            "pending in the ledger, missing from the raw bucket",
            "these versions were deleted before they were read; the next run marks them FAILED",
            "upload the files again if they are still needed",
        ),
        Kind.UNMARKED: Explanation(
            "PENDING, without the marker that runs read",
            "no run will claim them; the ledger was changed by hand, or restored",
            "upload the files again",
        ),
        Kind.OVERDUE_FILES: Explanation(
            "PENDING for more than an hour",
            "no run has claimed them, although one should have started",
            "--repair starts the job; if it fails, its last run in Glue says why",
            repairable=True,
        ),
        Kind.OVERDUE_CORRECTIONS: Explanation(
            "corrected files that were not processed",
            "no batch of the dataset is open, so the corrections should be settled",
            "--repair runs the sweep",
            repairable=True,
        ),
        Kind.ABANDONED: Explanation(
            "batches whose run is gone",
            "their lease has expired, and no run has taken them over",
            "--repair starts the job",
            repairable=True,
        ),
        Kind.UNLOADED: Explanation(
            "published batches whose load does not finish",
            "nothing has changed for longer than a load takes: an event was lost, or the warehouse is busy",
            "--repair runs the sweep and the load function; then see /aws/lambda/<prefix>-load",
            repairable=True,
        ),
        Kind.LOAD_FAILING: Explanation(
            "published batches whose loads fail",
            "Redshift refuses them for a reason that is not the data's: permissions, disk space, access to S3. "
            "They are retried with growing pauses for a day",
            "fix what the error names; then wait for the next load, or " + _REPLAY,
        ),
        Kind.NOT_IN_WAREHOUSE: Explanation(
            "LOADED in the ledger, not in etl_loads",
            "the warehouse was recreated or restored: it lacks their rows",
            _REPLAY,
        ),
        Kind.NOT_LOADED: Explanation(
            "in etl_loads, not LOADED in the ledger",
            "the warehouse holds rows of a batch that is FAILED or missing in the ledger",
            _REPLAY + "; if the ledger lacks the batch, it was changed by hand or restored",
        ),
        Kind.OTHER_COUNTS: Explanation(
            "different counts in the ledger and in etl_loads",
            "one of the two was changed by hand",
            "compare the batch in the ledger (its history names the actors) with its rows in etl_loads",
        ),
        Kind.DRIFT: Explanation(
            "tables that differ from what was loaded",
            "the table was changed outside the pipeline",
            "see Redshift's query history for the change; gluebook replay --dataset D restores missing rows",
        ),
        Kind.UNANSWERED: Explanation(
            "queries that the warehouse did not answer",
            "the comparison was not possible",
            "fix what the error names, then run reconcile again",
        ),
        Kind.MISSING_FILE: Explanation(
            "published batches that lack a manifest or a file",
            "it was deleted or overwritten: readers of the manifest fail",
            _REPLAY + ": it publishes the batch again",
        ),
        Kind.STALE_MANIFEST: Explanation(
            "stale manifests",
            "another generation of the batch has replaced them, or the batch was never published: "
            "readers of them get rows that were replaced or never published",
            "--repair removes them and the files that no other manifest names",
            repairable=True,
        ),
        Kind.ORPHAN: Explanation(
            "published files that no manifest names",
            "a run that lost its batch left them; crawlers and Athena read them",
            "--repair removes them",
            repairable=True,
        ),
        Kind.LEFTOVER: Explanation(
            "files that dead runs left in inbox/ and staging/",
            "no run works on their batches; they cost storage, nothing else",
            "--repair removes them; so does the dataset's next run",
            repairable=True,
        ),
        Kind.UNKNOWN_OBJECT: Explanation(
            "objects in the lake that belong to no known batch",
            "they were written by hand, or the ledger was restored",
            "check them, and remove them by hand if they are not needed",
        ),
    }
)


def grouped(differences: Iterable[Difference]) -> dict[Kind, list[Difference]]:
    """The differences by kind, in the order of the kinds."""
    found: dict[Kind, list[Difference]] = {}
    for difference in differences:
        found.setdefault(difference.kind, []).append(difference)
    return {kind: found[kind] for kind in Kind if kind in found}


def repairable(difference: Difference) -> bool:
    """Whether `--repair` repairs it."""
    return EXPLANATIONS[difference.kind].repairable
