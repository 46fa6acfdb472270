"""The states of file versions and batches, and every way from one to another.

A file version is admitted once; from the claim on, what happens to it is what happens to its batch, unless
the file itself turns out to be broken, empty or superseded::

    file version    PENDING ──claim──▶ CLAIMED ──check──▶ FAILED | EMPTY    (a replay may see it otherwise)
                       ▲                 │  └──a newer version of it is loaded──▶ SUPERSEDED
                       └──its batch is divided
                    (outside the convention: FAILED at once; PENDING by a replay when there is a source for it)

    batch           CLAIMED ──gate──▶ PUBLISHING ──manifest──▶ CURATED ──submit──▶ LOADING ──▶ LOADED
                       │  ▲ take-over    │  ▲ take-over         │   ▲               │   │
                       │  └──────────────┘  (rolls forward)     │   └─ next attempt ┘   │
                       │                 ├──▶ EMPTY     nothing but broken, empty or rejected records
                       │                 ├──▶ REJECTED  a critical expectation failed   │
                       └─────────────────┴──────────────────────┴───────────────────────┴──▶ DIVIDING
                                                    runs used up, or data that the warehouse refuses

                    DIVIDING ──▶ DIVIDED   its files wait again, in two halves that are claimed apart
                             └─▶ FAILED    it was one file

    again           LOADED | EMPTY | REJECTED | FAILED ──replay, or a file of it was superseded──▶ CLAIMED,
                    one generation further; by a replay CURATED too, if its loads have failed. What the
                    generation before has brought stays visible until this one takes its place. If the runs
                    die that would do it, it is FAILED, and not divided.
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
    SUPERSEDED = "SUPERSEDED"


class BatchState(StrEnum):
    """Where a batch stands."""

    CLAIMED = "CLAIMED"
    PUBLISHING = "PUBLISHING"
    CURATED = "CURATED"
    LOADING = "LOADING"
    LOADED = "LOADED"
    EMPTY = "EMPTY"
    REJECTED = "REJECTED"
    DIVIDING = "DIVIDING"
    DIVIDED = "DIVIDED"
    FAILED = "FAILED"


_F, _B = FileState, BatchState

FILE_TRANSITIONS: Mapping[FileState, frozenset[FileState]] = MappingProxyType(
    {
        _F.PENDING: frozenset({_F.CLAIMED}),
        _F.CLAIMED: frozenset({_F.EMPTY, _F.FAILED, _F.SUPERSEDED, _F.PENDING}),
        _F.EMPTY: frozenset({_F.CLAIMED, _F.FAILED, _F.PENDING}),
        _F.FAILED: frozenset({_F.CLAIMED, _F.EMPTY, _F.PENDING}),
        _F.SUPERSEDED: frozenset(),
    }
)

BATCH_TRANSITIONS: Mapping[BatchState, frozenset[BatchState]] = MappingProxyType(
    {
        _B.CLAIMED: frozenset(
            # EMPTY: others were faster, and no file is in it
            {_B.CLAIMED, _B.PUBLISHING, _B.EMPTY, _B.DIVIDING, _B.FAILED},
        ),
        _B.PUBLISHING: frozenset({_B.PUBLISHING, _B.CURATED, _B.EMPTY, _B.REJECTED, _B.DIVIDING}),
        _B.CURATED: frozenset({_B.LOADING, _B.DIVIDING, _B.CLAIMED}),
        _B.LOADING: frozenset({_B.LOADED, _B.CURATED, _B.DIVIDING}),
        _B.DIVIDING: frozenset({_B.DIVIDING, _B.DIVIDED, _B.FAILED}),
        _B.LOADED: frozenset({_B.CLAIMED}),
        _B.EMPTY: frozenset({_B.CLAIMED}),
        _B.REJECTED: frozenset({_B.CLAIMED}),
        _B.FAILED: frozenset({_B.CLAIMED}),
        _B.DIVIDED: frozenset(),
    }
)

# A job run works on these, under a lease.
LEASED_STATES = frozenset({_B.CLAIMED, _B.PUBLISHING, _B.DIVIDING})
# A batch in one of these still needs somebody to do something.
OPEN_STATES = LEASED_STATES | {_B.CURATED, _B.LOADING}
# From these a batch can be processed again; and from CURATED, if its loads have failed (`Batch.repeatable`).
REPEATABLE_STATES = frozenset({_B.LOADED, _B.EMPTY, _B.REJECTED, _B.FAILED})
# A person should look at these.
TROUBLED_STATES = frozenset({_B.REJECTED, _B.FAILED})


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
