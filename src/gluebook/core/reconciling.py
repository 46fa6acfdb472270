"""Bucket, ledger and warehouse against each other: plain values in, differences out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gluebook.core.claiming import is_abandoned
from gluebook.core.differences import Difference, Kind
from gluebook.core.loading import loaded, waiting_told
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.sql.warehouse import LOADS
from gluebook.core.states import OPEN_STATES, BatchState, FileState

# Longer than any file waits while something works on its dataset, short enough to be reported the same day.
FILE_OVERDUE_AFTER = timedelta(hours=1)
# A load takes minutes, and the schedule looks every five.
LOAD_OVERDUE_AFTER = timedelta(minutes=20)

Place = tuple[str, str]


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
    """All loads that the warehouse has noted, the first first; columns as in `Load`."""
    return (
        "select batch_id, generation, dataset, rows_curated, rows_merged, rows_superseded, rows_retracted "
        f"from {LOADS} order by load_number"
    )


def missing_objects(
    files: Iterable[FileVersion], batches: Mapping[str, Batch], listed: Collection[Place]
) -> list[Difference]:
    """File versions that still have to be read, and are not in the bucket any more.

    `listed`: (key, version id) of what is there; listed after `files` were read, or what came in between is
    missing. Files that are settled may be deleted by anyone.
    """
    return [
        Difference(Kind.VANISHED, file.key, f"version {file.version_id}, {file.state}")
        for file in files
        if (file.key, file.version_id) not in listed and has_to_be_read(file, batches)
    ]


def has_to_be_read(file: FileVersion, batches: Mapping[str, Batch]) -> bool:
    """Whether a run still has to read the file version; `batches` are those that carry it."""
    batch = batches.get(file.batch_id or "")
    carried = file.state is FileState.CLAIMED and batch is not None and batch.state is BatchState.CLAIMED
    return file.state is FileState.PENDING or carried


def overdue_files(pending: Iterable[FileVersion], dataset: str, now: datetime) -> list[Difference]:
    """One difference if files of a dataset wait for too long."""
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
    """PENDING files that aren't among those that runs look at."""
    marked = {file.file_id for file in pending}
    return [
        Difference(Kind.UNMARKED, file.key, f"version {file.version_id}")
        for file in files
        if file.state is FileState.PENDING and file.file_id not in marked
    ]


def overdue_corrections(dataset: str, corrections: int, under_way: bool) -> list[Difference]:
    """One difference if corrections are left though nothing of the dataset is under way."""
    if not corrections or under_way:
        return []
    return [Difference(Kind.OVERDUE_CORRECTIONS, dataset, f"{corrections} files", dataset)]


def stuck_batches(batches: Iterable[Batch], now: datetime) -> list[Difference]:
    """Open batches for which nobody seems to do anything."""
    found = []
    for batch in batches:
        if is_abandoned(batch, int(now.timestamp())):
            ended = datetime.fromtimestamp(batch.lease_until, tz=now.tzinfo)
            when = f"its lease ended at {ended:%Y-%m-%d %H:%M}" if batch.lease_until else "nobody holds it"
            found.append(_of(batch, Kind.ABANDONED, f"{batch.state}, {when}"))
        late = _since(batch.changed_at or batch.created_at, now) > LOAD_OVERDUE_AFTER
        if batch.state is BatchState.CURATED and batch.failed_loads > 1:
            found.append(_of(batch, Kind.LOAD_FAILING, f"{waiting_told(batch)}: {batch.reason}"))
        elif batch.state in (BatchState.CURATED, BatchState.LOADING) and late:
            found.append(_of(batch, Kind.UNLOADED, f"{batch.state} since {batch.changed_at}"))
    return found


def load_differences(batches: Mapping[str, Batch], loads: Sequence[Load]) -> list[Difference]:
    """The ledger's batches against all loads of the warehouse; `loads` in the order in which they were noted.

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
    due = _as_loaded(batch, loads)
    if _counts(due) == _counts(batch):
        return []
    names = ("curated", "merged", "superseded", "retracted")
    parts = [
        f"{name} {mine}, etl_loads {theirs}"
        for name, mine, theirs in zip(names, _counts(batch), _counts(due), strict=True)
        if mine != theirs
    ]
    return [_of(batch, Kind.OTHER_COUNTS, "ledger: " + "; ".join(parts))]


def _as_loaded(batch: Batch, loads: Sequence[Load]) -> Batch:
    """The batch as the ledger should have it after these loads, one after the other."""
    due = replace(batch, merged=0, superseded=0, retracted=0)
    first = {load.generation: load for load in reversed(loads) if load.generation <= batch.generation}
    for generation, load in sorted(first.items()):
        going = replace(due, generation=generation, counts=Counts(curated=load.curated))
        due = loaded(going, load.merged, load.superseded, load.retracted)
    return due


def _counts(batch: Batch) -> tuple[int, int, int, int]:
    return batch.counts.curated, batch.merged, batch.superseded, batch.retracted


def _not_loaded(batch_id: str, loads: Sequence[Load], batch: Batch | None) -> list[Difference]:
    """Loads that the ledger can't explain. An earlier generation is explained by the one after it."""
    newest = max(loads, key=lambda load: load.generation)
    row = f"generation {newest.generation}, {newest.merged} rows merged"
    if batch is None:
        detail = f"{row}; the ledger doesn't know the batch"
        return [Difference(Kind.NOT_LOADED, batch_id, detail, newest.dataset, batch_id)]
    ahead = newest.generation > batch.generation
    given_up = newest.generation == batch.generation and not (
        # Committed, and the ledger doesn't know it yet: no difference.
        batch.state is BatchState.LOADED or batch.state in OPEN_STATES
    )
    if not ahead and not given_up:
        return []
    return [_of(batch, Kind.NOT_LOADED, f"{row}; ledger: {batch.state}, generation {batch.generation}")]


def _of(batch: Batch, kind: Kind, detail: str) -> Difference:
    return Difference(kind, batch.batch_id, detail, batch.dataset, batch.batch_id)


def _since(at: str, now: datetime) -> timedelta:
    return now - datetime.fromisoformat(at)


def drift_differences(
    dataset: str, table_rows: int, noted_rows: int | None, doubled_loads: int, doubled_keys: int
) -> list[Difference]:
    """What is wrong with a dataset's table and its load log, by the numbers that the warehouse gives."""
    said = []
    if table_rows != (noted_rows or 0):
        said.append(f"{table_rows} rows, {noted_rows or 0} after the last load")
    if doubled_loads:
        said.append(f"{doubled_loads} loads are noted twice")
    if doubled_keys:
        said.append(f"{doubled_keys} keys have more than one row")
    return [Difference(Kind.DRIFT, dataset, what, dataset) for what in said]
