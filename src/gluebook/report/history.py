"""The reported days: the summary beside each page, from which the index is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from gluebook.report.model import ReportData
from gluebook.report.verdict import Verdict

# In the lake bucket or a folder: index.html, and a folder for each day with its page.
PREFIX = "reports/"
SUMMARY = "summary.json"
PAGE = "index.html"
_REASONS_KEPT = 3


@dataclass(frozen=True)
class Summary:
    """A summary of a day. `day`: YYYY-MM-DD; the numbers count records, except files and failed_checks."""

    day: str
    verdict: str
    headline: str
    made_at: str
    reasons: tuple[str, ...] = ()
    files: int = 0
    read: int = 0
    curated: int = 0
    duplicates: int = 0
    rejected: int = 0
    failed_checks: int = 0
    # (dataset, batch) of each batch whose Data Docs belong to the day.
    batches: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Summary | None:
        """What `to_json` wrote; None for anything else: one bad file must not spoil the history."""
        try:
            return Summary(
                **{
                    **value,
                    # It is part of a link.
                    "day": date.fromisoformat(value["day"]).isoformat(),
                    "reasons": tuple(str(reason) for reason in value.get("reasons", ())),
                    "batches": tuple((str(d), str(b)) for d, b in value.get("batches", ())),
                    **{name: int(value.get(name, 0)) for name in _NUMBERS},
                }
            )
        except (TypeError, ValueError, AttributeError, KeyError):
            return None


_NUMBERS = ("files", "read", "curated", "duplicates", "rejected", "failed_checks")


def summary(data: ReportData, verdict: Verdict) -> Summary:
    """Summarise the day."""
    counts = data.counts
    return Summary(
        day=data.day.isoformat(),
        verdict=verdict.word.value,
        headline=verdict.headline,
        made_at=data.made_at,
        reasons=tuple(reason.text for reason in verdict.reasons[:_REASONS_KEPT]),
        files=len(data.files),
        read=counts.read,
        curated=counts.curated,
        duplicates=counts.duplicates,
        rejected=counts.rejected,
        failed_checks=sum(len(dataset.failed) for dataset in data.datasets),
        batches=tuple((gated.dataset, gated.batch_id) for gated in data.gated),
    )
