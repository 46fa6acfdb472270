"""Cut a file's bytes into numbered records, checking on the way that the file is what it claims to be.

One pass, bounded memory: gzip, UTF-8, header and size are checked here, one file at a time, so that a broken
file is named and set aside before Spark sees it and its neighbours are none the worse. Record numbers and raw
text come from here too, because Spark's multi-line CSV reader gives neither.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

from gluebook.contracts.reasons import Reason, ReasonText

# A longer record is no ticket and no log line; it is set aside by itself, and its file goes on.
LONGEST_RECORD_BYTES = 1_048_576
# How much of an overlong record is kept for the quarantine.
_EXCERPT_BYTES = 1_024
_CHUNK_BYTES = 1 << 20
_BLANK = b" \t\r\n\v\f"

# A record by RFC 4180, except that a field may hold quotes without being quoted, if it holds no line break.
_FIELD = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^",\r\n][^,\r\n]*+|)'
_RECORD = re.compile(rb"(?:\xef\xbb\xbf)?" + _FIELD + rb"(?:," + _FIELD + rb")*+\r?\n?")


@dataclass(frozen=True)
class Layout:
    """How a source's files are cut.

    framing   "lines": a record is a line. "csv": a record may hold line breaks inside quotes, the first one
              is the header
    columns   for csv: the columns the source is known by; a header may reorder them and add others
    required  for csv: the columns without which a file is of another layout
    """

    framing: Literal["lines", "csv"]
    columns: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """One record: its number in the file, from 1 after the header; its text; what is wrong with it, if so."""

    number: int
    raw: str
    problem: Reason | None = None


class BadFile(Exception):
    """The file as a whole can't be read; `reason` is a code, a colon, and what was found where."""

    def __init__(self, reason: ReasonText) -> None:
        super().__init__(reason)
        self.reason = reason


class Framer:
    """Iterates over the records of one file; `header` is known once iteration has begun (csv only)."""

    def __init__(self, stream: BinaryIO, layout: Layout) -> None:
        self.header: str | None = None
        self.records = 0
        self._stream = stream
        self._layout = layout

    def __iter__(self) -> Iterator[Record]:
        """Yield records in file order. Raises BadFile."""
        units = _lines(_decompressed(self._stream))
        if self._layout.framing == "csv":
            units = _quoted(units)
        offset = 0
        for unit in units:
            bom = len(codecs.BOM_UTF8) if offset == 0 and unit.data.startswith(codecs.BOM_UTF8) else 0
            data, start = unit.data[bom:], offset + bom
            offset += unit.size
            if not data.strip(_BLANK):
                continue
            # No text has NULs: a crash, a copy under way or another encoding leaves them. Redshift takes none.
            problem = unit.problem or (Reason.MALFORMED if b"\0" in data else None)
            text = _decode(data, start, unit.problem).rstrip("\r\n")
            if self._layout.framing == "csv" and self.header is None:
                if problem is not None:
                    raise BadFile(Reason.ANOTHER_LAYOUT.because(f"the first line is no header: {problem}"))
                self.header = text
                _check_header(text, self._layout)
                continue
            self.records += 1
            yield Record(self.records, text, problem)
        if offset and self._layout.framing == "csv" and self.header is None:
            raise BadFile(Reason.NO_HEADER.because("the file holds nothing but blank lines"))


def parse_header(header: str) -> tuple[str, ...]:
    """The column names of a CSV header line."""
    return tuple(name.strip() for name in next(csv.reader(io.StringIO(header))))


def _check_header(header: str, layout: Layout) -> None:
    try:
        names = parse_header(header)
    except csv.Error as error:
        raise BadFile(Reason.ANOTHER_LAYOUT.because(f"the first line is no header: {error}")) from None
    missing = [name for name in layout.required if name not in names]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise BadFile(Reason.ANOTHER_LAYOUT.because(f"the header lacks {', '.join(missing[:5])}{more}"))
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise BadFile(Reason.ANOTHER_LAYOUT.because(f"the header names {', '.join(doubled)} twice"))


def _decode(unit: bytes, start: int, problem: Reason | None) -> str:
    try:
        return unit.decode("utf-8")
    except UnicodeDecodeError as error:
        if problem is Reason.RECORD_TOO_LONG:  # an excerpt may end in the middle of a character
            return unit.decode("utf-8", "replace")
        found = f"byte {unit[error.start]:#04x} at offset {start + error.start}"
        raise BadFile(Reason.INVALID_UTF8.because(found)) from None


def _decompressed(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's bytes, un-gzipped if they are gzip (recognised by the magic number, not by the name)."""
    head = stream.read(_CHUNK_BYTES)
    if head[:2] != b"\x1f\x8b":
        while head:
            yield head
            head = stream.read(_CHUNK_BYTES)
        return
    inflate = zlib.decompressobj(wbits=31)
    while head:
        try:
            data = inflate.decompress(head, _CHUNK_BYTES)
        except zlib.error as error:
            raise BadFile(Reason.CORRUPT_GZIP.because(str(error))) from None
        if data:
            yield data
        if inflate.eof:
            head = _after_member(inflate.unused_data, stream)
            if not head:
                return
            if not head.startswith(b"\x1f"):
                raise BadFile(
                    Reason.CORRUPT_GZIP.because("bytes that are no gzip follow the compressed data")
                )
            inflate = zlib.decompressobj(wbits=31)
        else:
            head = inflate.unconsumed_tail or stream.read(_CHUNK_BYTES)
    raise BadFile(Reason.TRUNCATED_GZIP.because("the compressed data ends before its end mark"))


def _after_member(rest: bytes, stream: BinaryIO) -> bytes:
    """What follows a gzip member, without the zeros that may pad it; empty at the end of the stream."""
    rest = rest.lstrip(b"\0")
    while not rest:
        chunk = stream.read(_CHUNK_BYTES)
        if not chunk:
            return b""
        rest = chunk.lstrip(b"\0")
    return rest


@dataclass(frozen=True)
class _Unit:
    """A line or record with its terminator; `size` in bytes is the whole of it, `data` may be an excerpt."""

    data: bytes
    size: int
    problem: Reason | None = None


def _lines(chunks: Iterator[bytes]) -> Iterator[_Unit]:
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
                yield _line(pending, held)
                pending, held = [], 0
    if pending:
        yield _line(pending, held)


def _line(pieces: list[bytes], size: int) -> _Unit:
    data = b"".join(pieces)
    if size > LONGEST_RECORD_BYTES:
        return _Unit(data[:_EXCERPT_BYTES], size, Reason.RECORD_TOO_LONG)
    return _Unit(data, size)


def _quoted(lines: Iterator[_Unit]) -> Iterator[_Unit]:
    """Join lines while a quote is open: after each complete CSV record the number of quotes is even.

    A quote that is never closed would swallow what follows: the rest of the file, or all up to the next quote
    that opens. So if no record comes of it, or one longer than any may be, the line it stands in is named as
    malformed and the search starts again at the next.
    """
    again: deque[_Unit] = deque()
    pending: list[_Unit] = []
    quotes = size = 0
    while True:
        line = again.popleft() if again else next(lines, None)
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
                    yield _line([whole], size)
                    pending, quotes, size = [], 0, 0
                    continue
            elif size <= LONGEST_RECORD_BYTES:
                continue
            line = None
        first, *rest = pending
        yield replace(first, problem=Reason.UNCLOSED_QUOTE)
        again.extendleft(reversed(rest if line is None else [*rest, line]))
        pending, quotes, size = [], 0, 0
