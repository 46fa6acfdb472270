"""The states of file versions and batches, and every way from one to another.

A file version is admitted once; from the claim on, what happens to it is what happens to its batch, unless
the file itself turns out to be broken or empty::

    file version    PENDING ──claim──▶ CLAIMED ──check──▶ FAILED | EMPTY
                    (outside the convention: FAILED at once)

    batch           CLAIMED ──gate──▶ PUBLISHING ──manifest──▶ CURATED ──submit──▶ LOADING ──▶ LOADED
                       │  ▲ take-over    │  ▲ take-over           ▲                  │
                       │  └──────────────┘  (rolls forward)       └──── next attempt ┤
                       ├──▶ EMPTY     nothing but broken, empty or rejected records  │
                       ├──▶ REJECTED  a critical expectation failed                  │
                       └──▶ FAILED    attempts used up ◀─────────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from gluebook.errors import IllegalTransition


class FileState(StrEnum):
    """What is known of a file version on its own account."""

    PENDING = "PENDING"
    CLAIMED = "CLAIMED"
    EMPTY = "EMPTY"
    FAILED = "FAILED"


class BatchState(StrEnum):
    """Where a batch stands."""

    CLAIMED = "CLAIMED"
    PUBLISHING = "PUBLISHING"
    CURATED = "CURATED"
    LOADING = "LOADING"
    LOADED = "LOADED"
    EMPTY = "EMPTY"
    REJECTED = "REJECTED"
    FAILED = "FAILED"


FILE_TRANSITIONS: Mapping[FileState, frozenset[FileState]] = MappingProxyType(
    {
        FileState.PENDING: frozenset({FileState.CLAIMED}),
        FileState.CLAIMED: frozenset({FileState.EMPTY, FileState.FAILED}),
        FileState.EMPTY: frozenset(),
        FileState.FAILED: frozenset(),
    }
)

BATCH_TRANSITIONS: Mapping[BatchState, frozenset[BatchState]] = MappingProxyType(
    {
        BatchState.CLAIMED: frozenset(
            {
                BatchState.CLAIMED,
                BatchState.PUBLISHING,
                BatchState.EMPTY,
                BatchState.REJECTED,
                BatchState.FAILED,
            }
        ),
        BatchState.PUBLISHING: frozenset({BatchState.PUBLISHING, BatchState.CURATED, BatchState.FAILED}),
        BatchState.CURATED: frozenset({BatchState.LOADING, BatchState.FAILED}),
        BatchState.LOADING: frozenset({BatchState.LOADED, BatchState.CURATED, BatchState.FAILED}),
        BatchState.LOADED: frozenset(),
        BatchState.EMPTY: frozenset(),
        BatchState.REJECTED: frozenset(),
        BatchState.FAILED: frozenset(),
    }
)

# A batch in one of these still needs somebody to do something.
OPEN_STATES = frozenset(state for state, onward in BATCH_TRANSITIONS.items() if onward)
# A job run works on these, under a lease.
LEASED_STATES = frozenset({BatchState.CLAIMED, BatchState.PUBLISHING})


def check_file(current: FileState, new: FileState) -> None:
    """Raise IllegalTransition unless a file version may go from `current` to `new`."""
    if new not in FILE_TRANSITIONS[current]:
        raise IllegalTransition(f"a file version can't go from {current} to {new}")


def check_batch(current: BatchState, new: BatchState) -> None:
    """Raise IllegalTransition unless a batch may go from `current` to `new`."""
    if new not in BATCH_TRANSITIONS[current]:
        raise IllegalTransition(f"a batch can't go from {current} to {new}")


def shown_state(file: FileState, batch: BatchState | None) -> str:
    """The state an operator sees for a file: its own, or that of the batch that carries it."""
    return batch.value if file is FileState.CLAIMED and batch is not None else file.value
