"""What the load and sweep steps work with, and the start of job runs that both of them see to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gluebook.aws.metrics import embedded_metrics, emit
from gluebook.aws.ports import CatalogPort, JobsPort, LedgerPort, WarehousePort
from gluebook.clock import Clock
from gluebook.core.backoff import BACKOFF, Backoff
from gluebook.core.claiming import is_abandoned, retries_exhausted
from gluebook.core.events import JobEnded
from gluebook.core.health import UNITS
from gluebook.core.keys import Lake
from gluebook.core.loading import CrawlPolicy, loaded
from gluebook.core.model import Batch
from gluebook.core.sql.schema import WarehouseUsers
from gluebook.core.stamps import stamp
from gluebook.errors import Fenced
from gluebook.functions.runs import failure_line, is_broken, note_end

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Administrator:
    """`connect` gives the warehouse as its administrator, who makes tables; `users` may load or read them."""

    connect: Callable[[], WarehousePort]
    users: WarehouseUsers


@dataclass(frozen=True)
class Loading:
    """The adapters and names. `job_names` and `crawlers` are by dataset; metrics go into `namespace`.

    `admin`: what makes the warehouse's tables; the sweep has none.
    """

    ledger: LedgerPort
    jobs: JobsPort
    warehouse: WarehousePort
    catalog: CatalogPort
    lake: Lake
    job_names: Mapping[str, str]
    crawlers: Mapping[str, str]
    copy_role_arn: str
    crawl_policy: CrawlPolicy
    clock: Clock
    namespace: str
    backoff: Backoff = BACKOFF
    admin: Administrator | None = None

    def tell(self, dataset: str, values: Mapping[str, float]) -> None:
        """Write metrics, into `namespace`."""
        emit(embedded_metrics(self.namespace, {"Dataset": dataset}, values, UNITS, self.clock()))


def start_if_needed(dataset: str, work: Loading, after: JobEnded | None = None) -> None:
    """Start a run if files are pending or a batch was left behind.

    A run that failed without having claimed anything (no rights, broken script), or on a batch that many have
    failed on, isn't followed by another at once, or it would go on for ever; the schedule tries again, and
    less and less often if no run has succeeded yet.
    """
    now = int(work.clock().timestamp())
    left = [batch for batch in work.ledger.open_batches(dataset) if is_abandoned(batch, now)]
    if after is not None:
        in_vain = after.state != "SUCCEEDED" and not any(
            b.owner == after.run_id and not retries_exhausted(b) for b in left
        )
        note_end(after, dataset, work.ledger, now, in_vain=in_vain)
        if in_vain:
            _log.error("job %s run %s is %s: %s", after.job, after.run_id, after.state, failure_line(after))
            return
    if left or work.ledger.pending(dataset, 1):
        if (broken := is_broken(dataset, work.ledger)) is not None and now < broken.pause_until:
            return
        run = work.jobs.start(work.job_names[dataset])
        _log.info("dataset %s: %s", dataset, f"started run {run}" if run else "a run is under way")


def advance(batch: Batch, new: Batch, cause: str, work: Loading) -> Batch | None:
    """Change a batch; None if somebody else has, which is just as well."""
    try:
        return work.ledger.advance(batch, new, stamp(work.clock()), cause)
    except Fenced as faster:
        _log.info("%s", faster)
        return None


def loaded_mark(dataset: str) -> str:
    """The ledger's word for what was loaded last."""
    return f"loaded:{dataset}"


def note_loaded(batch: Batch, counts: Iterable[Any], cause: str, work: Loading) -> bool:
    """Mark a batch LOADED, with what the warehouse has noted of it: merged, superseded, retracted.

    False if somebody else was faster.
    """
    merged, superseded, retracted = map(int, counts)
    if advance(batch, loaded(batch, merged, superseded, retracted), cause, work) is None:
        return False
    work.ledger.set_mark(loaded_mark(batch.dataset), f"{batch.batch_id}/{batch.generation}")
    work.tell(batch.dataset, {"RowsMerged": merged, "RowsSuperseded": superseded, "RowsRetracted": retracted})
    return True
