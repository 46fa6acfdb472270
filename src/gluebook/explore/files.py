"""Raw files on this machine: where they are, which source wrote them, what their bytes look like."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from gluebook.contracts.reasons import Reason
from gluebook.errors import ConfigurationError
from gluebook.sample import TRUTH_FILE, Request, iter_files, write_files
from gluebook.sources import all_sources
from gluebook.sources.csv_fields import header_names
from gluebook.sources.fields import Malformed
from gluebook.sources.framing import BadFile, Framer, Layout, Record
from gluebook.sources.model import Source
from gluebook.sources.reading import ParsedRecord, parsed

SAMPLE_FOLDER = Path("build", "sample")
_PROJECT_FILE = "pyproject.toml"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class RawFile:
    """A file as it arrived; `name` is its path below the folder that was looked through.

    `source` is the one whose layout it has, by its header or first line. It is None, and `why` says why, if
    there is no such source, or if the file can't be read to its end.
    """

    path: Path
    name: str
    source: Source | None
    header: str | None = None
    records: int = 0
    why: str = ""

    @property
    def short_name(self) -> str:
        """The last folder and the file, which is enough to tell a dataset's files apart."""
        return "/".join(Path(self.name).parts[-2:])


def find(folder: str, dataset: str) -> list[RawFile]:
    """The files to look at, by name: those below `folder`, or the sample's of `dataset` if that is empty.

    The sample is made once, in `build/sample` of the project, or of the working directory outside of it. Raises
    ConfigurationError if there is no file.
    """
    top = Path(folder).expanduser() if folder else _sample()
    below = top / dataset if (top / dataset).is_dir() else top
    paths = [path for path in sorted(below.rglob("*")) if path.is_file() and path.name != TRUTH_FILE]
    if not paths:
        raise ConfigurationError(f"there are no files in {below.resolve()}; say in `folder` where yours are")
    return [_look_at(path, path.relative_to(top).as_posix(), dataset) for path in paths]


def truth(folder: str) -> dict[str, Any] | None:
    """What the generator says of the sample; None for a folder of files that nobody knows the truth about."""
    path = (Path(folder).expanduser() if folder else _sample()) / TRUTH_FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _sample() -> Path:
    here = Path.cwd()
    root = next((place for place in (here, *here.parents) if (place / _PROJECT_FILE).is_file()), here)
    folder = root / SAMPLE_FOLDER
    if not (folder / TRUTH_FILE).is_file():
        write_files(iter_files(Request()), folder)
    return folder


def _look_at(path: Path, name: str, dataset: str) -> RawFile:
    """Tries the layouts of the dataset's sources; a CSV's header decides, or that a line begins with `{`."""
    try:
        header = _first_line(path)
        for source in all_sources():
            if source.contract.name == dataset and _fits(header, source.layout):
                first = header if source.layout.framing == "csv" else None
                return RawFile(path, name, source, first, sum(1 for _ in records(path, source)))
    except BadFile as bad:
        return RawFile(path, name, None, why=bad.reason)
    return RawFile(path, name, None, why=f"no source of {dataset} has this layout")


def _first_line(path: Path) -> str:
    with path.open("rb") as stream:
        return next((record.raw for record in Framer(stream, Layout("lines"))), "")


def _fits(line: str, layout: Layout) -> bool:
    if layout.framing == "csv":
        with suppress(Malformed):
            return bool(line) and set(layout.required) <= set(header_names(line))
        return False
    return line.lstrip().startswith("{")


def most_common(files: Iterable[RawFile]) -> Source:
    """The source that most of the files are of. Raises ConfigurationError if there is none."""
    counts = Counter(file.source.name for file in files if file.source)
    if not counts:
        raise ConfigurationError(
            "none of the files can be looked into here: see `source` and `why` in the table of files"
        )
    name = counts.most_common(1)[0][0]
    return next(source for source in all_sources() if source.name == name)


def records(path: Path, source: Source) -> Iterator[ParsedRecord]:
    """The records of a file of `source`, cut and parsed by the pipeline's own code. Raises BadFile, as there."""
    with path.open("rb") as stream:
        yield from parsed(Framer(stream, source.layout), source)


def inventory(files: Iterable[RawFile]) -> pd.DataFrame:
    """One row per file: whose it is, how many bytes, how it was written, and its lines, blank lines and records."""
    return pd.DataFrame([_facts(file) for file in files]).set_index("file")


def _facts(file: RawFile) -> dict[str, object]:
    stored = file.path.read_bytes()
    body = unpacked(stored)
    lines = body.split(b"\n")
    return {
        "file": file.short_name,
        "source": file.source.name if file.source else None,
        "bytes": len(stored),
        "gzip": stored[:2] == b"\x1f\x8b",
        "byte order mark": body.startswith(_BOM),
        "line ends": "CRLF" if body.count(b"\r\n") * 2 > len(lines) else "LF",
        "last line ended": body.endswith(b"\n"),
        "lines": len(lines) - (not lines[-1]),
        "blank lines": sum(not line.strip() for line in lines[: -1 if not lines[-1] else None]),
        "records": file.records,
        "why": file.why,
    }


def layouts(files: Iterable[RawFile], source: Source) -> pd.DataFrame:
    """One row of booleans per CSV file: in what it differs from the plain one. Columns stand in the order in which
    most files have them."""
    facts = inventory(files)
    headers = [header_names(file.header or "") for file in files]
    usual = set(source.columns)
    orders = pd.Series([tuple(name for name in names if name in usual) for names in headers])
    odd = {
        "gzip": facts["gzip"],
        "byte\norder mark": facts["byte order mark"],
        "CRLF\nline ends": facts["line ends"] == "CRLF",
        "all values\nquoted": [(file.header or "").startswith('"') for file in files],
        "other order\nof columns": (orders != orders.mode()[0]).to_numpy(),
        "more\ncolumns": [not set(names) <= usual for names in headers],
        "fewer\ncolumns": [not usual <= set(names) for names in headers],
    }
    return pd.DataFrame(odd, index=facts.index)


def beginning(file: RawFile, lines: int, width: int = 110) -> str:
    """The first lines of a file as anyone sees them, long ones cut off."""
    text = unpacked(file.path.read_bytes()).decode("utf-8", "replace")
    shown = text.splitlines()[:lines]
    return "\n".join(line if len(line) <= width else line[: width - 1] + "…" for line in shown)


def unpacked(stored: bytes) -> bytes:
    """The bytes without their gzip, as far as they can be had; for looking at, not for trusting."""
    if stored[:2] == b"\x1f\x8b":
        with suppress(OSError, EOFError, zlib.error):
            return gzip.decompress(stored)
        with suppress(zlib.error):
            return zlib.decompressobj(wbits=31).decompress(stored)
    return stored


def fate(body: bytes, layout: Layout) -> str:
    """How a run would end for a file with these bytes, in the words of the ledger and the quarantine."""
    found: list[Record] = []
    try:
        found += Framer(BytesIO(body), layout)
    except BadFile as bad:
        return f"FAILED: {bad.reason}"
    if not found:
        return f"EMPTY: {Reason.NO_RECORDS if body else Reason.EMPTY_FILE}"
    troubled = [f"record {record.number} is rejected: {record.problem}" for record in found if record.problem]
    return "; ".join([f"{len(found)} records", *troubled])
