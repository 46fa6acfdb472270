"""Repair: resolve the differences that need no decision. Everything here is safe to repeat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.core.differences import Difference, Kind, repairable
from gluebook.core.model import ObjectVersion
from gluebook.core.plan import keys_ever_named, withdrawn_manifest
from gluebook.core.reconciling_lake import Shelf, sort_out
from gluebook.errors import GluebookError
from gluebook.operations.operating import Operating, Start, start_jobs
from gluebook.operations.reconcile import Findings, Reconciling, Watch
from gluebook.operations.reconcile_lake import look_again
from gluebook.operations.register import Adopting, NotRegistered, adopt

_TICK: dict[str, Any] = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
_STARTED = frozenset({Kind.OVERDUE_FILES, Kind.ABANDONED})
_INVOKED = frozenset({Kind.OVERDUE_CORRECTIONS, Kind.UNLOADED})
_PAGE = 1000
# In the order in which they are removed: a manifest before what it names.
_REMOVED = (Kind.STALE_MANIFEST, Kind.ORPHAN, Kind.LEFTOVER)


@dataclass(frozen=True)
class Repaired:
    """What was done, in words, and which differences remain."""

    done: tuple[str, ...]
    failed: tuple[str, ...]
    remaining: tuple[Difference, ...]


class _Repairs:
    def __init__(self) -> None:
        self.done: list[str] = []
        self.failed: list[str] = []
        self.seen_to: set[Kind] = set()

    def failure(self, what: str, error: Exception) -> None:
        """Note what could not be repaired."""
        self.failed.append(f"{what}: {error}")

    def started(self, starts: Mapping[str, Start]) -> bool:
        """Note what came of starting jobs; whether all of them run."""
        self.done += [str(start) for start in starts.values() if not start.problem]
        self.failed += [str(start) for start in starts.values() if start.problem]
        return not any(start.problem for start in starts.values())


def repair(findings: Findings, scope: Reconciling, watch: Watch) -> Repaired:
    """Repair what can be repaired; the rest remains, and so does what a repair failed at."""
    repairs = _Repairs()
    kinds = {difference.kind for difference in findings.differences}
    if findings.strays:
        watch("Registering")
        _register(findings.strays, scope, repairs)
    if kinds & _STARTED:
        watch("Starting jobs")
        _start(findings.differences, scope, repairs)
    if kinds & _INVOKED:
        watch("Running the sweep and the load function")
        _invoke(scope, repairs)
    if kinds & {*_REMOVED}:
        watch("Clearing up the lake")
        _remove(findings.differences, scope, repairs)
    remaining = tuple(
        difference
        for difference in findings.differences
        if not repairable(difference) or difference.kind not in repairs.seen_to
    )
    return Repaired(tuple(repairs.done), tuple(repairs.failed), remaining)


def _register(strays: Sequence[ObjectVersion], scope: Reconciling, repairs: _Repairs) -> None:
    work = scope.work
    adopting = Adopting(work.ledger, work.objects, work.raw_bucket, work.clock, "reconcile")
    datasets: set[str] = set()
    failed: list[NotRegistered] = []
    registered = refused = 0
    try:
        for page in _pages(strays):
            adopted = adopt(page, adopting)
            registered, refused = registered + adopted.registered, refused + adopted.refused
            datasets |= adopted.datasets
            failed += adopted.failed
    except (ClientError, BotoCoreError, GluebookError) as error:
        repairs.failure("not all could be registered", error)
    else:
        if not failed:
            repairs.seen_to.add(Kind.UNREGISTERED)
    for one in failed:
        repairs.failure(f"{one.key} could not be registered", one.error)
    repairs.done.append(f"registered {registered} file versions; {refused} more are FAILED for their key")
    repairs.started(start_jobs(datasets, work))


def _pages(strays: Sequence[ObjectVersion]) -> Iterable[list[ObjectVersion]]:
    """Up to a thousand at once, all versions of a key together."""
    page: list[ObjectVersion] = []
    for _, versions in groupby(strays, key=lambda version: version.key):
        page += versions
        if len(page) >= _PAGE:
            yield page
            page = []
    if page:
        yield page


def _start(differences: Sequence[Difference], scope: Reconciling, repairs: _Repairs) -> None:
    datasets = {difference.dataset for difference in differences if difference.kind in _STARTED}
    if repairs.started(start_jobs(datasets, scope.work)):
        repairs.seen_to |= _STARTED


def _invoke(scope: Reconciling, repairs: _Repairs) -> None:
    """The functions themselves: only who has submitted a statement may ask what became of it."""
    functions = (scope.sweep_function, scope.load_function)
    for name in functions:
        try:
            scope.functions.invoke(name, _TICK)
        except (ClientError, BotoCoreError, GluebookError) as error:
            repairs.failure(f"function {name}", error)
            return
        repairs.done.append(f"function {name} has looked after what is open")
    repairs.seen_to |= _INVOKED


def _remove(differences: Sequence[Difference], scope: Reconciling, repairs: _Repairs) -> None:
    """Look once more at each batch, and remove what is still wrong, and nothing else."""
    work, removed = scope.work, 0
    doomed = [difference for difference in differences if difference.kind in _REMOVED]
    shelves, _ = sort_out({key: 0 for difference in doomed for key in difference.objects}, ())
    try:
        for batch_id in sorted({difference.batch_id for difference in doomed}):
            shelf = shelves.get(batch_id, Shelf(batch_id))
            for kind in _REMOVED:
                still = [found for found in look_again(shelf, work) if found.kind is kind]
                keys = [key for found in still for key in found.objects]
                if kind is Kind.STALE_MANIFEST:
                    _withdraw(keys, work)
                else:
                    work.objects.delete(work.lake.bucket, keys)
                removed += len(keys)
    except (ClientError, BotoCoreError, GluebookError) as error:
        repairs.failure("not all could be removed from the lake", error)
    else:
        repairs.seen_to |= {*_REMOVED}
    repairs.done.append(f"removed {removed} objects from the lake")


def _withdraw(manifests: Sequence[str], work: Operating) -> None:
    """Not deleted: a run that is late would find their places free."""
    for key in manifests:
        manifest = work.objects.get_json(work.lake.bucket, key)
        if manifest is not None:
            gone = withdrawn_manifest(keys_ever_named(manifest, work.lake))
            work.objects.put_json(work.lake.bucket, key, gone)
