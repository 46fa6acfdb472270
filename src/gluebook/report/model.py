"""The report of a day as plain values. Nothing here reads or draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gluebook.contracts import CONTRACTS
from gluebook.core.model import Counts
from gluebook.operations.status import FileStatus

NOT_NULL = "expect_column_values_to_not_be_null"


@dataclass(frozen=True)
class Reject:
    """An example of a reject: its masked and shortened text, and its place."""

    file: str
    record: str
    text: str


@dataclass(frozen=True)
class RejectReason:
    """A reason for rejects, with their number and a few examples."""

    reason: str
    records: int
    examples: tuple[Reject, ...] = ()


@dataclass(frozen=True)
class Check:
    """One expectation, over all batches of the day that were checked for it.

    sentence        the expectation in words
    failed_in       batches that failed it, of `batches`
    percent         0..100 of the rows that it applies to, of the worst batch; None if it is not about rows
    examples        at most ten rows that break it, column -> text
    """

    sentence: str
    expectation: str
    column: str
    severity: str
    batches: int
    failed_in: int
    unexpected_rows: int | None = None
    percent: float | None = None
    mostly: float = 1.0
    observed: str = ""
    notes: str = ""
    examples: tuple[Mapping[str, str | None], ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every batch passed it."""
        return self.failed_in == 0


@dataclass(frozen=True)
class Gated:
    """A batch that the gate has evaluated. `newest_at`: the time of its newest row, ISO 8601, or ""."""

    batch_id: str
    dataset: str
    checked_at: str
    passed: bool
    rows: int
    newest_at: str = ""

    @property
    def page(self) -> str:
        """Where its Data Docs are, from the day's page."""
        return f"expectations/{self.dataset}/{self.batch_id}.html"


@dataclass(frozen=True)
class Lineage:
    """The path of one file version: raw key, batch, manifest, Parquet files, table, and its state."""

    file: str
    batch_id: str
    manifest: str
    parquet: tuple[str, ...]
    table: str
    state: str
    loaded: int


@dataclass(frozen=True)
class DatasetDay:
    """A dataset on the day: its files, checks and rejects."""

    dataset: str
    files: tuple[FileStatus, ...] = ()
    gated: tuple[Gated, ...] = ()
    checks: tuple[Check, ...] = ()
    rejects: tuple[RejectReason, ...] = ()
    # Published batches of the day's files that have no report of the gate.
    unchecked: tuple[str, ...] = ()

    @property
    def counts(self) -> Counts:
        """Of all files of the day."""
        return sum((file.counts for file in self.files), Counts())

    @property
    def usable(self) -> float | None:
        """The share (0..1) of the records that are curated or duplicates. None if none was read."""
        counts = self.counts
        return (counts.curated + counts.duplicates) / counts.read if counts.read else None

    @property
    def loaded(self) -> int:
        """Rows of the day that are in the warehouse."""
        return sum(file.loaded for file in self.files)

    @property
    def states(self) -> dict[str, int]:
        """Number of file versions by state, in alphabetical order."""
        return dict(sorted(Counter(file.state for file in self.files).items()))

    @property
    def newest_at(self) -> str:
        """The time of the newest row, ISO 8601; "" if it is not known."""
        return max((gated.newest_at for gated in self.gated), default="")

    @property
    def failed(self) -> tuple[Check, ...]:
        """The expectations that a batch failed, the most severe first."""
        order = {"critical": 0, "warning": 1, "info": 2}
        return tuple(sorted((c for c in self.checks if not c.passed), key=lambda c: order.get(c.severity, 3)))

    @property
    def filled(self) -> tuple[Check, ...]:
        """The expectations that a column is not null."""
        return tuple(check for check in self.checks if check.expectation == NOT_NULL)


@dataclass(frozen=True)
class Trend:
    """The numbers of a batch in the warehouse."""

    batch_id: str
    dataset: str
    checked_at: str
    counts: Counts
    critical: int = 0
    warnings: int = 0


@dataclass(frozen=True)
class TicketsOpened:
    """Tickets opened on a day (YYYY-MM-DD) with a priority."""

    day: str
    priority: str
    tickets: int


@dataclass(frozen=True)
class ServiceErrors:
    """Log lines of a service on a day (YYYY-MM-DD), and how many of them are errors."""

    day: str
    service: str
    lines: int
    errors: int


@dataclass(frozen=True)
class Answers:
    """The warehouse's answers; `problems`: by section, why it could not be queried."""

    trends: tuple[Trend, ...] = ()
    tickets: tuple[TicketsOpened, ...] = ()
    services: tuple[ServiceErrors, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportData:
    """Everything that the report of a day says. `made_at`: ISO 8601, UTC."""

    day: date
    made_at: str
    datasets: tuple[DatasetDay, ...]
    answers: Answers = field(default_factory=Answers)
    lineage: tuple[Lineage, ...] = ()
    # File versions of other days that a person should look at.
    elsewhere: tuple[FileStatus, ...] = ()

    @property
    def files(self) -> tuple[FileStatus, ...]:
        """All file versions of the day."""
        return tuple(file for dataset in self.datasets for file in dataset.files)

    @property
    def counts(self) -> Counts:
        """Of all files of the day."""
        return sum((dataset.counts for dataset in self.datasets), Counts())

    @property
    def gated(self) -> tuple[Gated, ...]:
        """All batches of the day that the gate has evaluated."""
        return tuple(gated for dataset in self.datasets for gated in dataset.gated)


def title_of(dataset: str) -> str:
    """The dataset's title; its name if there is no such dataset."""
    return CONTRACTS[dataset].title if dataset in CONTRACTS else dataset
