"""Compare bucket, ledger and warehouse: plain values in, differences out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gluebook.core.claiming import is_abandoned
from gluebook.core.differences import Difference, Kind
from gluebook.core.loading import loaded, retry_status
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.sql.warehouse import LOADS
from gluebook.core.states import OPEN_STATES, BatchState, FileState

# Longer than files wait while their dataset is being processed, and short enough to report the same day.
FILE_OVERDUE_AFTER = timedelta(hours=1)
# A load takes minutes, and the schedule runs every five.
LOAD_OVERDUE_AFTER = timedelta(minutes=20)

# (key, version id)
VersionKey = tuple[str, str]


@dataclass(frozen=True)
class Load:
    """A row of `etl_loads`."""

    batch_id: str
    generation: int
    dataset: str
    curated: int
    merged: int
    superseded: int
    retracted: int


def loads_sql() -> str:
    """All loads in `etl_loads`, oldest first; columns as in `Load`."""
    return (
        "select batch_id, generation, dataset, rows_curated, rows_merged, rows_superseded, rows_retracted "
        f"from {LOADS} order by load_number"
    )


def missing_objects(
    files: Iterable[FileVersion], batches: Mapping[str, Batch], listed: Collection[VersionKey]
) -> list[Difference]:
    """File versions that must still be read and are missing from the bucket.

    `listed`: (key, version id) of the objects, listed after `files` were read; otherwise versions that arrived in
    between count as missing. Versions that were processed may be deleted.
    """
    return [
        Difference(Kind.VANISHED, file.key, f"version {file.version_id}, {file.state}")
        for file in files
        if (file.key, file.version_id) not in listed and must_be_read(file, batches)
    ]


def must_be_read(file: FileVersion, batches: Mapping[str, Batch]) -> bool:
    """Whether a run still has to read the file version; `batches` are those that carry it."""
    batch = batches.get(file.batch_id or "")
    carried = file.state is FileState.CLAIMED and batch is not None and batch.state is BatchState.CLAIMED
    return file.state is FileState.PENDING or carried


def overdue_files(pending: Iterable[FileVersion], dataset: str, now: datetime) -> list[Difference]:
    """One difference if files of a dataset wait too long."""
    late = [file for file in pending if _since(file.waits_since, now) > FILE_OVERDUE_AFTER]
    if not late:
        return []
    oldest = min(file.waits_since for file in late)
    return [
        Difference(
            Kind.OVERDUE_FILES, dataset, f"{len(late)} file versions, the oldest since {oldest}", dataset
        )
    ]


def unmarked_files(files: Iterable[FileVersion], pending: Iterable[FileVersion]) -> list[Difference]:
    """PENDING files without the marker that runs read."""
    marked = {file.file_id for file in pending}
    return [
        Difference(Kind.UNMARKED, file.key, f"version {file.version_id}")
        for file in files
        if file.state is FileState.PENDING and file.file_id not in marked
    ]


def overdue_corrections(dataset: str, corrections: int, under_way: bool) -> list[Difference]:
    """One difference if corrections are open although no batch of the dataset is."""
    if not corrections or under_way:
        return []
    return [Difference(Kind.OVERDUE_CORRECTIONS, dataset, f"{corrections} files", dataset)]


def stuck_batches(batches: Iterable[Batch], now: datetime) -> list[Difference]:
    """Open batches that make no progress."""
    found = []
    for batch in batches:
        if is_abandoned(batch, int(now.timestamp())):
            ended = datetime.fromtimestamp(batch.lease_until, tz=now.tzinfo)
            when = f"its lease expired at {ended:%Y-%m-%d %H:%M}" if batch.lease_until else "without a lease"
            found.append(_of(batch, Kind.ABANDONED, f"{batch.state}, {when}"))
        late = _since(batch.changed_at or batch.created_at, now) > LOAD_OVERDUE_AFTER
        if batch.state is BatchState.CURATED and batch.failed_loads > 1:
            found.append(_of(batch, Kind.LOAD_FAILING, f"{retry_status(batch)}: {batch.reason}"))
        elif batch.state in (BatchState.CURATED, BatchState.LOADING) and late:
            found.append(_of(batch, Kind.UNLOADED, f"{batch.state} since {batch.changed_at}"))
    return found


def load_differences(batches: Mapping[str, Batch], loads: Sequence[Load]) -> list[Difference]:
    """Compare the ledger's batches with all loads of the warehouse; `loads` in the order of `etl_loads`.

    Loads must be read after the batches.
    """
    noted: dict[str, list[Load]] = {}
    for load in loads:
        noted.setdefault(load.batch_id, []).append(load)
    found = []
    for batch in batches.values():
        if batch.state is BatchState.LOADED:
            found += _against_loads(batch, noted.get(batch.batch_id, []))
    for batch_id, its in noted.items():
        found += _not_loaded(batch_id, its, batches.get(batch_id))
    return found


def _against_loads(batch: Batch, loads: Sequence[Load]) -> list[Difference]:
    if all(load.generation != batch.generation for load in loads):
        return [
            _of(batch, Kind.NOT_IN_WAREHOUSE, f"generation {batch.generation}, {batch.merged} rows merged")
        ]
    expected = _expected(batch, loads)
    if _counts(expected) == _counts(batch):
        return []
    names = ("curated", "merged", "superseded", "retracted")
    parts = [
        f"{name} {mine}, etl_loads {theirs}"
        for name, mine, theirs in zip(names, _counts(batch), _counts(expected), strict=True)
        if mine != theirs
    ]
    return [_of(batch, Kind.OTHER_COUNTS, "ledger: " + "; ".join(parts))]


def _expected(batch: Batch, loads: Sequence[Load]) -> Batch:
    """The batch as the ledger should have it after these loads, in order."""
    expected = replace(batch, merged=0, superseded=0, retracted=0)
    first = {load.generation: load for load in reversed(loads) if load.generation <= batch.generation}
    for generation, load in sorted(first.items()):
        at_load = replace(expected, generation=generation, counts=Counts(curated=load.curated))
        expected = loaded(at_load, load.merged, load.superseded, load.retracted)
    return expected


def _counts(batch: Batch) -> tuple[int, int, int, int]:
    return batch.counts.curated, batch.merged, batch.superseded, batch.retracted


def _not_loaded(batch_id: str, loads: Sequence[Load], batch: Batch | None) -> list[Difference]:
    """Loads without a matching batch. A later generation of the batch explains an earlier one."""
    newest = max(loads, key=lambda load: load.generation)
    row = f"generation {newest.generation}, {newest.merged} rows merged"
    if batch is None:
        detail = f"{row}; the ledger lacks the batch"
        return [Difference(Kind.NOT_LOADED, batch_id, detail, newest.dataset, batch_id)]
    ahead = newest.generation > batch.generation
    unexplained = newest.generation == batch.generation and not (
        # Committed, and not yet recorded in the ledger: no difference.
        batch.state is BatchState.LOADED or batch.state in OPEN_STATES
    )
    if not ahead and not unexplained:
        return []
    return [_of(batch, Kind.NOT_LOADED, f"{row}; ledger: {batch.state}, generation {batch.generation}")]


def _of(batch: Batch, kind: Kind, detail: str) -> Difference:
    return Difference(kind, batch.batch_id, detail, batch.dataset, batch.batch_id)


def _since(at: str, now: datetime) -> timedelta:
    return now - datetime.fromisoformat(at)


def drift_differences(
    dataset: str, table_rows: int, noted_rows: int | None, doubled_loads: int, doubled_keys: int
) -> list[Difference]:
    """Differences between a dataset's table and its load log."""
    found = []
    if table_rows != (noted_rows or 0):
        found.append(f"{table_rows} rows, {noted_rows or 0} after the last load")
    if doubled_loads:
        found.append(f"{doubled_loads} loads are recorded more than once")
    if doubled_keys:
        found.append(f"{doubled_keys} keys have more than one row")
    return [Difference(Kind.DRIFT, dataset, what, dataset) for what in found]
