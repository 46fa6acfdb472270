"""Reconcile: compare bucket, ledger, lake and warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gluebook.aws.ports import WarehousePort
from gluebook.contracts import Contract, contract
from gluebook.core.differences import Difference, Kind
from gluebook.core.model import Batch, FileVersion, ObjectVersion
from gluebook.core.reconciling import (
    Load,
    drift_differences,
    load_differences,
    loads_sql,
    missing_objects,
    must_be_read,
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
from gluebook.operations.context import OnStage, OperationsContext
from gluebook.operations.reconcile_lake import inspect_lake
from gluebook.operations.register import unregistered

# The warehouse may have to wake up first.
_TIMEOUT_SECONDS = 600.0
_EVERYTHING = 10_000_000


@dataclass(frozen=True)
class Drift:
    """A dataset's table compared with the load log.

    table_rows      rows in the table now
    noted_rows      rows in the table after the last load; None if nothing has been loaded
    loads           loads in the log
    doubled_loads   loads that are in the log more than once
    doubled_keys    keys with more than one row
    """

    table_rows: int
    noted_rows: int | None
    loads: int
    doubled_loads: int
    doubled_keys: int

    @property
    def rows_apart(self) -> int:
        """Number of rows, loads and keys that differ; 0 means no drift."""
        return abs(self.table_rows - (self.noted_rows or 0)) + self.doubled_loads + self.doubled_keys


def drift(contract: Contract, warehouse: WarehousePort, *, timeout_seconds: float) -> Drift:
    """Query the drift. Raises TerminalError, WarehouseBusy."""
    return parse_drift(warehouse.query(drift_sql(contract), timeout_seconds=timeout_seconds))


def parse_drift(answer: Rows) -> Drift:
    """The drift in the result of `drift_sql`."""
    ((table, noted, loads, doubled_loads, doubled_keys),) = answer.rows
    return Drift(
        int(table), None if noted is None else int(noted), int(loads), int(doubled_loads), int(doubled_keys)
    )


@dataclass(frozen=True)
class Findings:
    """The differences. `unregistered`: all versions of the raw keys of which the ledger lacks some."""

    differences: tuple[Difference, ...]
    unregistered: tuple[ObjectVersion, ...] = ()


def reconcile(context: OperationsContext, on_stage: OnStage) -> Findings:
    """Compare bucket, ledger, lake and warehouse; reads all of them and changes nothing.

    The pipeline may be running: apparent differences are checked a second time with consistent reads.
    """
    on_stage("Reading the ledger")
    files = list(context.ledger.files())
    batches = {batch.batch_id: batch for batch in context.ledger.batches()}
    on_stage("Listing the raw bucket")
    differences, versions_to_register = _bucket(files, batches, context)
    on_stage("Looking for stuck files and batches")
    for dataset in context.job_names:
        differences += _waiting(dataset, files, context)
    on_stage("Querying the warehouse")
    differences += _loads(batches, context)
    for dataset in context.job_names:
        differences += _drift(dataset, context)
    on_stage("Listing the lake")
    differences += inspect_lake(batches, context)
    return Findings(tuple(differences), versions_to_register)


def _bucket(
    files: list[FileVersion], batches: Mapping[str, Batch], context: OperationsContext
) -> tuple[list[Difference], tuple[ObjectVersion, ...]]:
    registered = {(file.key, file.version_id) for file in files if file.bucket == context.raw_bucket}
    listed: set[tuple[str, str]] = set()
    versions_to_register: list[ObjectVersion] = []
    unknown: list[ObjectVersion] = []
    for page in context.objects.versions(context.raw_bucket, ""):
        listed |= {(version.key, version.version_id) for version in page}
        new = [version for version in page if (version.key, version.version_id) not in registered]
        # The ledger was read earlier, and not consistently.
        lacking = unregistered(new, context.raw_bucket, context.ledger) if new else []
        unknown += lacking
        keys = {version.key for version in lacking}
        versions_to_register += [version for version in page if version.key in keys]
    gone = [
        file for file in files if (file.key, file.version_id) not in listed and must_be_read(file, batches)
    ]
    now = context.ledger.files_now(gone)
    differences = [Difference(Kind.UNREGISTERED, v.key, f"version {v.version_id}") for v in unknown]
    return [*differences, *missing_objects(now, _fresh(now, context), listed)], tuple(versions_to_register)


def _fresh(files: Iterable[FileVersion], context: OperationsContext) -> dict[str, Batch]:
    found = (
        context.ledger.batch(batch_id) for batch_id in {file.batch_id for file in files if file.batch_id}
    )
    return {batch.batch_id: batch for batch in found if batch}


def _waiting(dataset: str, files: list[FileVersion], context: OperationsContext) -> list[Difference]:
    ledger, now = context.ledger, context.clock()
    pending = ledger.pending(dataset, _EVERYTHING)
    open_batches = ledger.open_batches(dataset)
    doubtful = [file for file in files if file.dataset == dataset and file.state is FileState.PENDING]
    unmarked = unmarked_files(doubtful, pending)
    if unmarked:  # or claimed or released since they were read
        again = ledger.files_now(doubtful)
        unmarked = unmarked_files(again, [*pending, *ledger.pending(dataset, _EVERYTHING)])
    corrections = len(ledger.corrections(dataset))
    return [
        *unmarked,
        *overdue_files(pending, dataset, now),
        *overdue_corrections(dataset, corrections, under_way=bool(pending or open_batches)),
        *stuck_batches(open_batches, now),
    ]


def _loads(batches: Mapping[str, Batch], context: OperationsContext) -> list[Difference]:
    loaded_once = any(batch.state is BatchState.LOADED for batch in batches.values())
    if not loaded_once and not _has_tables(context):
        return []
    try:
        rows = context.warehouse.query(loads_sql(), timeout_seconds=_TIMEOUT_SECONDS).rows
    except (TerminalError, WarehouseBusy) as error:
        return [Difference(Kind.UNANSWERED, "etl_loads", str(error))]
    loads = [Load(batch, int(generation), of, *map(int, counts)) for batch, generation, of, *counts in rows]
    first = load_differences(batches, loads)
    # Batches may have changed since they were read; loads are only added.
    now = {d.batch_id: context.ledger.batch(d.batch_id) for d in first}
    known = {**batches, **{batch_id: batch for batch_id, batch in now.items() if batch}}
    doubtful = set(now)
    return [d for d in load_differences(known, loads) if d.batch_id in doubtful]


def _has_tables(context: OperationsContext) -> bool:
    return context.ledger.mark(SCHEMA_MARK) is not None


def _drift(dataset: str, context: OperationsContext) -> list[Difference]:
    if not _has_tables(context):
        return []
    try:
        found = drift(contract(dataset), context.warehouse, timeout_seconds=_TIMEOUT_SECONDS)
    except (TerminalError, WarehouseBusy) as error:
        return [Difference(Kind.UNANSWERED, dataset, str(error), dataset)]
    return drift_differences(
        dataset, found.table_rows, found.noted_rows, found.doubled_loads, found.doubled_keys
    )
