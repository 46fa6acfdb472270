"""The parts of a sample, and its known truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, field
from datetime import date
from typing import Any

TICKETS = "support_tickets"
LOGS = "app_logs"


@dataclass(frozen=True)
class Counts:
    """Records of one file or one dataset; raises ValueError unless read = curated + duplicates + rejected.

    A record is a CSV record below the header, or a non-blank line. `duplicates` does not count the first of equal
    records.
    """

    read: int
    curated: int
    duplicates: int
    rejected: int

    def __post_init__(self) -> None:
        if self.read != self.curated + self.duplicates + self.rejected:
            raise ValueError(f"{self}: read is not curated + duplicates + rejected")

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


NOTHING = Counts(0, 0, 0, 0)


@dataclass(frozen=True)
class SampleFile:
    """One file as it arrives in the raw bucket, with its truth.

    `tally` is what this file adds to the warehouse table once every file is loaded: for tickets `{"status": {..},
    "priority": {..}}` over the incidents whose newest revision is here, for logs `{"level": {..}}`.
    """

    dataset: str
    source: str
    dt: date
    name: str
    body: bytes = field(repr=False)
    truth: Counts
    reject_reasons: Mapping[str, int]
    tally: Mapping[str, Mapping[str, int]]

    @property
    def key(self) -> str:
        return f"{self.dataset}/{self.source}/dt={self.dt:%Y-%m-%d}/{self.name}"


@dataclass(frozen=True)
class FileTruth:
    """The truth of a file, without its bytes."""

    counts: Counts
    reject_reasons: Mapping[str, int]


@dataclass(frozen=True)
class Truth:
    """What a correct pipeline reports after all files of the sample, in any order of arrival.

    `files` is by key, `totals`, `reject_reasons` and `table_rows` by dataset. `table_rows` counts the rows of
    the warehouse table: one per incident (its newest revision), one per distinct log line.
    """

    files: Mapping[str, FileTruth]
    totals: Mapping[str, Counts]
    reject_reasons: Mapping[str, Mapping[str, int]]
    table_rows: Mapping[str, int]
    tickets_by_status: Mapping[str, int]
    tickets_by_priority: Mapping[str, int]
    logs_by_level: Mapping[str, int]

    @classmethod
    def of(cls, files: Iterable[SampleFile]) -> Truth:
        """The truth of all files; reads `files` once and keeps no body."""
        by_key: dict[str, FileTruth] = {}
        totals = {TICKETS: NOTHING, LOGS: NOTHING}
        reasons: dict[str, Counter[str]] = {TICKETS: Counter(), LOGS: Counter()}
        tallies: dict[str, Counter[str]] = {"status": Counter(), "priority": Counter(), "level": Counter()}
        for file in files:
            by_key[file.key] = FileTruth(file.truth, file.reject_reasons)
            totals[file.dataset] += file.truth
            reasons[file.dataset].update(file.reject_reasons)
            for what, counts in file.tally.items():
                tallies[what].update(counts)
        return cls(
            files=by_key,
            totals=totals,
            reject_reasons={dataset: sorted_counts(counts) for dataset, counts in reasons.items()},
            table_rows={TICKETS: tallies["status"].total(), LOGS: tallies["level"].total()},
            tickets_by_status=sorted_counts(tallies["status"]),
            tickets_by_priority=sorted_counts(tallies["priority"]),
            logs_by_level=sorted_counts(tallies["level"]),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain dicts, strings and ints."""
        return asdict(self)


def sorted_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """The same counts with sorted keys."""
    return dict(sorted(counts.items()))


@dataclass(frozen=True)
class Sample:
    """All files in order of arrival, with their truth."""

    files: tuple[SampleFile, ...]
    truth: Truth
