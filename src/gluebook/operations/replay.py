"""Replay: process chosen file versions again, batch by batch. Changes nothing where nothing differs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gluebook.contracts import contract
from gluebook.core.model import Batch, FileVersion
from gluebook.core.replaying import Replay, arrived_within, may_change_versions, plan_replay
from gluebook.core.stamps import stamp
from gluebook.errors import TerminalError
from gluebook.operations.operating import Operating, Start, start_jobs

_log = logging.getLogger(__name__)
_READERS = 16
_CAUSE = "replay"


@dataclass(frozen=True)
class Replayed:
    """What was done. `overtaken`: batches that somebody else had opened in the meantime; as good.

    `started` tells by dataset what came of the start of its job.
    """

    reopened: tuple[Batch, ...]
    overtaken: tuple[Batch, ...]
    readmitted: tuple[FileVersion, ...]
    started: dict[str, Start]


def replay_of_files(keys: Sequence[str], version_id: str | None, work: Operating) -> Replay:
    """What to do so that all versions of these raw keys, or one of them, are processed again.

    Raises TerminalError naming the keys (or the version) that the ledger doesn't know.
    """
    chosen: list[FileVersion] = []
    unknown: list[str] = []
    for key in dict.fromkeys(keys):
        versions = work.ledger.versions(work.raw_bucket, key)
        wanted = [v for v in versions if version_id is None or v.version_id == version_id]
        chosen += wanted
        unknown += [] if wanted else [key]
    if unknown:
        of_version = f" in version {version_id}" if version_id else ""
        raise TerminalError(
            f"the ledger has no s3://{work.raw_bucket}/{', '.join(unknown)}{of_version}; `gluebook status --json` "
            "lists what it has, `gluebook backfill` takes in what lies in the bucket and isn't known"
        )
    batches = _batches(chosen, work)
    carried = {batch_id: work.ledger.files_now(work.ledger.batch_files(batch_id)) for batch_id in batches}
    return plan_replay(chosen, batches, carried, stamp(work.clock()))


def replay_of_dataset(dataset: str, since: str | None, until: str | None, work: Operating) -> Replay:
    """What to do so that a dataset's file versions that arrived on these dates are processed again.

    Dates as `YYYY-MM-DD`, both included. Reads the whole ledger. Raises ConfigurationError for an unknown
    dataset, TerminalError if nothing has arrived then.
    """
    contract(dataset)
    everything = list(work.ledger.files())
    chosen = arrived_within(everything, dataset, since, until)
    if not chosen:
        when = f" between dt={since or '...'} and dt={until or '...'}" if since or until else ""
        raise TerminalError(f"the ledger has no file version of {dataset}{when}; see `gluebook status`")
    batches = _batches(chosen, work)
    carried: dict[str, list[FileVersion]] = {batch_id: [] for batch_id in batches}
    for file in everything:
        if file.batch_id in carried:
            carried[file.batch_id].append(file)
    return plan_replay(chosen, batches, carried, stamp(work.clock()))


def _batches(files: Iterable[FileVersion], work: Operating) -> dict[str, Batch]:
    ids = sorted({file.batch_id for file in files if file.batch_id})
    with ThreadPoolExecutor(_READERS) as pool:
        return {batch.batch_id: batch for batch in pool.map(work.ledger.batch, ids) if batch}


def replay(plan: Replay, work: Operating) -> Replayed:
    """Open the batches again, let wait what no batch will bring again, start the jobs.

    May be interrupted and repeated: what is open already is under way, and its job is started all the same.
    """
    at = stamp(work.clock())
    several = _with_several_versions(may_change_versions(plan), work)
    # Before and after: who looks in between finds nothing under way and forgets the note, who stops in between
    # leaves no note after.
    _note_corrections(several, f"{at}/before", work)
    opened = [(batch, work.ledger.reopen(batch, at, _CAUSE)) for batch in plan.reopen]
    readmitted = tuple(file for file in plan.readmit if work.ledger.readmit(file, _CAUSE))
    _note_corrections(several, f"{at}/after", work)
    reopened = tuple(again for _, again in opened if again)
    for batch in reopened:
        _log.info("batch %s is processed again, as generation %d", batch.batch_id, batch.generation)
    return Replayed(
        reopened=reopened,
        overtaken=tuple(batch for batch, again in opened if not again),
        readmitted=readmitted,
        started=start_jobs(plan.datasets, work),
    )


def _with_several_versions(files: Sequence[FileVersion], work: Operating) -> list[FileVersion]:
    places = list({(file.bucket, file.key): file for file in files}.values())
    with ThreadPoolExecutor(_READERS) as pool:
        known = pool.map(lambda file: len(work.ledger.versions(file.bucket, file.key)), places)
        return [file for file, versions in zip(places, known, strict=True) if versions > 1]


def _note_corrections(files: Iterable[FileVersion], token: str, work: Operating) -> None:
    for file in files:
        work.ledger.note_correction(file.dataset, file.bucket, file.key, f"{file.file_id}/{token}")
