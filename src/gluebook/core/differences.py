"""The kinds of differences between bucket, ledger, lake and warehouse: what each means, and how to resolve it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What is different."""

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
    STRANGE_OBJECT = "strange-object"


@dataclass(frozen=True)
class Difference:
    """One difference.

    what       a key, batch id or dataset
    detail     the numbers, or what else is known
    dataset, batch_id    what it is about, if it is about one
    objects    keys in the lake that a repair removes
    """

    kind: Kind
    what: str
    detail: str = ""
    dataset: str = ""
    batch_id: str = ""
    objects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What a kind of difference means, how to resolve it, and whether `--repair` does so."""

    title: str
    meaning: str
    way_out: str
    repairable: bool = False


_REPLAY = "gluebook replay --file KEY, for a file of that batch"

EXPLANATIONS: Mapping[Kind, Explanation] = MappingProxyType(
    {
        Kind.UNREGISTERED: Explanation(
            "in the raw bucket, not in the ledger",
            "their events were lost, or they were there before the pipeline, or they arrived just now",
            "--repair registers them; the schedule does so too, a part of the bucket at a time",
            repairable=True,
        ),
        Kind.VANISHED: Explanation(
            "waiting in the ledger, gone from the raw bucket",
            "these versions were deleted before they were read; a run will find them FAILED",
            "upload the files again, if they still matter",
        ),
        Kind.UNMARKED: Explanation(
            "PENDING, but missing from what a run reads",
            "no run will ever claim them; the ledger was changed by hand, or restored",
            "upload the files again",
        ),
        Kind.OVERDUE_FILES: Explanation(
            "PENDING for more than an hour",
            "no run has claimed them, though one should have been started",
            "--repair starts the job; if it fails, its last run in Glue says why",
            repairable=True,
        ),
        Kind.OVERDUE_CORRECTIONS: Explanation(
            "files with several versions that were not settled",
            "nothing of the dataset is under way, so they should have been settled",
            "--repair runs the sweep",
            repairable=True,
        ),
        Kind.ABANDONED: Explanation(
            "batches whose run has ended without finishing them",
            "their lease has ended, and no run has taken them over",
            "--repair starts the job",
            repairable=True,
        ),
        Kind.UNLOADED: Explanation(
            "published batches whose load has not finished",
            "nothing has happened for longer than a load takes: an event was lost, or the warehouse is busy",
            "--repair runs the sweep and the load function; then see /aws/lambda/<prefix>-load",
            repairable=True,
        ),
        Kind.LOAD_FAILING: Explanation(
            "published batches whose loads fail",
            "Redshift refuses them for something that isn't known to be the data's fault: rights, space, access "
            "to S3. They are retried with growing pauses, for a day at most",
            "fix what the error names; then wait for the next load, or " + _REPLAY,
        ),
        Kind.NOT_IN_WAREHOUSE: Explanation(
            "LOADED in the ledger, not in etl_loads",
            "the warehouse was made anew or restored: their rows are not in it",
            _REPLAY,
        ),
        Kind.NOT_LOADED: Explanation(
            "in etl_loads, not LOADED in the ledger",
            "the warehouse holds rows of a batch that the ledger gave up, or doesn't know",
            _REPLAY + "; what the ledger doesn't know was changed by hand, or the ledger was restored",
        ),
        Kind.OTHER_COUNTS: Explanation(
            "other counts in the ledger than in etl_loads",
            "one of the two was changed by hand",
            "compare the batch in the ledger (its history says who) with its rows in etl_loads",
        ),
        Kind.DRIFT: Explanation(
            "tables that differ from what their loads left",
            "the table was changed outside the pipeline",
            "Redshift's query history says by whom; gluebook replay --dataset D brings back what is missing",
        ),
        Kind.UNANSWERED: Explanation(
            "queries that the warehouse didn't answer",
            "so it could not be compared",
            "see what the warehouse says, then reconcile again",
        ),
        Kind.MISSING_FILE: Explanation(
            "published batches of which a manifest or a file is missing",
            "it was deleted or overwritten: readers of the manifest fail",
            _REPLAY + ": it publishes the batch again",
        ),
        Kind.STALE_MANIFEST: Explanation(
            "manifests that are out of date",
            "another generation of the batch has taken their place, or the batch was never published: "
            "their readers read too much",
            "--repair removes them, and with them the files that no other manifest names",
            repairable=True,
        ),
        Kind.ORPHAN: Explanation(
            "published files that no manifest names",
            "a run that lost its batch has left them; crawlers and Athena read them",
            "--repair removes them",
            repairable=True,
        ),
        Kind.LEFTOVER: Explanation(
            "objects in inbox/ and staging/ that failed runs left behind",
            "their batches are not worked on any more; it costs storage, nothing else",
            "--repair removes it; the dataset's next run does, too",
            repairable=True,
        ),
        Kind.STRANGE_OBJECT: Explanation(
            "objects in the lake of no batch that the ledger knows",
            "they were put there by hand, or the ledger was restored",
            "check them, and remove them by hand if nobody needs them",
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
    """Whether a repair exists for it."""
    return EXPLANATIONS[difference.kind].repairable
