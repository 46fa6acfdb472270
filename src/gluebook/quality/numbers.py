"""The numbers of a batch, as the one row that its second suite evaluates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from gluebook.core.model import Counts

# Column -> its name in a sentence of the report. Shares are 0 to 100, of the records read.
NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        "files": "number of files whose records were read",
        "read": "number of records read",
        "curated": "number of curated rows",
        "duplicates": "number of duplicates",
        "rejected": "number of rejected records",
        "curated_percent": "percentage of curated records",
        "duplicates_percent": "percentage of duplicates",
        "rejected_percent": "percentage of rejected records",
        "newest_age_hours": "number of hours from the newest row to the end of the day of arrival",
    }
)


def batch_numbers(
    files: int, counts: Counts, newest_at: datetime | None, arrived: str | None
) -> dict[str, float | None]:
    """The numbers of a batch, by the names in NUMBERS.

    `newest_at`: the time of the newest row, UTC; `arrived`: the last date of arrival, YYYY-MM-DD. The age is null
    if one of them is. It depends on the date of arrival and not on the clock, so a replay gives the same verdict.
    """

    def share(rows: int) -> float | None:
        return 100 * rows / counts.read if counts.read else None

    return {
        "files": files,
        "read": counts.read,
        "curated": counts.curated,
        "duplicates": counts.duplicates,
        "rejected": counts.rejected,
        "curated_percent": share(counts.curated),
        "duplicates_percent": share(counts.duplicates),
        "rejected_percent": share(counts.rejected),
        "newest_age_hours": _age_hours(newest_at, arrived),
    }


def _age_hours(newest_at: datetime | None, arrived: str | None) -> float | None:
    if newest_at is None or arrived is None:
        return None
    # A day is added to the age and not to the date, which may be the largest one.
    start = datetime.fromisoformat(arrived).replace(tzinfo=UTC)
    age = start - newest_at.replace(tzinfo=newest_at.tzinfo or UTC)
    return (age + timedelta(days=1)) / timedelta(hours=1)
