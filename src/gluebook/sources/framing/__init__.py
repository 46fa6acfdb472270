"""Cut a file's bytes into numbered records, checking on the way that the file is what it claims to be.

One pass in bounded memory, one file at a time: gzip, UTF-8, header and size are checked here, so that a broken file
is named before Spark sees it and its neighbours are unaffected. Record numbers and raw text come from here.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gluebook.contracts.reasons import Reason
from gluebook.sources.csv_fields import header_names
from gluebook.sources.fields import Malformed, repeated
from gluebook.sources.framing.cutting import Unit, csv_records, lines
from gluebook.sources.framing.parts import Part, lines_of
from gluebook.sources.framing.unpacking import BadFile as BadFile
from gluebook.sources.framing.unpacking import Stream, unpacked

_BLANK = b" \t\r\n\v\f"


@dataclass(frozen=True)
class Layout:
    """How a source's files are cut.

    framing   "lines": a record is a line. "csv": a record may hold line breaks inside quotes, the first one
              is the header
    required  for csv: the columns without which a file is of another layout
    """

    framing: Literal["lines", "csv"]
    required: tuple[str, ...] = ()


class Record(NamedTuple):
    """One record: its number in the file, from 1 after the header; its text; what is wrong with it, if so."""

    number: int
    raw: str
    problem: Reason | None = None


class Framer:
    """Iterates over the records of one file; header and columns are known once iteration has begun (csv only).

    `part`: only the records of that part of a file of lines, numbered from 1; see `lines_of` for the stream.
    """

    def __init__(self, stream: Stream, layout: Layout, part: Part | None = None) -> None:
        self.header: str | None = None
        self.columns: tuple[str, ...] = ()
        self.records = 0
        self._stream = stream
        self._layout = layout
        self._part = part

    def __iter__(self) -> Iterator[Record]:
        """Yield records in file order. Raises BadFile."""
        is_csv = self._layout.framing == "csv"
        offset, units = self._lines()
        for unit in csv_records(units) if is_csv else units:
            bom = len(codecs.BOM_UTF8) if offset == 0 and unit.data.startswith(codecs.BOM_UTF8) else 0
            data, start = unit.data[bom:], offset + bom
            offset += unit.size
            if not data.strip(_BLANK):
                continue
            # No text has NULs: a crash, a copy under way or another encoding leaves them. Redshift takes none.
            problem = unit.problem or (Reason.MALFORMED if b"\0" in data else None)
            text = _decoded(data, start, unit).rstrip("\r\n")
            if is_csv and self.header is None:
                self.columns = _columns(text, problem, self._layout.required)
                self.header = text
                continue
            self.records += 1
            yield Record(self.records, text, problem)
        if offset and is_csv and self.header is None:
            raise BadFile(Reason.NO_HEADER.because("the file holds nothing but blank lines"))

    def _lines(self) -> tuple[int, Iterator[Unit]]:
        return lines_of(self._stream, self._part) if self._part else (0, lines(unpacked(self._stream)))


def _columns(header: str, problem: Reason | None, required: tuple[str, ...]) -> tuple[str, ...]:
    """The column names of a header that names all `required` ones and none twice. Raises BadFile.

    Columns without a name, as spreadsheets leave them behind the last one, may be many.
    """
    fault = "its lines end in carriage returns alone" if problem is None and "\r" in header else problem
    if fault is not None:
        raise BadFile(Reason.ANOTHER_LAYOUT.because(f"the first line is no header: {fault}"))
    try:
        names = header_names(header)
    except Malformed as error:
        raise BadFile(Reason.ANOTHER_LAYOUT.because(f"the first line is no header: {error}")) from None
    missing = [name for name in required if name not in names]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise BadFile(Reason.ANOTHER_LAYOUT.because(f"the header lacks {', '.join(missing[:5])}{more}"))
    doubled = repeated(filter(None, names))
    if doubled:
        raise BadFile(Reason.ANOTHER_LAYOUT.because(f"the header names {', '.join(doubled)} twice"))
    return names


def _decoded(data: bytes, start: int, unit: Unit) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if unit.problem is Reason.RECORD_TOO_LONG:  # an excerpt may end in the middle of a character
            return data.decode("utf-8", "replace")
        found = f"byte {data[error.start]:#04x} at offset {start + error.start}"
        raise BadFile(Reason.INVALID_UTF8.because(found)) from None
