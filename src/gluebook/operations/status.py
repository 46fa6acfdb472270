"""What became of every file version: the ledger's word, and each batch's results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from gluebook.aws.ports import LedgerPort, ObjectsPort
from gluebook.contracts import CONTRACTS
from gluebook.core.keys import Lake
from gluebook.core.loading import waiting_told
from gluebook.core.model import Batch, Counts, FileResult, FileVersion
from gluebook.core.plan import results_from_json
from gluebook.core.runs import FailedRun, failed_run_mark
from gluebook.core.states import NEEDS_ATTENTION, SETTLED, BatchState, visible_state

_READERS = 16


@dataclass(frozen=True)
class FileStatus:
    """One file version. `loaded` counts its curated rows once their batch is LOADED.

    failed_loads    how many loads of its batch have failed for what isn't the data's fault
    next_load       when the next one is due; None: at once, or there is none
    given_up        there is no next one until an operator replays it
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
        """Whether a person should look at it."""
        return self.state in NEEDS_ATTENTION or self.failed_loads > 1 or self.given_up


@dataclass(frozen=True)
class Overview:
    """All file versions, oldest first, and all batches. `failed_runs`: by dataset, its last run if that failed."""

    files: tuple[FileStatus, ...]
    batches: tuple[Batch, ...]
    failed_runs: Mapping[str, FailedRun] = field(default_factory=dict)

    @property
    def totals(self) -> Counts:
        """The files' counts together."""
        return sum((file.counts for file in self.files), Counts())

    @property
    def loaded(self) -> int:
        """The curated rows whose batches are LOADED."""
        return sum(file.loaded for file in self.files)

    @property
    def settled(self) -> bool:
        """Whether every file version has come to an end."""
        return all(file.state in SETTLED for file in self.files)


def overview(ledger: LedgerPort, objects: ObjectsPort, lake: Lake) -> Overview:
    """Look at everything; reads the whole ledger, and the results of every batch that has some."""
    batches = {batch.batch_id: batch for batch in ledger.batches()}
    # By batch, too: one that was divided may have left some behind of a file that another one carries now.
    results: dict[tuple[str, str], FileResult] = {}
    with ThreadPoolExecutor(_READERS) as pool:
        keys = [lake.result(b.dataset, b.batch_id, b.reported_epoch) for b in batches.values()]
        stored = pool.map(lambda key: objects.get_json(lake.bucket, key), keys)
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
    waits = waiting_told(batch)
    return f"{waits}: {batch.reason}" if waits else batch.reason


def _division(file: FileVersion, batches: dict[str, Batch]) -> str | None:
    """Why a file waits apart from others: its batch could not be brought to an end."""
    divided = batches.get(file.group.partition("/")[0]) if file.group else None
    return f"batch {divided.batch_id} was divided: {divided.reason}" if divided else None


def states(files: Iterable[FileStatus]) -> dict[str, int]:
    """Number of file versions by state."""
    found: dict[str, int] = {}
    for file in files:
        found[file.state] = found.get(file.state, 0) + 1
    return dict(sorted(found.items()))
