"""Parts of a large file of lines, each of which can be framed by itself.

A line belongs to the part that holds its first byte. So a part begins behind the first line end at or after the byte
in front of it, and ends with the line that crosses its end; parts that follow each other have every line once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

from gluebook.sources.framing.cutting import Unit, lines
from gluebook.sources.framing.unpacking import Stream, chunks


@dataclass(frozen=True)
class Part:
    """The bytes of a file from `begin` up to `end`, which is not in it."""

    begin: int
    end: int

    @property
    def reads_from(self) -> int:
        """Where its stream begins: with the byte before it, which may end a line."""
        return max(self.begin - 1, 0)


def parts_of(size: int, most: int) -> list[Part]:
    """Parts of even size, none of more than `most` bytes, that make up a file of `size` bytes."""
    number = max(-(-size // most), 1)
    return [Part(begin, end) for begin, end in pairwise(size * n // number for n in range(number + 1))]


def lines_of(stream: Stream, part: Part) -> tuple[int, Iterator[Unit]]:
    """The offset in the file of the part's first line, and its lines.

    `stream`: the file's bytes from `part.reads_from` on. It is read to the end of the part's last line.
    """
    pieces = chunks(stream)
    at = part.reads_from
    if part.begin == 0:
        return 0, _up_to(part.end, lines(pieces), at)
    for piece in pieces:
        behind = piece.find(b"\n") + 1
        if behind:
            return at + behind, _up_to(part.end, lines(chain([piece[behind:]], pieces)), at + behind)
        at += len(piece)
        if at >= part.end:
            break
    return at, iter(())


def _up_to(end: int, units: Iterator[Unit], at: int) -> Iterator[Unit]:
    """The units that begin before `end`; the first one is at `at`. None is read that begins behind it."""
    while at < end and (unit := next(units, None)) is not None:
        yield unit
        at += unit.size
