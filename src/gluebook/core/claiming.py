"""What a job run takes up: a batch that somebody left, or pending files up to a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import LEASED_STATES, BatchState

# How often a batch is taken up before it is given up.
MOST_ATTEMPTS = 3
# A run holds a list of its files in the driver; more than this go to the next run.
MOST_FILES = 20_000


@dataclass(frozen=True)
class Inheritance:
    """Batches whose run has gone: to be taken over, or to be given up because they were too often."""

    take_over: tuple[Batch, ...]
    give_up: tuple[Batch, ...]


def inheritance(open_batches: Sequence[Batch], now: int) -> Inheritance:
    """Of a dataset's open batches, those whose lease has ended. `now` in seconds since 1970."""
    left = [batch for batch in open_batches if is_left(batch, now)]
    used_up = [b for b in left if b.attempts >= most_attempts(b)]
    return Inheritance(
        take_over=tuple(batch for batch in left if batch not in used_up), give_up=tuple(used_up)
    )


def is_left(batch: Batch, now: int) -> bool:
    """Whether a run has to work on the batch and none holds it. `now` in seconds since 1970."""
    return batch.state in LEASED_STATES and batch.lease_until <= now


def most_attempts(batch: Batch) -> float:
    """How many runs may take the batch up.

    A run can die of something else than its files, so there are several. A part of a batch that was divided is
    under suspicion: it gets one, or to find the one bad file among many would take too long; when it is alone
    it gets all of them again. Rolling forward or dividing harms nobody, and stops half-way are worse.
    """
    if batch.state is BatchState.DIVIDING or (batch.state is BatchState.PUBLISHING and batch.generation > 1):
        return float("inf")
    return 1 if batch.parent is not None and batch.files > 1 and batch.generation == 1 else MOST_ATTEMPTS


def is_worn_out(batch: Batch) -> bool:
    """Whether a batch that may be taken up without end has been so often that another run can wait."""
    return batch.attempts >= MOST_ATTEMPTS and most_attempts(batch) == float("inf")


def choose_files(pending: Sequence[FileVersion], most_bytes: int) -> list[FileVersion]:
    """The pending files that wait longest, up to `most_bytes` in all; always at least one, however large.

    Files of a divided batch are claimed with those of their half, and with nobody else.
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
    """The files of a batch that is being divided, by group; the same for whoever goes on with it.

    `files`: all that the batch carries.
    """
    ordered = sorted(files, key=lambda file: file.file_id)
    middle = (len(ordered) + 1) // 2
    return {f"{batch.batch_id}/1": ordered[:middle], f"{batch.batch_id}/2": ordered[middle:]}
