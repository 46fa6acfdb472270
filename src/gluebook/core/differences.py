"""The kinds of differences between bucket, ledger, lake and warehouse: what each means, and what to do."""

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
            "their events were lost, they are older than the pipeline, or they arrived just now",
            "--repair registers them; so does the sweep, a part of the bucket at a time",
            repairable=True,
        ),
        Kind.VANISHED: Explanation(
            "to be read by a run, but deleted from the raw bucket",
            "these versions were deleted before a run read them; a run will set them to FAILED",
            "upload the files again if they are needed",
        ),
        Kind.UNMARKED: Explanation(
            "PENDING, but not in the list that runs read",
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
            "corrections that are not settled",
            "files have several versions, and nothing of the dataset is being processed that could delay them",
            "--repair runs the sweep",
            repairable=True,
        ),
        Kind.ABANDONED: Explanation(
            "abandoned batches",
            "their lease has ended, and no run has taken them over",
            "--repair starts the job",
            repairable=True,
        ),
        Kind.UNLOADED: Explanation(
            "CURATED or LOADING for more than twenty minutes",
            "an event was lost, or the warehouse is busy",
            "--repair runs the sweep and the load function; then see /aws/lambda/<prefix>-load",
            repairable=True,
        ),
        Kind.LOAD_FAILING: Explanation(
            "published batches whose loads fail",
            "Redshift refuses them for a reason that is not known to be the data's: permissions, space, access "
            "to S3. They are retried at growing intervals, for a day",
            "fix what the error names; then wait for the next load, or " + _REPLAY,
        ),
        Kind.NOT_IN_WAREHOUSE: Explanation(
            "LOADED in the ledger, not in etl_loads",
            "the warehouse was created again or restored, and lacks their rows",
            _REPLAY,
        ),
        Kind.NOT_LOADED: Explanation(
            "in etl_loads, not LOADED in the ledger",
            "the warehouse has rows of a batch that is FAILED or REJECTED in the ledger, or unknown",
            _REPLAY + "; if the ledger does not know the batch, it was changed by hand or restored",
        ),
        Kind.OTHER_COUNTS: Explanation(
            "other counts in the ledger than in etl_loads",
            "one of the two was changed by hand",
            "compare the batch in the ledger, whose history names the actor, with its rows in etl_loads",
        ),
        Kind.DRIFT: Explanation(
            "tables that differ from what their loads left",
            "the table was changed from outside the pipeline",
            "find the change in Redshift's query history; gluebook replay --dataset D restores missing rows",
        ),
        Kind.UNANSWERED: Explanation(
            "queries that the warehouse did not answer",
            "the warehouse could not be compared",
            "fix what the error names, then reconcile again",
        ),
        Kind.MISSING_FILE: Explanation(
            "published batches that lack a manifest or a file",
            "it was deleted or overwritten from outside the pipeline; readers of the manifest fail",
            _REPLAY + ": it publishes the batch again",
        ),
        Kind.STALE_MANIFEST: Explanation(
            "stale manifests",
            "another generation of the batch has replaced them, or the batch was never published; "
            "their readers read too much",
            "--repair removes them, and with them the files that no other manifest names",
            repairable=True,
        ),
        Kind.ORPHAN: Explanation(
            "published files that no manifest names",
            "a run that lost its batch left them; crawlers and Athena read them",
            "--repair removes them",
            repairable=True,
        ),
        Kind.LEFTOVER: Explanation(
            "leftovers of dead runs in inbox/ and staging/",
            "no run works on their batches any more; they only cost storage",
            "--repair removes them; so does the dataset's next run",
            repairable=True,
        ),
        Kind.STRANGE_OBJECT: Explanation(
            "objects in the lake that belong to no batch in the ledger",
            "they were put there by hand, or the ledger was restored",
            "remove them by hand if nobody needs them",
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
