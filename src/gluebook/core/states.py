"""The states of file versions and batches: one row each, from which sets, checks and documentation derive.

A file version is admitted once. While it is CLAIMED its state is that of the batch that carries it, unless the
file itself is broken, empty or superseded::

    file version    PENDING ──claim──▶ CLAIMED ──check──▶ FAILED | EMPTY    (a replay may find something else)
                       ▲                 │  └──a newer version of it is loaded──▶ SUPERSEDED
                       └──its batch is divided
                    (outside the convention: FAILED at once; PENDING by a replay once it has a source)

    batch           CLAIMED ──gate──▶ PUBLISHING ──manifest──▶ CURATED ──submit──▶ LOADING ──▶ LOADED
                       │  ▲ take-over    │  ▲ take-over         │   ▲               │   │
                       │  └──────────────┘  (rolls forward)     │   └─ next attempt ┘   │
                       │                 ├──▶ EMPTY     only broken, empty or rejected records
                       │                 ├──▶ REJECTED  a critical expectation failed   │
                       └─────────────────┴──────────────────────┴───────────────────────┴──▶ DIVIDING
                                                    retries exhausted, or data that the warehouse refuses

                    DIVIDING ──▶ DIVIDED   its files are PENDING again, in two halves that are claimed apart
                             └─▶ FAILED    it was one file

    replay          LOADED | EMPTY | REJECTED | FAILED ──replay, or a file of it was superseded──▶ CLAIMED,
                    one generation further; by a replay CURATED too, if its loads have failed. The previous
                    generation stays visible until this one replaces it. If every run of this generation
                    dies, the batch is FAILED and not divided.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from gluebook.errors import IllegalTransition


class Phase(StrEnum):
    """Who moves a state on: a job run under a lease, another part of the chain, or nobody without an operator."""

    LEASED = "leased"
    OPEN = "open"
    FINAL = "final"


@dataclass(frozen=True)
class Row:
    """What the table says of a state. `meaning` and `action` are Markdown, for operators.

    then         the states that may follow, by name
    attention    an operator has to look at it
    published    its rows are in the lake for readers
    """

    phase: Phase
    meaning: str
    action: str = "nothing"
    then: str = ""
    attention: bool = False
    published: bool = False


def _row(
    name: str,
    phase: Phase,
    meaning: str,
    action: str = "nothing",
    then: str = "",
    attention: bool = False,
    published: bool = False,
) -> tuple[str, Row]:
    return name, Row(phase, meaning, action, then, attention, published)


class _State(StrEnum):
    row: Row

    # Every member has a row. The default is for type checkers, which take `BatchState("LOADED")` for a construction.
    def __new__(cls, name: str, row: Row = Row(Phase.OPEN, "")) -> Self:
        state = str.__new__(cls, name)
        state._value_ = name
        state.row = row
        return state

    @property
    def followers(self) -> frozenset[Self]:
        """The states that may follow this one."""
        return frozenset(type(self)[name] for name in self.row.then.split())


_ASK = "nothing, or ask the sender"
_BATCHES = "[REJECTED and FAILED batches](#rejected-and-failed-batches)"


class FileState(_State):
    """What is known of a file version on its own account."""

    PENDING = _row(
        "PENDING",
        Phase.OPEN,
        "registered; waits for a job run",
        "nothing; after two sweeps see [when something doesn't move](#when-something-doesnt-move)",
        then="CLAIMED",
    )
    CLAIMED = _row(
        "CLAIMED",
        Phase.OPEN,
        "a batch carries it, and `gluebook status` shows the batch's state",
        then="EMPTY FAILED SUPERSEDED PENDING",
    )
    EMPTY = _row("EMPTY", Phase.FINAL, "the file holds no record", _ASK, then="CLAIMED FAILED PENDING")
    FAILED = _row(
        "FAILED",
        Phase.FINAL,
        "the file cannot be used",
        "see the [reason](data.md#why-a-file-is-not-used)",
        then="CLAIMED EMPTY PENDING",
        attention=True,
    )
    SUPERSEDED = _row(
        "SUPERSEDED",
        Phase.FINAL,
        "a newer version of the same file is loaded; its own rows have left the warehouse and the lake",
    )


class BatchState(_State):
    """How far a batch is."""

    CLAIMED = _row(
        "CLAIMED",
        Phase.LEASED,
        "a job run works on it",
        "nothing; if the run died, the next one takes over once the lease has ended",
        then="CLAIMED PUBLISHING EMPTY DIVIDING FAILED",  # EMPTY: other runs were faster, and no file is in it
    )
    PUBLISHING = _row(
        "PUBLISHING",
        Phase.LEASED,
        "the gate has decided, and the run carries the decision out",
        "nothing; if the run died, the next one completes it",
        then="PUBLISHING CURATED EMPTY REJECTED DIVIDING",
    )
    CURATED = _row(
        "CURATED",
        Phase.OPEN,
        "published; waits for its load",
        "nothing, unless its [loads fail](#loads-that-fail): the reason says why, and when the next one is due",
        then="LOADING DIVIDING CLAIMED",
        published=True,
    )
    LOADING = _row(
        "LOADING",
        Phase.OPEN,
        "its load statement runs, or has an outcome that is not known yet",
        "nothing; the sweep finds out",
        then="LOADED CURATED DIVIDING",
        published=True,
    )
    LOADED = _row("LOADED", Phase.FINAL, "its rows are in the warehouse", then="CLAIMED", published=True)
    EMPTY = _row(
        "EMPTY",
        Phase.FINAL,
        "it has no row to load",
        "nothing, or look at the [rejects](#rejects)",
        then="CLAIMED",
    )
    REJECTED = _row(
        "REJECTED",
        Phase.FINAL,
        "a critical expectation failed; none of its rows are visible",
        f"see {_BATCHES}",
        then="CLAIMED",
        attention=True,
    )
    DIVIDING = _row(
        "DIVIDING",
        Phase.LEASED,
        "it could not be completed, and a run divides it",
        "nothing; its files are PENDING again afterwards, in two halves",
        then="DIVIDING DIVIDED FAILED",
    )
    DIVIDED = _row(
        "DIVIDED",
        Phase.FINAL,
        "its files are PENDING again or in other batches, and no file shows this state",
    )
    FAILED = _row(
        "FAILED",
        Phase.FINAL,
        "its only file could not be processed, or a replay of it failed",
        f"see the [reason](#reasons-of-batches), and {_BATCHES}",
        then="CLAIMED",
        attention=True,
    )


# A job run works on these, under a lease.
LEASED_STATES = frozenset(state for state in BatchState if state.row.phase is Phase.LEASED)
# Something still has to happen to a batch in one of these.
OPEN_STATES = frozenset(state for state in BatchState if state.row.phase is not Phase.FINAL)
# From these a batch can be processed again; and from CURATED, if its loads have failed (`Batch.repeatable`).
REPEATABLE_STATES = frozenset(BatchState) - OPEN_STATES - {s for s in BatchState if not s.followers}
# The rows of a batch in one of these are in the lake for readers.
PUBLISHED_STATES = frozenset(state for state in BatchState if state.row.published)
# An operator has to look at a batch in one of these.
ATTENTION_STATES = frozenset(state for state in BatchState if state.row.attention)
# The same of what `visible_state` gives for a file.
NEEDS_ATTENTION = frozenset(
    state.value for kind in (FileState, BatchState) for state in kind if state.row.attention
)
# What `visible_state` gives for a file that nothing moves any more without an operator.
SETTLED = frozenset(
    [
        *(state.value for state in FileState if state.row.phase is Phase.FINAL),
        *(state.value for state in REPEATABLE_STATES),
    ]
)


def check_file(current: FileState, new: FileState) -> None:
    """Raise IllegalTransition unless a file version may go from `current` to `new`."""
    if new not in current.followers:
        raise IllegalTransition(f"a file version can't go from {current} to {new}")


def check_batch(current: BatchState, new: BatchState) -> None:
    """Raise IllegalTransition unless a batch may go from `current` to `new`."""
    if new not in current.followers:
        raise IllegalTransition(f"a batch can't go from {current} to {new}")


def visible_state(file: FileState, batch: BatchState | None) -> str:
    """The state that an operator sees for a file: its own, or that of the batch that carries it."""
    return batch.value if file is FileState.CLAIMED and batch is not None else file.value
