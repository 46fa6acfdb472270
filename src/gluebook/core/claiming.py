"""Which work a job run takes: an abandoned batch, or pending files up to a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import LEASED_STATES, BatchState

# How many runs may try a batch before its retries are exhausted.
MOST_ATTEMPTS = 3
# A run holds the list of its files in the driver; further files go to the next run.
MOST_FILES = 20_000


@dataclass(frozen=True)
class AbandonedBatches:
    """Batches whose run has ended: to be taken over, or with exhausted retries."""

    take_over: tuple[Batch, ...]
    exhausted: tuple[Batch, ...]


def abandoned_batches(open_batches: Sequence[Batch], now: int) -> AbandonedBatches:
    """The open batches of a dataset whose lease has expired. `now` in seconds since 1970."""
    abandoned = [batch for batch in open_batches if is_abandoned(batch, now)]
    exhausted = [b for b in abandoned if b.attempts >= most_attempts(b)]
    return AbandonedBatches(
        take_over=tuple(batch for batch in abandoned if batch not in exhausted),
        exhausted=tuple(exhausted),
    )


def is_abandoned(batch: Batch, now: int) -> bool:
    """Whether a run must work on the batch and none holds its lease. `now` in seconds since 1970."""
    return batch.state in LEASED_STATES and batch.lease_until <= now


def most_attempts(batch: Batch) -> float:
    """How many runs may try the batch.

    Several, because a run can die for reasons other than its files. A half of a divided batch gets one, because
    finding one bad file among many would otherwise take too long; a single file gets all of them again. Rolling
    forward and dividing have no limit: repeating them is harmless, stopping half-way is not.
    """
    if batch.state is BatchState.DIVIDING or (batch.state is BatchState.PUBLISHING and batch.generation > 1):
        return float("inf")
    return 1 if batch.parent is not None and batch.files > 1 and batch.generation == 1 else MOST_ATTEMPTS


def retries_exhausted(batch: Batch) -> bool:
    """Whether a batch of unlimited attempts has had so many that the next one may wait for the schedule."""
    return batch.attempts >= MOST_ATTEMPTS and most_attempts(batch) == float("inf")


def choose_files(pending: Sequence[FileVersion], most_bytes: int) -> list[FileVersion]:
    """The pending files that wait longest, up to `most_bytes` in all; always at least one, however large.

    Files of a divided batch are claimed with those of their half only.
    """
    chosen: list[FileVersion] = []
    total = 0
    for file in pending:
        if chosen and file.group != chosen[0].group:
            continue
        if chosen and total + file.size > most_bytes:
            break
        chosen.append(file)
        total += file.size
    return chosen


def halves(batch: Batch, files: Sequence[FileVersion]) -> dict[str, list[FileVersion]]:
    """The files of a batch that is being divided, by group; the same for every run that continues the division.

    `files`: all that the batch carries.
    """
    ordered = sorted(files, key=lambda file: file.file_id)
    middle = (len(ordered) + 1) // 2
    return {f"{batch.batch_id}/1": ordered[:middle], f"{batch.batch_id}/2": ordered[middle:]}
