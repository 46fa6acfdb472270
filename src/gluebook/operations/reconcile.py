"""Reconcile: hold bucket, ledger, lake and warehouse against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gluebook.aws.ports import FunctionsPort, WarehousePort
from gluebook.contracts import Contract, contract
from gluebook.core.differences import Difference, Kind
from gluebook.core.model import Batch, FileVersion, ObjectVersion
from gluebook.core.reconciling import (
    Load,
    drift_differences,
    has_to_be_read,
    load_differences,
    loads_sql,
    missing_objects,
    overdue_corrections,
    overdue_files,
    stuck_batches,
    unmarked_files,
)
from gluebook.core.sql.load import drift_sql
from gluebook.core.sql.schema import SCHEMA_MARK
from gluebook.core.statements import Rows
from gluebook.core.states import BatchState, FileState
from gluebook.errors import TerminalError, WarehouseBusy
from gluebook.operations.operating import Operating
from gluebook.operations.reconcile_lake import inspect_lake
from gluebook.operations.register import unregistered

# As long as an operator has patience; a sleeping warehouse has to wake up first.
_TIMEOUT_SECONDS = 600.0
_EVERYTHING = 10_000_000


@dataclass(frozen=True)
class Drift:
    """A dataset's table against the load log.

    table_rows      rows in the table now
    noted_rows      rows in the table after the last load; None if nothing was ever loaded
    loads           loads in the log
    doubled_loads   loads that are in the log twice
    doubled_keys    keys with more than one row
    """

    table_rows: int
    noted_rows: int | None
    loads: int
    doubled_loads: int
    doubled_keys: int

    @property
    def rows_apart(self) -> int:
        """How many rows or loads aren't what they should be; 0 is well."""
        return abs(self.table_rows - (self.noted_rows or 0)) + self.doubled_loads + self.doubled_keys


def drift(contract: Contract, warehouse: WarehousePort, *, timeout_seconds: float) -> Drift:
    """Ask the warehouse. Raises TerminalError, WarehouseBusy."""
    return drift_from(warehouse.query(drift_sql(contract), timeout_seconds=timeout_seconds))


def drift_from(answer: Rows) -> Drift:
    """What the warehouse has answered to `drift_sql`."""
    ((table, noted, loads, doubled_loads, doubled_keys),) = answer.rows
    return Drift(
        int(table), None if noted is None else int(noted), int(loads), int(doubled_loads), int(doubled_keys)
    )


@dataclass(frozen=True)
class Reconciling:
    """What is held against each other, and the two functions that only the pipeline itself can stand in for."""

    work: Operating
    warehouse: WarehousePort
    functions: FunctionsPort
    sweep_function: str
    load_function: str


@dataclass(frozen=True)
class Findings:
    """What is different. `strays`: all versions of raw keys of which the ledger lacks some."""

    differences: tuple[Difference, ...]
    strays: tuple[ObjectVersion, ...] = ()


# Called with what is examined next.
Watch = Callable[[str], None]


def reconcile(scope: Reconciling, watch: Watch) -> Findings:
    """Hold bucket, ledger, lake and warehouse against each other; reads all of them, changes nothing.

    The pipeline may be at work meanwhile: what looks different at first is looked at again, consistently.
    """
    work = scope.work
    watch("Reading the ledger")
    files = list(work.ledger.files())
    batches = {batch.batch_id: batch for batch in work.ledger.batches()}
    watch("Listing the raw bucket")
    differences, strays = _bucket(files, batches, work)
    watch("Looking for what is stuck")
    for dataset in work.job_names:
        differences += _waiting(dataset, files, work)
    watch("Asking the warehouse")
    differences += _loads(batches, scope)
    for dataset in work.job_names:
        differences += _drift(dataset, scope)
    watch("Listing the lake")
    differences += inspect_lake(batches, work)
    return Findings(tuple(differences), strays)


def _bucket(
    files: list[FileVersion], batches: Mapping[str, Batch], work: Operating
) -> tuple[list[Difference], tuple[ObjectVersion, ...]]:
    registered = {(file.key, file.version_id) for file in files if file.bucket == work.raw_bucket}
    listed: set[tuple[str, str]] = set()
    strays: list[ObjectVersion] = []
    unknown: list[ObjectVersion] = []
    for page in work.objects.versions(work.raw_bucket, ""):
        listed |= {(version.key, version.version_id) for version in page}
        new = [version for version in page if (version.key, version.version_id) not in registered]
        # The ledger was read before, and not consistently.
        lacking = unregistered(new, work.raw_bucket, work.ledger) if new else []
        unknown += lacking
        keys = {version.key for version in lacking}
        strays += [version for version in page if version.key in keys]
    gone = [
        file for file in files if (file.key, file.version_id) not in listed and has_to_be_read(file, batches)
    ]
    now = work.ledger.files_now(gone)
    differences = [Difference(Kind.UNREGISTERED, v.key, f"version {v.version_id}") for v in unknown]
    return [*differences, *missing_objects(now, _fresh(now, work), listed)], tuple(strays)


def _fresh(files: Iterable[FileVersion], work: Operating) -> dict[str, Batch]:
    found = (work.ledger.batch(batch_id) for batch_id in {file.batch_id for file in files if file.batch_id})
    return {batch.batch_id: batch for batch in found if batch}


def _waiting(dataset: str, files: list[FileVersion], work: Operating) -> list[Difference]:
    ledger, now = work.ledger, work.clock()
    pending = ledger.pending(dataset, _EVERYTHING)
    open_batches = ledger.open_batches(dataset)
    doubtful = [file for file in files if file.dataset == dataset and file.state is FileState.PENDING]
    unmarked = unmarked_files(doubtful, pending)
    if unmarked:  # or claimed, or left to wait again, in the meantime
        again = ledger.files_now(doubtful)
        unmarked = unmarked_files(again, [*pending, *ledger.pending(dataset, _EVERYTHING)])
    corrections = len(ledger.corrections(dataset))
    return [
        *unmarked,
        *overdue_files(pending, dataset, now),
        *overdue_corrections(dataset, corrections, under_way=bool(pending or open_batches)),
        *stuck_batches(open_batches, now),
    ]


def _loads(batches: Mapping[str, Batch], scope: Reconciling) -> list[Difference]:
    loaded_once = any(batch.state is BatchState.LOADED for batch in batches.values())
    if not loaded_once and not _has_tables(scope):
        return []
    try:
        rows = scope.warehouse.query(loads_sql(), timeout_seconds=_TIMEOUT_SECONDS).rows
    except (TerminalError, WarehouseBusy) as error:
        return [Difference(Kind.UNANSWERED, "etl_loads", str(error))]
    loads = [Load(batch, int(generation), of, *map(int, counts)) for batch, generation, of, *counts in rows]
    first = load_differences(batches, loads)
    # Since they were read batches may have moved on; loads only become more.
    now = {d.batch_id: scope.work.ledger.batch(d.batch_id) for d in first}
    known = {**batches, **{batch_id: batch for batch_id, batch in now.items() if batch}}
    doubtful = set(now)
    return [d for d in load_differences(known, loads) if d.batch_id in doubtful]


def _has_tables(scope: Reconciling) -> bool:
    return scope.work.ledger.mark(SCHEMA_MARK) is not None


def _drift(dataset: str, scope: Reconciling) -> list[Difference]:
    if not _has_tables(scope):
        return []
    try:
        found = drift(contract(dataset), scope.warehouse, timeout_seconds=_TIMEOUT_SECONDS)
    except (TerminalError, WarehouseBusy) as error:
        return [Difference(Kind.UNANSWERED, dataset, str(error), dataset)]
    return drift_differences(
        dataset, found.table_rows, found.noted_rows, found.doubled_loads, found.doubled_keys
    )
