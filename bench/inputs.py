"""Raw files for the benchmark: real lines, repeated with other days and keys, and a few faults. Deterministic.

The real lines lie beside the checkout, in `shared/data`, and are not part of this repository. Every 997th record is
broken, every 101st is there twice, every 13th names an e-mail address and every 53rd log line a bearer token.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SINGLE_LINES = 445
_LINES_PER_SMALL_FILE = 10
_BROKEN, _TWICE, _ADDRESS, _TOKEN = 997, 101, 13, 53
_DATE = b'{"t":{"$date":"'
_DATE_END = len(_DATE) + len("2023-09-23")
_MESSAGE = b'"msg":"'
_KEYS_PER_CYCLE = 10_000_000
_NUMBER_BEGINS, _STATE, _UPDATED, _SYMPTOM = "INC", 1, 13, 18


@dataclass(frozen=True)
class Input:
    """One kind of input. `sizes`: numbers of records in the full run; `write(real lines, records, folder)`."""

    title: str
    dataset: str
    source: str
    real: str
    sizes: tuple[int, ...]
    write: Callable[[list[bytes], int, Path], None]


class NoRealData(Exception):
    """The real lines are not on this machine; the message says where they are expected."""


def make(name: str, records: int, folder: Path) -> tuple[Path, ...]:
    """Write the input `name` of about `records` records into the folder; the files, in order. Raises NoRealData."""
    kind = INPUTS[name]
    real = REAL_DATA / kind.real
    if not real.is_file():
        raise NoRealData(f"input {name} is skipped: there is no {real}")
    with gzip.open(real) as file:
        lines = file.read().splitlines()
    kind.write(lines, records, folder)
    return tuple(sorted(folder.iterdir()))


def log_lines(real: list[bytes]) -> Iterator[bytes]:
    """Endless log lines: each round over the real ones is a day later."""
    return _with_copies(_log_line(real[n % len(real)], n, n // len(real)) for n in _numbers())


def ticket_lines(real: list[bytes]) -> Iterator[bytes]:
    """Endless CSV records: each round over the real ones has incident numbers of its own."""
    return _with_copies(_ticket_line(real[n % len(real)], n, n // len(real)) for n in _numbers())


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _with_copies(lines: Iterator[bytes]) -> Iterator[bytes]:
    for number, line in enumerate(lines, 1):
        yield line
        if number % _TWICE == 0:
            yield line


def _log_line(line: bytes, number: int, later: int) -> bytes:
    day = date.fromisoformat(line[len(_DATE) : _DATE_END].decode()) + timedelta(days=later)
    added = b""
    if number % _ADDRESS == 0:
        added += f"for ada.k{number}@example.org: ".encode()
    if number % _TOKEN == 0:
        added += f"Authorization: Bearer c2VjcmV0{number:08d}: ".encode()
    line = _DATE + day.isoformat().encode() + line[_DATE_END:].replace(_MESSAGE, _MESSAGE + added, 1)
    if number % _BROKEN:
        return line
    kind = number // _BROKEN % 3
    if kind == 0:
        return line[: len(line) // 2]
    return line.replace(b'"s":"I"', b'"s":"Q"', 1) if kind == 1 else line.replace(_DATE, _DATE + b"the ", 1)


def _ticket_line(line: bytes, number: int, later: int) -> bytes:
    fields = line.decode().split(",")
    key = int(fields[0].removeprefix(_NUMBER_BEGINS)) + later * _KEYS_PER_CYCLE
    fields[0] = f"{_NUMBER_BEGINS}{key:07d}"
    if number % _ADDRESS == 0:
        fields[_SYMPTOM] += f" reported by ada.k{number}@example.org"
    if number % _BROKEN == 0:
        kind = number // _BROKEN % 3
        if kind == 0:
            fields = fields[:-2]
        elif kind == 1:
            fields[_STATE] = "Lost"
        else:
            fields[_UPDATED] = "soon"
    return ",".join(fields).encode()


def _write_logs(real: list[bytes], records: int, folder: Path) -> None:
    _write(folder / "mongod.jsonl", islice(log_lines(real), records))


def _write_small_logs(real: list[bytes], records: int, folder: Path) -> None:
    lines = islice(log_lines(real), records)
    number = 0
    while block := list(islice(lines, _LINES_PER_SMALL_FILE)):
        number += 1
        _write(folder / f"mongod-{number:05d}.jsonl", iter(block))


def _write_tickets(real: list[bytes], records: int, folder: Path) -> None:
    header, *rest = real
    with_header = (line for part in ((header,), islice(ticket_lines(rest), records)) for line in part)
    _write(folder / "incidents.csv", with_header)


def _write(path: Path, lines: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)


_LOGS, _TICKETS = "logs/mongod.jsonl.gz", "tickets/servicenow_incidents.csv.gz"
INPUTS = {
    "mongod": Input(
        "MongoDB log lines in one file", "app_logs", "mongod", _LOGS, (1_000_000, 5_000_000), _write_logs
    ),
    "servicenow": Input(
        "ServiceNow revisions in one file",
        "support_tickets",
        "servicenow",
        _TICKETS,
        (1_000_000,),
        _write_tickets,
    ),
    "small-files": Input(
        f"MongoDB log lines, {_LINES_PER_SMALL_FILE} in a file",
        "app_logs",
        "mongod",
        _LOGS,
        (10_000,),
        _write_small_logs,
    ),
    "single": Input(
        f"one small file of {SINGLE_LINES} MongoDB log lines",
        "app_logs",
        "mongod",
        _LOGS,
        (SINGLE_LINES,),
        _write_logs,
    ),
}
