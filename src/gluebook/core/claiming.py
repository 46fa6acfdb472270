"""What a job run takes up: a batch that somebody left, or pending files up to a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import LEASED_STATES

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
    left = [b for b in open_batches if b.state in LEASED_STATES and b.lease_until <= now]
    return Inheritance(
        take_over=tuple(batch for batch in left if batch.attempts < MOST_ATTEMPTS),
        give_up=tuple(batch for batch in left if batch.attempts >= MOST_ATTEMPTS),
    )


def choose_files(pending: Sequence[FileVersion], most_bytes: int) -> list[FileVersion]:
    """The oldest pending files up to `most_bytes` in all; always at least one, however large."""
    chosen: list[FileVersion] = []
    total = 0
    for file in pending:
        if chosen and total + file.size > most_bytes:
            break
        chosen.append(file)
        total += file.size
    return chosen
