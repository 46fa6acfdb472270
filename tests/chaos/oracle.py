"""The expected contents of warehouse and lake, derived only from what was put into S3.

A file holds lines::

    L <text>                                a log record; its text is its identity
    T <number> <revision> <hour> <text>     a revision of a ticket, written in that hour
    !<anything>                             a record that breaks a rule: a reject

A text that begins with ``#reject-me`` fails the gate until the suite is fixed; the warehouse refuses one that begins
with ``@long``. A file that begins with ``%broken`` is unreadable; one with a line ``%poison`` kills every run that
works on it; one of 0 bytes is empty.

A file that is never loaded contributes no rows and supersedes nothing. That includes files that the gate rejected:
the gate judges whole batches, so only the ledger knows these files, and the oracle gets them as `left_out`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

FileKey = tuple[str, str]
BROKEN, POISON, REJECT_ME, LONG = "%broken", "%poison", "#reject-me", "@long"


@dataclass(frozen=True)
class Put:
    """One object version in S3; the versions of a key are in order of creation."""

    key: str
    version: str
    body: str

    @property
    def name(self) -> FileKey:
        """Key and version."""
        return self.key, self.version

    @property
    def lines(self) -> list[str]:
        """The file's lines."""
        return self.body.split("\n") if self.body else []

    @property
    def is_log(self) -> bool:
        """Whether it is of the append dataset."""
        return self.key.startswith("app_logs/")

    @property
    def is_objectionable(self) -> bool:
        """Whether the gate rejects it until the suite is fixed."""
        return any(text.startswith(REJECT_ME) for text in texts(self.lines))

    @property
    def is_readable(self) -> bool:
        """Whether it can be loaded."""
        lines = self.lines
        return not (
            BROKEN in lines[:1] or POISON in lines or any(text.startswith(LONG) for text in texts(lines))
        )


@dataclass(frozen=True, order=True)
class Ticket:
    """A revision of a ticket; the greater of two is the newer."""

    number: str
    revision: int
    hour: int
    digest: str
    text: str


@dataclass(frozen=True)
class Fate:
    """The expected final state of a file version, and its sums if it is loaded."""

    states: frozenset[str]
    read: int = 0
    kept: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Expected:
    """The expectation. `live`: file versions whose rows count; `revisions`: all that were ever loaded."""

    logs: frozenset[str]
    tickets: frozenset[Ticket]
    revisions: frozenset[Ticket]
    live: frozenset[FileKey]
    fates: dict[FileKey, Fate] = field(default_factory=dict)


def texts(lines: Iterable[str]) -> list[str]:
    """The texts of valid records."""
    return [line.split(" ", 1 if line[0] == "L" else 4)[-1] for line in lines if line[:2] in ("L ", "T ")]


def ticket(line: str) -> Ticket:
    """The revision in a line."""
    _, number, revision, hour, text = line.split(" ", 4)
    digest = hashlib.sha256(line.encode()).hexdigest()
    return Ticket(number, int(revision), int(hour), digest, text)


def expected(puts: Iterable[Put], left_out: Collection[FileKey] = ()) -> Expected:
    """The expected contents after everything has settled."""
    everything = list(puts)
    loaded = [put for put in everything if put.is_readable and put.name not in left_out]
    newest = {put.key: put for put in loaded}
    logs = [put for put in newest.values() if put.is_log]
    revisions = {
        ticket(line) for put in loaded if not put.is_log for line in put.lines if line.startswith("T ")
    }
    latest: dict[str, Ticket] = {}
    for revision in sorted(revisions):
        latest[revision.number] = revision
    return Expected(
        logs=frozenset(text for put in logs for text in texts(put.lines)),
        tickets=frozenset(latest.values()),
        revisions=frozenset(revisions),
        live=frozenset(put.name for put in loaded if not put.is_log or newest[put.key] is put),
        fates={put.name: _fate(put, newest, left_out) for put in everything},
    )


def _fate(put: Put, newest: dict[str, Put], left_out: Collection[FileKey]) -> Fate:
    if put.name in left_out:
        # An unreadable file is settled before the gate validates the batch.
        return Fate(
            frozenset({"REJECTED"} if put.lines and put.is_readable else {"EMPTY", "FAILED", "REJECTED"})
        )
    if not put.is_readable:
        return Fate(frozenset({"FAILED"}))
    if not put.lines:
        return Fate(frozenset({"EMPTY"}))
    if put.is_log and newest[put.key] is not put:
        return Fate(frozenset({"SUPERSEDED"}))
    kept = len(texts(put.lines))
    # A batch without rows is not loaded, unless its files supersede others.
    states = {"LOADED"} if put.is_log or kept else {"LOADED", "EMPTY"}
    return Fate(frozenset(states), len(put.lines), kept, len(put.lines) - kept)
