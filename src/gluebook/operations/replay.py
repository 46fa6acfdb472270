"""Replay: process chosen file versions again, batch by batch; a no-op if nothing differs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gluebook.aws.parallel import in_parallel
from gluebook.contracts import contract
from gluebook.core.model import Batch, FileVersion
from gluebook.core.replaying import Replay, arrived_within, may_change_versions, plan_replay
from gluebook.core.timestamps import utc_timestamp
from gluebook.errors import TerminalError
from gluebook.operations.context import OperationsContext
from gluebook.operations.jobs import JobStart, start_jobs

_log = logging.getLogger(__name__)
_CAUSE = "replay"


@dataclass(frozen=True)
class Replayed:
    """What was done.

    already_reopened   batches that another process reopened first, which is as good
    started            the start of each dataset's job
    """

    reopened: tuple[Batch, ...]
    already_reopened: tuple[Batch, ...]
    readmitted: tuple[FileVersion, ...]
    started: dict[str, JobStart]


def replay_of_files(keys: Sequence[str], version_id: str | None, context: OperationsContext) -> Replay:
    """Plan the replay of all versions of these raw keys, or of one version.

    Raises TerminalError naming the keys (or the version) that the ledger lacks.
    """
    chosen: list[FileVersion] = []
    unknown: list[str] = []
    for key in dict.fromkeys(keys):
        versions = context.ledger.versions(context.raw_bucket, key)
        wanted = [v for v in versions if version_id is None or v.version_id == version_id]
        chosen += wanted
        unknown += [] if wanted else [key]
    if unknown:
        of_version = f" in version {version_id}" if version_id else ""
        raise TerminalError(
            f"the ledger has no s3://{context.raw_bucket}/{', '.join(unknown)}{of_version}; `gluebook status --json` "
            "lists its files, `gluebook backfill` registers objects of the bucket that it lacks"
        )
    batches = _batches(chosen, context)
    carried = {
        batch_id: context.ledger.files_now(context.ledger.batch_files(batch_id)) for batch_id in batches
    }
    return plan_replay(chosen, batches, carried, utc_timestamp(context.clock()))


def replay_of_dataset(
    dataset: str, since: str | None, until: str | None, context: OperationsContext
) -> Replay:
    """Plan the replay of a dataset's file versions by date of arrival.

    Dates as `YYYY-MM-DD`, both included. Reads the whole ledger. Raises ConfigurationError for an unknown
    dataset, TerminalError if no file version arrived on these dates.
    """
    contract(dataset)
    everything = list(context.ledger.files())
    chosen = arrived_within(everything, dataset, since, until)
    if not chosen:
        when = f" between dt={since or '...'} and dt={until or '...'}" if since or until else ""
        raise TerminalError(f"the ledger has no file version of {dataset}{when}; see `gluebook status`")
    batches = _batches(chosen, context)
    carried: dict[str, list[FileVersion]] = {batch_id: [] for batch_id in batches}
    for file in everything:
        if file.batch_id in carried:
            carried[file.batch_id].append(file)
    return plan_replay(chosen, batches, carried, utc_timestamp(context.clock()))


def _batches(files: Iterable[FileVersion], context: OperationsContext) -> dict[str, Batch]:
    ids = sorted({file.batch_id for file in files if file.batch_id})
    return {batch.batch_id: batch for batch in in_parallel(context.ledger.batch, ids) if batch}


def replay(plan: Replay, context: OperationsContext) -> Replayed:
    """Reopen the batches, make the file versions without a batch PENDING, and start the jobs.

    Safe to interrupt and to repeat: a batch that is already open stays so, and its job is started too.
    """
    at = utc_timestamp(context.clock())
    several = _with_several_versions(may_change_versions(plan), context)
    # Both before and after the batches are reopened: a sweep in between finds no open batch and drops the first
    # note, and an interruption in between prevents the second.
    _note_corrections(several, f"{at}/before", context)
    opened = [(batch, context.ledger.reopen(batch, at, _CAUSE)) for batch in plan.reopen]
    readmitted = tuple(file for file in plan.readmit if context.ledger.readmit(file, _CAUSE))
    _note_corrections(several, f"{at}/after", context)
    reopened = tuple(again for _, again in opened if again)
    for batch in reopened:
        _log.info("batch %s is processed again, as generation %d", batch.batch_id, batch.generation)
    return Replayed(
        reopened=reopened,
        already_reopened=tuple(batch for batch, again in opened if not again),
        readmitted=readmitted,
        started=start_jobs(plan.datasets, context),
    )


def _with_several_versions(files: Sequence[FileVersion], context: OperationsContext) -> list[FileVersion]:
    places = list({(file.bucket, file.key): file for file in files}.values())
    known = in_parallel(lambda file: context.ledger.versions(file.bucket, file.key), places)
    return [file for file, versions in zip(places, known, strict=True) if len(versions) > 1]


def _note_corrections(files: Iterable[FileVersion], token: str, context: OperationsContext) -> None:
    for file in files:
        context.ledger.note_correction(file.dataset, file.bucket, file.key, f"{file.file_id}/{token}")
