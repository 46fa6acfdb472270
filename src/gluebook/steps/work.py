"""What the load and sweep steps work with, and the start of job runs that both of them see to."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from gluebook.aws.ledger import Ledger
from gluebook.aws.services import Catalog, Jobs, Warehouse
from gluebook.clock import Clock, stamp
from gluebook.core.claiming import is_worn_out
from gluebook.core.events import JobEnded
from gluebook.core.keys import Lake
from gluebook.core.loading import CrawlPolicy
from gluebook.core.model import Batch
from gluebook.core.states import LEASED_STATES
from gluebook.errors import Fenced

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loading:
    """The adapters and names. `job_names` and `crawlers` are by dataset."""

    ledger: Ledger
    jobs: Jobs
    warehouse: Warehouse
    catalog: Catalog
    lake: Lake
    job_names: Mapping[str, str]
    crawlers: Mapping[str, str]
    copy_role_arn: str
    crawl_policy: CrawlPolicy
    clock: Clock


def start_if_needed(dataset: str, work: Loading, after: JobEnded | None = None) -> None:
    """Start a run if files are pending or a batch was left behind.

    A run that failed without having claimed anything (no rights, broken script), or on a batch that many have
    failed on, isn't followed by another at once, or it would go on for ever; the schedule tries again.
    """
    now = int(work.clock().timestamp())
    left = [b for b in work.ledger.open_batches(dataset) if b.state in LEASED_STATES and b.lease_until <= now]
    if (
        after is not None
        and after.state != "SUCCEEDED"
        and not any(b.owner == after.run_id and not is_worn_out(b) for b in left)
    ):
        _log.error("job %s run %s is %s: %s", after.job, after.run_id, after.state, after.message)
        return
    if left or work.ledger.pending(dataset, 1):
        run = work.jobs.start(work.job_names[dataset])
        _log.info("dataset %s: %s", dataset, f"started run {run}" if run else "a run is under way")


def advance(batch: Batch, new: Batch, cause: str, work: Loading) -> Batch | None:
    """Change a batch; None if somebody else has, which is just as well."""
    try:
        return work.ledger.advance(batch, new, stamp(work.clock()), cause)
    except Fenced as faster:
        _log.info("%s", faster)
        return None
