"""The gate's report on a batch, stored as JSON and as rows of the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gluebook.core.model import Counts

# Example rows of an expectation that failed.
MOST_EXAMPLES = 10

Example = dict[str, str | None]


@dataclass(frozen=True)
class Outcome:
    """The outcome of one expectation.

    suite               `<dataset>` for rows, `<dataset>.batch` for the batch's numbers
    column              the columns it evaluates, comma-separated; "" for the table
    unexpected_rows     rows that break it; None if it is not about rows, or can't be evaluated
    unexpected_percent  0 to 100, of the rows it applies to; None if there are none
    observed            what was found instead, or why it can't be evaluated; "" if rows break it: see `examples`
    notes               why it is expected
    examples            at most ten of the rows that break it: key, evaluated columns and provenance, as text
    """

    suite: str
    expectation: str
    column: str
    kwargs: Mapping[str, Any]
    severity: str
    passed: bool
    unexpected_rows: int | None = None
    unexpected_percent: float | None = None
    observed: str = ""
    notes: str = ""
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class GateReport:
    """The outcomes of the suites on a batch.

    rows       curated rows that were checked
    newest_at  the time of the newest row; None if no row has one
    """

    dataset: str
    batch_id: str
    generation: int
    checked_at: str
    rows: int
    files: int
    counts: Counts
    newest_at: datetime | None
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """Whether the batch may be published: no critical expectation failed."""
        return not any(o.severity == "critical" for o in self.failed)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes of the expectations that failed, of any severity, critical ones first."""
        found = (outcome for outcome in self.outcomes if not outcome.passed)
        return tuple(sorted(found, key=lambda o: o.severity != "critical"))

    def summary(self) -> str:
        """One line: which expectations failed, and by how much; critical ones first."""
        return "; ".join(
            f"{o.severity}: {o.expectation} of {o.column or 'the table'}{_share(o)}" for o in self.failed
        )

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        newest = self.newest_at.isoformat(timespec="seconds") if self.newest_at else None
        return {**asdict(self), "newest_at": newest, "passed": self.passed}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> GateReport:
        """The stored report. Raises KeyError for one of an earlier version, which has fewer fields."""
        values = {name: stored[name] for name in cls.__dataclass_fields__}
        outcomes = tuple(
            replace(Outcome(**outcome), examples=tuple(outcome["examples"])) for outcome in stored["outcomes"]
        )
        newest = datetime.fromisoformat(stored["newest_at"]) if stored["newest_at"] else None
        return cls(
            **{**values, "counts": Counts(**stored["counts"]), "newest_at": newest, "outcomes": outcomes}
        )

    def rows_for_warehouse(self) -> list[dict[str, Any]]:
        """A row per outcome, with the names of `DQ_COLUMNS`; times in UTC, without a zone."""
        batch = {
            "batch_id": self.batch_id,
            "generation": self.generation,
            "dataset": self.dataset,
            "checked_at": _naive(datetime.fromisoformat(self.checked_at)),
            "files": self.files,
            "rows_read": self.counts.read,
            "rows_curated": self.counts.curated,
            "rows_duplicates": self.counts.duplicates,
            "rows_rejected": self.counts.rejected,
            "newest_at": _naive(self.newest_at) if self.newest_at else None,
            "batch_passed": self.passed,
        }
        return [
            {
                **batch,
                "suite": o.suite,
                "expectation": o.expectation,
                "column_name": o.column or None,
                "severity": o.severity,
                "passed": o.passed,
                "unexpected_rows": o.unexpected_rows,
            }
            for o in self.outcomes
        ]


def _share(outcome: Outcome) -> str:
    if outcome.unexpected_percent is None:
        return f" (found {outcome.observed})" if outcome.observed else ""
    return f" ({outcome.unexpected_rows:,} rows, {outcome.unexpected_percent:.3g} %)"


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
