"""Repair the differences that need no decision. Every repair is idempotent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.core.differences import Difference, Kind, repairable
from gluebook.core.model import ObjectVersion
from gluebook.core.plan import keys_ever_named, withdrawn_manifest
from gluebook.core.reconciling_lake import BatchObjects, group_by_batch
from gluebook.errors import GluebookError
from gluebook.operations.context import OnStage, OperationsContext
from gluebook.operations.jobs import JobStart, start_jobs
from gluebook.operations.reconcile import Findings
from gluebook.operations.reconcile_lake import recheck
from gluebook.operations.register import NotRegistered, RegisterContext, register_missing

_TICK: dict[str, Any] = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
_STARTED = frozenset({Kind.OVERDUE_FILES, Kind.ABANDONED})
_INVOKED = frozenset({Kind.OVERDUE_CORRECTIONS, Kind.UNLOADED})
_PAGE = 1000
# In the order in which they are removed: a manifest before what it names.
_REMOVED = (Kind.STALE_MANIFEST, Kind.ORPHAN, Kind.LEFTOVER)


@dataclass(frozen=True)
class Repaired:
    """What was done and what failed, in words, and the differences that remain."""

    done: tuple[str, ...]
    failed: tuple[str, ...]
    remaining: tuple[Difference, ...]


class _Repairs:
    def __init__(self) -> None:
        self.done: list[str] = []
        self.failed: list[str] = []
        self.repaired: set[Kind] = set()

    def failure(self, what: str, error: Exception) -> None:
        """Record a repair that failed."""
        self.failed.append(f"{what}: {error}")

    def started(self, starts: Mapping[str, JobStart]) -> bool:
        """Record the starts of jobs; True if none of them failed."""
        self.done += [str(start) for start in starts.values() if not start.problem]
        self.failed += [str(start) for start in starts.values() if start.problem]
        return not any(start.problem for start in starts.values())


def repair(findings: Findings, context: OperationsContext, on_stage: OnStage) -> Repaired:
    """Repair what can be repaired; other differences remain, and so do those whose repair fails."""
    repairs = _Repairs()
    kinds = {difference.kind for difference in findings.differences}
    if findings.unregistered:
        on_stage("Registering")
        _register(findings.unregistered, context, repairs)
    if kinds & _STARTED:
        on_stage("Starting jobs")
        _start(findings.differences, context, repairs)
    if kinds & _INVOKED:
        on_stage("Running the sweep and the load function")
        _invoke(context, repairs)
    if kinds & {*_REMOVED}:
        on_stage("Removing objects from the lake")
        _remove(findings.differences, context, repairs)
    remaining = tuple(
        difference
        for difference in findings.differences
        if not repairable(difference) or difference.kind not in repairs.repaired
    )
    return Repaired(tuple(repairs.done), tuple(repairs.failed), remaining)


def _register(versions: Sequence[ObjectVersion], context: OperationsContext, repairs: _Repairs) -> None:
    registering = RegisterContext(
        context.ledger, context.objects, context.raw_bucket, context.clock, "reconcile"
    )
    datasets: set[str] = set()
    failed: list[NotRegistered] = []
    registered = refused = 0
    try:
        for page in _pages(versions):
            registrations = register_missing(page, registering)
            registered, refused = registered + registrations.registered, refused + registrations.refused
            datasets |= registrations.datasets
            failed += registrations.failed
    except (ClientError, BotoCoreError, GluebookError) as error:
        repairs.failure("could not register all file versions", error)
    else:
        if not failed:
            repairs.repaired.add(Kind.UNREGISTERED)
    for one in failed:
        repairs.failure(f"could not register {one.key}", one.error)
    repairs.done.append(
        f"registered {registered} file versions; {refused} more are FAILED because of their key"
    )
    repairs.started(start_jobs(datasets, context))


def _pages(versions: Sequence[ObjectVersion]) -> Iterable[list[ObjectVersion]]:
    """Pages of about 1,000 versions, with all versions of a key in one page."""
    page: list[ObjectVersion] = []
    for _, of_key in groupby(versions, key=lambda version: version.key):
        page += of_key
        if len(page) >= _PAGE:
            yield page
            page = []
    if page:
        yield page


def _start(differences: Sequence[Difference], context: OperationsContext, repairs: _Repairs) -> None:
    datasets = {difference.dataset for difference in differences if difference.kind in _STARTED}
    if repairs.started(start_jobs(datasets, context)):
        repairs.repaired |= _STARTED


def _invoke(context: OperationsContext, repairs: _Repairs) -> None:
    """Invoke the functions: only the role that has submitted a statement can describe it."""
    functions = (context.sweep_function, context.load_function)
    for name in functions:
        try:
            context.functions.invoke(name, _TICK)
        except (ClientError, BotoCoreError, GluebookError) as error:
            repairs.failure(f"function {name}", error)
            return
        repairs.done.append(f"function {name} has processed open batches")
    repairs.repaired |= _INVOKED


def _remove(differences: Sequence[Difference], context: OperationsContext, repairs: _Repairs) -> None:
    """Check each batch again, and remove only objects that are still wrong."""
    removed = 0
    to_remove = [difference for difference in differences if difference.kind in _REMOVED]
    by_batch, _ = group_by_batch({key: 0 for difference in to_remove for key in difference.objects}, ())
    try:
        for batch_id in sorted({difference.batch_id for difference in to_remove}):
            objects = by_batch.get(batch_id, BatchObjects(batch_id))
            for kind in _REMOVED:
                still = [found for found in recheck(objects, context) if found.kind is kind]
                keys = [key for found in still for key in found.objects]
                if kind is Kind.STALE_MANIFEST:
                    _withdraw(keys, context)
                else:
                    context.objects.delete(context.lake.bucket, keys)
                removed += len(keys)
    except (ClientError, BotoCoreError, GluebookError) as error:
        repairs.failure("could not remove all objects from the lake", error)
    else:
        repairs.repaired |= {*_REMOVED}
    repairs.done.append(f"removed {removed} objects from the lake")


def _withdraw(manifests: Sequence[str], context: OperationsContext) -> None:
    """Replace manifests by withdrawn ones; a deleted manifest could be written again by a late run."""
    for key in manifests:
        manifest = context.objects.get_json(context.lake.bucket, key)
        if manifest is not None:
            withdrawn = withdrawn_manifest(keys_ever_named(manifest, context.lake))
            context.objects.put_json(context.lake.bucket, key, withdrawn)
