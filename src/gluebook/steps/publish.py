"""Make a gated batch visible: its files under deterministic names, its manifest last, fenced by the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

from gluebook.aws.ledger import Ledger
from gluebook.aws.objects import Objects
from gluebook.clock import Clock, stamp
from gluebook.core.history import MOST_PARTITIONS
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, FileResult
from gluebook.core.plan import (
    PublishedFile,
    PublishPlan,
    copy_manifest,
    keys_ever_named,
    withdrawn_manifest,
)
from gluebook.core.states import BatchState
from gluebook.errors import CountMismatch, Fenced

_log = logging.getLogger(__name__)
_COPIES = 8


def begin_publishing(
    ledger: Ledger, objects: Objects, lake: Lake, batch: Batch, plan: PublishPlan, clock: Clock
) -> Batch:
    """Put the plan down and pass the point from which the batch is only rolled forward. Raises Fenced."""
    key = f"{lake.staging(batch.batch_id, batch.epoch)}plan.json"
    objects.put_json(lake.bucket, key, plan.to_json())
    return ledger.advance(
        batch,
        replace(batch, state=BatchState.PUBLISHING, plan=key, reason=None),
        stamp(clock()),
        "gate passed",
    )


def finish_publishing(ledger: Ledger, objects: Objects, lake: Lake, batch: Batch, clock: Clock) -> Batch:
    """Copy, write the manifest, mark the batch CURATED; may be repeated from anywhere. Raises Fenced.

    The fence is asked before the manifest is written: a run that lost its lease leaves at most copies under
    names that its successor writes too, with the same content. What an earlier generation had published goes
    when everything that takes its place is there: its manifest before the new one comes, its files after.
    """
    # Before the copies too: when the batch was taken back, nobody would take them back as well.
    ledger.confirm(batch)
    plan = _plan(objects, lake, batch)
    if plan is None:
        raise CountMismatch(f"batch {batch.batch_id}: its plan {batch.plan} is gone from {lake.bucket}")
    _copy(objects, lake, (*plan.files, *plan.vouchers))
    ledger.confirm(batch)
    write_results(objects, lake, batch, plan.results)
    old = _withdraw(objects, lake, batch, range(1, batch.generation))
    if plan.vouchers:
        vouchers = lake.vouchers(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, vouchers, copy_manifest(plan.vouchers, lake))
    if plan.files:
        manifest = lake.manifest(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, manifest, copy_manifest(plan.files, lake))
    objects.delete(lake.bucket, old)
    curated = replace(
        batch,
        state=BatchState.CURATED,
        reason=None,
        counts=plan.counts,
        partitions=plan.partitions[:MOST_PARTITIONS],
        partitions_left_out=len(plan.partitions[MOST_PARTITIONS:]),
        vouchers=plan.voucher_rows,
    )
    done = ledger.advance(batch, curated, stamp(clock()), "published")
    _log.info("published batch %s: %s", batch.batch_id, plan.counts)
    return done


def withdraw_published(objects: Objects, lake: Lake, batch: Batch) -> None:
    """Take back what a batch that will never be loaded has published, manifest first; may be repeated."""
    plan = _plan(objects, lake, batch)
    planned = [file.final for file in (*plan.files, *plan.vouchers)] if plan else []
    # Also if it hasn't got that far: whoever still works on it must find the places taken.
    for place in (lake.manifest, lake.vouchers):
        own = place(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, own, withdrawn_manifest(planned))
    files = _withdraw(objects, lake, batch, range(1, batch.generation + 1))
    objects.delete(lake.bucket, sorted({*files, *planned}))
    _clear_quarantine(objects, lake, batch, keep=())
    objects.delete(lake.bucket, [lake.result(batch.dataset, batch.batch_id)])


def is_planned(objects: Objects, lake: Lake, batch: Batch) -> bool:
    """Whether there is a plan by which a PUBLISHING batch can be finished."""
    return _plan(objects, lake, batch) is not None


def _plan(objects: Objects, lake: Lake, batch: Batch) -> PublishPlan | None:
    stored = objects.get_json(lake.bucket, batch.plan) if batch.plan else None
    return PublishPlan.from_json(stored) if stored is not None else None


def _copy(objects: Objects, lake: Lake, files: Iterable[PublishedFile]) -> None:
    with ThreadPoolExecutor(_COPIES) as pool:
        list(pool.map(lambda file: objects.copy(lake.bucket, file.staged, file.final), files))


def _withdraw(objects: Objects, lake: Lake, batch: Batch, generations: Iterable[int]) -> list[str]:
    """Put what names nothing in the place of the manifests of some generations; the keys that they named."""
    files: list[str] = []
    for generation in generations:
        for key in (
            lake.manifest(batch.dataset, batch.batch_id, generation),
            lake.vouchers(batch.dataset, batch.batch_id, generation),
        ):
            manifest = objects.get_json(lake.bucket, key)
            if manifest is None:
                continue
            named = keys_ever_named(manifest, lake)
            if manifest["entries"]:
                objects.put_json(lake.bucket, key, withdrawn_manifest(named))
            files += named
    return files


def write_results(objects: Objects, lake: Lake, batch: Batch, results: tuple[FileResult, ...]) -> None:
    """Keep what became of each file of the batch."""
    key = lake.result(batch.dataset, batch.batch_id)
    objects.put_json(lake.bucket, key, {"files": [asdict(result) for result in results]})


def keep_rejects(objects: Objects, lake: Lake, batch: Batch, staged: str) -> None:
    """Put the batch's rejects, staged below `staged`, into quarantine, in the place of what was there of it.

    Raises Fenced if nothing is staged: whoever has taken the batch over has swept it up.
    """
    parquet = sorted(key for key in objects.sizes(lake.bucket, staged) if key.endswith(".parquet"))
    if not parquet:
        raise Fenced(f"what batch {batch.batch_id} had staged in epoch {batch.epoch} is gone")
    kept = []
    for number, key in enumerate(parquet):
        kept.append(lake.quarantine_file(batch.dataset, batch.batch_id, number))
        objects.copy(lake.bucket, key, kept[-1])
    _clear_quarantine(objects, lake, batch, keep=kept)


def _clear_quarantine(objects: Objects, lake: Lake, batch: Batch, keep: Iterable[str]) -> None:
    there = objects.sizes(lake.bucket, lake.quarantine(batch.dataset, batch.batch_id))
    objects.delete(lake.bucket, sorted(there.keys() - set(keep)))


def sweep_up(objects: Objects, lake: Lake, batch: Batch) -> None:
    """Remove what only the work on the batch needed: inbox and staging, up to the epoch of `batch`.

    Not of a later one: it may be processed again by the time that we come to this.
    """
    for place in (f"inbox/{batch.batch_id}/", f"staging/{batch.batch_id}/"):
        keys = objects.sizes(lake.bucket, place)
        over = [key for key in keys if int(key.removeprefix(place).split("/")[0]) <= batch.epoch]
        objects.delete(lake.bucket, over)
