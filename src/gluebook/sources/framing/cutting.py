"""Bytes to lines, and lines to CSV records."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gluebook.contracts.reasons import Reason
from gluebook.sources.csv_fields import PLAIN, QUOTED

# A longer record is no ticket and no log line: it is rejected, and its file goes on.
LONGEST_RECORD_BYTES = 1_048_576
# How much of an overlong record is kept for the quarantine.
_EXCERPT_BYTES = 1_024

_FIELD = f"(?:{QUOTED}|{PLAIN})".encode()
_RECORD = re.compile(rb"(?:\xef\xbb\xbf)?" + _FIELD + rb"(?:," + _FIELD + rb")*+\r?\n?")


@dataclass(frozen=True)
class Unit:
    """A line or record with its terminator; `size` in bytes is the whole of it, `data` may be an excerpt."""

    data: bytes
    size: int
    problem: Reason | None = None


def lines(chunks: Iterator[bytes]) -> Iterator[Unit]:
    """Lines; an overlong one comes as an excerpt with the problem named, and is never held whole."""
    pending: list[bytes] = []
    held = 0
    for chunk in chunks:
        begin = 0
        while begin < len(chunk):
            end = chunk.find(b"\n", begin) + 1
            piece = chunk[begin : end or len(chunk)]
            if held <= LONGEST_RECORD_BYTES:
                pending.append(piece)
            held += len(piece)
            begin += len(piece)
            if end:
                yield _unit(pending, held)
                pending, held = [], 0
    if pending:
        yield _unit(pending, held)


def _unit(pieces: list[bytes], size: int) -> Unit:
    data = b"".join(pieces)
    if size > LONGEST_RECORD_BYTES:
        return Unit(data[:_EXCERPT_BYTES], size, Reason.RECORD_TOO_LONG)
    return Unit(data, size)


def csv_records(cut: Iterator[Unit]) -> Iterator[Unit]:
    """Join lines while a quote is open: after each complete CSV record the number of quotes is even.

    A quote that is never closed would swallow what follows: the rest of the file, or all up to the next quote
    that opens. So if no record comes of it, or one longer than any may be, the line it stands in is named as
    malformed and the search starts again at the next.
    """
    again: deque[Unit] = deque()
    pending: list[Unit] = []
    quotes = size = 0
    while True:
        line = again.popleft() if again else next(cut, None)
        if line is None and not pending:
            return
        if line is not None and line.problem is not None:
            if not pending:
                yield line
                continue
        elif line is not None:
            pending.append(line)
            quotes += line.data.count(b'"')
            size += line.size
            if quotes % 2 == 0:
                whole = b"".join(unit.data for unit in pending)
                if len(pending) == 1 or _RECORD.fullmatch(whole):
                    yield _unit([whole], size)
                    pending, quotes, size = [], 0, 0
                    continue
            elif size <= LONGEST_RECORD_BYTES:
                continue
            line = None
        first, *rest = pending
        yield replace(first, problem=Reason.UNCLOSED_QUOTE)
        again.extendleft(reversed(rest if line is None else [*rest, line]))
        pending, quotes, size = [], 0, 0
