"""Make a gated batch visible: its files under deterministic names, its manifest last, fenced by the ledger."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

from gluebook.aws.ledger import Ledger
from gluebook.aws.objects import Objects
from gluebook.clock import Clock, stamp
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts, FileResult
from gluebook.core.plan import PublishPlan
from gluebook.core.states import BatchState
from gluebook.errors import CountMismatch

_log = logging.getLogger(__name__)
_COPIES = 8


def begin_publishing(
    ledger: Ledger, objects: Objects, lake: Lake, batch: Batch, plan: PublishPlan, clock: Clock
) -> Batch:
    """Put the plan down and pass the point from which the batch is only rolled forward. Raises Fenced."""
    key = f"{lake.staging(batch.batch_id, batch.epoch)}plan.json"
    objects.put_json(lake.bucket, key, plan.to_json())
    return ledger.advance(
        batch, replace(batch, state=BatchState.PUBLISHING, plan=key), stamp(clock()), "gate passed"
    )


def finish_publishing(ledger: Ledger, objects: Objects, lake: Lake, batch: Batch, clock: Clock) -> Batch:
    """Copy, write the manifest, mark the batch CURATED; may be repeated from anywhere. Raises Fenced.

    The fence is asked before the manifest is written: a run that lost its lease leaves at most copies under
    names that its successor writes too, with the same content.
    """
    stored = objects.get_json(lake.bucket, batch.plan or "")
    if stored is None:
        raise CountMismatch(f"batch {batch.batch_id}: its plan {batch.plan} is gone from {lake.bucket}")
    plan = PublishPlan.from_json(stored)
    with ThreadPoolExecutor(_COPIES) as pool:
        list(pool.map(lambda file: objects.copy(lake.bucket, file.staged, file.final), plan.files))
    ledger.confirm(batch)
    write_results(objects, lake, batch, plan.results)
    objects.put_json_once(lake.bucket, lake.manifest(batch.dataset, batch.batch_id), plan.manifest(lake))
    curated = replace(batch, state=BatchState.CURATED, counts=plan.counts, partitions=plan.partitions)
    done = ledger.advance(batch, curated, stamp(clock()), "published")
    _log.info("published batch %s: %s", batch.batch_id, plan.counts)
    return done


def close_without_rows(
    ledger: Ledger,
    objects: Objects,
    lake: Lake,
    batch: Batch,
    results: tuple[FileResult, ...],
    counts: Counts,
    clock: Clock,
) -> Batch:
    """End a batch from which nothing is to be loaded. Raises Fenced."""
    write_results(objects, lake, batch, results)
    empty = replace(batch, state=BatchState.EMPTY, counts=counts, reason="no rows to load")
    return ledger.advance(batch, empty, stamp(clock()), "no rows to load")


def write_results(objects: Objects, lake: Lake, batch: Batch, results: tuple[FileResult, ...]) -> None:
    """Keep what became of each file of the batch."""
    key = lake.result(batch.dataset, batch.batch_id)
    objects.put_json(lake.bucket, key, {"files": [asdict(result) for result in results]})


def keep_rejects(objects: Objects, lake: Lake, batch: Batch, staged: str) -> None:
    """Put the batch's rejects, staged below `staged`, into quarantine; repeating it overwrites."""
    parquet = sorted(key for key in objects.sizes(lake.bucket, staged) if key.endswith(".parquet"))
    for number, key in enumerate(parquet):
        objects.copy(lake.bucket, key, lake.quarantine_file(batch.dataset, batch.batch_id, number))


def sweep_up(objects: Objects, lake: Lake, batch: Batch) -> None:
    """Remove what only the work on the batch needed: inbox and staging, of all its epochs."""
    for prefix in (f"inbox/{batch.batch_id}/", f"staging/{batch.batch_id}/"):
        objects.delete(lake.bucket, list(objects.sizes(lake.bucket, prefix)))
