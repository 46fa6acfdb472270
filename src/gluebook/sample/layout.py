"""The size of a sample, and how its days are divided into files."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Request:
    """The size of a sample. Raises ValueError for an invalid one.

    `tickets` is the number of incidents (each has 1 to 8 revisions, one record each), `log_lines` the number of log
    records, duplicates and rejects included. Each dataset gets `files_per_day` files a day, or more where one would
    exceed `rows_per_file` records. That bounds a log file exactly; ticket files vary by about a half around their
    mean, because revisions arrive late.
    """

    seed: int = 7
    tickets: int = 400
    log_lines: int = 4000
    days: int = 3
    first_day: date = date(2026, 1, 5)
    files_per_day: int = 3
    rows_per_file: int = 50_000

    def __post_init__(self) -> None:
        least = {"tickets": 0, "log_lines": 0, "days": 1, "files_per_day": 2, "rows_per_file": 1}
        for name, minimum in least.items():
            if getattr(self, name) < minimum:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least {minimum}")
        # Every log line has a millisecond of its own, so that any two differ.
        most = self.days * (DAY // MILLISECOND) // 2
        if self.log_lines > most:
            raise ValueError(f"log_lines={self.log_lines}: {self.days} days hold at most {most}; add days")

    def slots(self, rows: int) -> tuple[Slot, ...]:
        """The file slots of a dataset of `rows` records, in order of time."""
        per_day = max(self.files_per_day, -(-rows // (self.days * self.rows_per_file)))
        length = DAY / per_day
        return tuple(
            Slot(day * per_day + number, number, per_day, self.first_day + day * DAY, length)
            for day in range(self.days)
            for number in range(per_day)
        )

    def rng(self, *names: object) -> random.Random:
        """A random generator for one part of the sample, so that parts can be generated in any order."""
        return random.Random("/".join(map(str, (self.seed, *names))))


@dataclass(frozen=True)
class Slot:
    """The part of a day that one file covers; the file arrives at `end`."""

    index: int
    number: int
    per_day: int
    day: date
    length: timedelta

    @property
    def start(self) -> datetime:
        return datetime.combine(self.day, time(), UTC) + self.number * self.length

    @property
    def end(self) -> datetime:
        return self.start + self.length

    @property
    def zipped(self) -> bool:
        return self.index % 2 == 1

    def name(self, stem: str, extension: str) -> str:
        return f"{stem}-{self.number + 1:0{max(2, len(str(self.per_day)))}}.{extension}" + ".gz" * self.zipped

    def pack(self, body: bytes) -> bytes:
        """The bytes as they are stored; gzip without a time, so that they are reproducible."""
        return gzip.compress(body, compresslevel=6, mtime=0) if self.zipped else body


def split_evenly(total: int, parts: int) -> Iterator[int]:
    """`parts` numbers that differ by at most one and add up to `total`."""
    whole, rest = divmod(total, parts)
    return (whole + (part < rest) for part in range(parts))
