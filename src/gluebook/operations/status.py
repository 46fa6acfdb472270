"""The state of every file version and the reason, from the ledger and the batches' results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gluebook.aws.parallel import in_parallel
from gluebook.aws.ports import LedgerPort, ObjectsPort
from gluebook.contracts import CONTRACTS
from gluebook.core.keys import Lake
from gluebook.core.loading import retry_status
from gluebook.core.model import Batch, Counts, FileResult, FileVersion
from gluebook.core.plan import results_from_json
from gluebook.core.runs import FailedRun, failed_run_mark
from gluebook.core.states import NEEDS_ATTENTION, SETTLED, BatchState, visible_state


@dataclass(frozen=True)
class FileStatus:
    """One file version.

    loaded          its curated rows once their batch is LOADED
    failed_loads    number of loads of its batch that failed for a reason that is not the data's
    next_load       when the next load is due; None: at once, or there is none
    given_up        loads have stopped until an operator replays the batch
    """

    key: str
    version_id: str
    dataset: str
    source: str
    state: str
    reason: str | None
    batch_id: str | None
    registered_at: str
    counts: Counts = field(default_factory=Counts)
    loaded: int = 0
    reject_reasons: dict[str, int] = field(default_factory=dict)
    failed_loads: int = 0
    next_load: str | None = None
    given_up: bool = False

    @property
    def needs_attention(self) -> bool:
        """Whether it needs attention."""
        return self.state in NEEDS_ATTENTION or self.failed_loads > 1 or self.given_up


@dataclass(frozen=True)
class Overview:
    """All file versions, oldest first, and all batches. `failed_runs`: each dataset's last run if it failed."""

    files: tuple[FileStatus, ...]
    batches: tuple[Batch, ...]
    failed_runs: Mapping[str, FailedRun] = field(default_factory=dict)

    @property
    def totals(self) -> Counts:
        """The sum of the files' counts."""
        return sum((file.counts for file in self.files), Counts())

    @property
    def loaded(self) -> int:
        """The curated rows whose batches are LOADED."""
        return sum(file.loaded for file in self.files)

    @property
    def settled(self) -> bool:
        """Whether every file version is in a final state."""
        return all(file.state in SETTLED for file in self.files)


def overview(ledger: LedgerPort, objects: ObjectsPort, lake: Lake) -> Overview:
    """Read the whole ledger and the results of every batch."""
    batches = {batch.batch_id: batch for batch in ledger.batches()}
    # By batch too: a divided batch may have left results of a file that another batch carries now.
    results: dict[tuple[str, str], FileResult] = {}
    keys = [lake.result(b.dataset, b.batch_id, b.reported_epoch) for b in batches.values()]
    stored = in_parallel(lambda key: objects.get_json(lake.bucket, key), keys)
    for batch_id, found in zip(batches, stored, strict=True):
        for result in results_from_json(found["files"]) if found else ():
            results[batch_id, result.file_id] = result
    files = [
        _status(file, batches, results.get((file.batch_id or "", file.file_id))) for file in ledger.files()
    ]
    files.sort(key=lambda file: (file.registered_at, file.key, file.version_id))
    noted = {dataset: FailedRun.from_text(ledger.mark(failed_run_mark(dataset))) for dataset in CONTRACTS}
    failed = {dataset: run for dataset, run in noted.items() if run is not None}
    return Overview(tuple(files), tuple(sorted(batches.values(), key=lambda b: b.created_at)), failed)


def _status(file: FileVersion, batches: dict[str, Batch], result: FileResult | None) -> FileStatus:
    batch = batches.get(file.batch_id or "")
    state = visible_state(file.state, batch.state if batch else None)
    counts = result.counts if result else Counts()
    return FileStatus(
        key=file.key,
        version_id=file.version_id,
        dataset=file.dataset,
        source=file.source,
        state=state,
        reason=file.reason or (_reason(batch) if batch else _division(file, batches)),
        batch_id=file.batch_id,
        registered_at=file.registered_at,
        counts=counts,
        loaded=counts.curated if state == BatchState.LOADED.value else 0,
        reject_reasons=dict(result.reject_reasons) if result else {},
        failed_loads=batch.failed_loads if batch else 0,
        next_load=(batch.retry_at or None) if batch else None,
        given_up=batch.given_up if batch else False,
    )


def _reason(batch: Batch) -> str | None:
    waits = retry_status(batch)
    return f"{waits}: {batch.reason}" if waits else batch.reason


def _division(file: FileVersion, batches: dict[str, Batch]) -> str | None:
    """Why a file waits in a group of its own: its batch was divided."""
    divided = batches.get(file.group.partition("/")[0]) if file.group else None
    return f"batch {divided.batch_id} was divided: {divided.reason}" if divided else None


def states(files: Iterable[FileStatus]) -> dict[str, int]:
    """Number of file versions by state."""
    return dict(sorted(Counter(file.state for file in files).items()))
