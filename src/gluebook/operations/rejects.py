"""Rejects: quarantined records and their reasons, read from the Parquet file by file."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gluebook.aws.ports import ObjectsPort
from gluebook.contracts import CONTRACTS, QUARANTINE, contract
from gluebook.core.keys import Lake, OutsideConvention, parse_raw_key
from gluebook.errors import ConfigurationError
from gluebook.sources import source_names

COLUMNS = tuple(column.name for column in QUARANTINE)
_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, order=True)
class Reject:
    """One quarantined record, ordered by file and record. `raw`: its text, with personal data masked."""

    key: str
    version_id: str
    record: int
    dataset: str
    source: str
    reason: str
    batch_id: str
    raw: str


@dataclass(frozen=True)
class RejectFilter:
    """Selects rejects; None selects all. `since`, `until`: dates of arrival, YYYY-MM-DD, both included."""

    dataset: str | None = None
    source: str | None = None
    reason: str | None = None
    key: str | None = None
    batch_id: str | None = None
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        """Raises ConfigurationError for an unknown dataset or source, or dates in the wrong order."""
        if self.dataset is not None:
            contract(self.dataset)
        known = {source for one in self.datasets for source in source_names(one)}
        if self.source is not None and self.source not in known:
            raise ConfigurationError(f"no source {self.source!r}; there are {', '.join(sorted(known))}")
        if self.since and self.until and self.since > self.until:
            raise ConfigurationError(f"--from {self.since} is after --to {self.until}")

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets to read."""
        return (self.dataset,) if self.dataset is not None else tuple(CONTRACTS)

    def matches(self, reject: Reject) -> bool:
        """Whether the reject is selected."""
        exact = ((self.source, reject.source), (self.reason, reject.reason), (self.key, reject.key))
        if any(wanted not in (None, found) for wanted, found in exact):
            return False
        if self.batch_id not in (None, reject.batch_id):
            return False
        arrived = _arrival(reject.key)
        return (self.since or "") <= arrived and (self.until is None or arrived <= self.until)


@dataclass(frozen=True)
class Tally:
    """Numbers of records and files with one reason."""

    dataset: str
    source: str
    reason: str
    records: int
    files: int


@dataclass(frozen=True)
class Rejects:
    """The selected rejects: their numbers, and the first of them."""

    tallies: tuple[Tally, ...]
    first: tuple[Reject, ...]

    @property
    def records(self) -> int:
        """Number of selected rejects."""
        return sum(tally.records for tally in self.tallies)


def _arrival(key: str) -> str:
    parsed = parse_raw_key(key)
    return "" if isinstance(parsed, OutsideConvention) else parsed.dt.isoformat()


def summarise(rejects: Iterable[Reject], limit: int) -> Rejects:
    """Count rejects by dataset, source and reason, and keep the first `limit` by file and record."""
    records: dict[tuple[str, str, str], int] = {}
    files: dict[tuple[str, str, str], set[tuple[str, str]]] = {}

    def counted() -> Iterator[Reject]:
        for reject in rejects:
            of = (reject.dataset, reject.source, reject.reason)
            records[of] = records.get(of, 0) + 1
            files.setdefault(of, set()).add((reject.key, reject.version_id))
            yield reject

    # All of them are counted, even if none is kept.
    first = heapq.nsmallest(max(limit, 1), counted())[:limit]
    tallies = (Tally(*of, records[of], len(files[of])) for of in sorted(records))
    return Rejects(tuple(tallies), tuple(first))


def find_rejects(wanted: RejectFilter, objects: ObjectsPort, lake: Lake, limit: int) -> Rejects:
    """Search the quarantine, file by file. Raises ConfigurationError for a negative `limit`."""
    if limit < 0:
        raise ConfigurationError(f"--limit {limit}: it must not be negative")
    return summarise(filter(wanted.matches, read_rejects(wanted, objects, lake)), limit)


def read_rejects(wanted: RejectFilter, objects: ObjectsPort, lake: Lake) -> Iterator[Reject]:
    """All rejects of the selected datasets and batch; the other criteria are not applied. Raises ClientError."""
    with tempfile.TemporaryDirectory(prefix="gluebook-rejects-") as folder:
        path = Path(folder) / "rejects.parquet"
        for dataset in wanted.datasets:
            batch = wanted.batch_id
            prefix = lake.quarantine(dataset, batch) if batch else lake.quarantined(dataset)
            for key in sorted(objects.sizes(lake.bucket, prefix)):
                objects.download(lake.bucket, key, path)
                yield from _read(path)


def _read(path: Path) -> Iterator[Reject]:
    import pyarrow.parquet as pq  # slow to import

    for batch in pq.ParquetFile(path).iter_batches(_ROWS_AT_ONCE, columns=list(COLUMNS)):
        for row in batch.to_pylist():
            yield _reject(row)


def _reject(row: dict[str, Any]) -> Reject:
    return Reject(
        key=row["_source_file"],
        version_id=row["_source_version"],
        record=row["_source_record"],
        dataset=row["dataset"],
        source=row["source"],
        reason=row["reason"],
        batch_id=row["_batch_id"],
        raw=row["raw"] or "",
    )
