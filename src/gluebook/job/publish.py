"""Make a gated batch visible: its files under deterministic names, its manifest last, fenced by the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

from gluebook.core.history import MOST_PARTITIONS
from gluebook.core.model import Batch, NotedVerdict
from gluebook.core.plan import (
    PublishedFile,
    PublishPlan,
    copy_manifest,
    keys_ever_named,
    withdrawn_manifest,
)
from gluebook.core.stamps import stamp
from gluebook.core.states import BatchState
from gluebook.errors import CountMismatch
from gluebook.job.context import JobContext

_log = logging.getLogger(__name__)
_COPIES = 8


def begin_publishing(
    context: JobContext,
    batch: Batch,
    plan: PublishPlan,
    verdict: NotedVerdict | None = None,
) -> Batch:
    """Put the plan down and pass the point from which the batch is only rolled forward. Raises Fenced.

    With it the gate's `verdict` is noted for the warehouse: of each generation there is one.
    """
    ledger, objects, lake = context.ledger, context.objects, context.lake
    key = f"{lake.staging(batch.batch_id, batch.epoch)}plan.json"
    objects.put_json(lake.bucket, key, plan.to_json())
    return ledger.advance(
        batch,
        replace(batch, state=BatchState.PUBLISHING, plan=key, reason=None),
        stamp(context.clock()),
        plan.reason or "gate passed",
        verdict,
    )


def finish_publishing(context: JobContext, batch: Batch) -> Batch:
    """Do what the plan says and give the batch the state that it names; may be repeated from anywhere.

    The fence is asked before the manifest is written: a run that lost its lease leaves at most copies under
    names that its successor writes too, with the same content. What an earlier generation had published goes
    when everything that takes its place is there: its manifest before the new one comes, its files after.
    Raises Fenced; CountMismatch if the plan is gone.
    """
    ledger, objects, lake = context.ledger, context.objects, context.lake
    plan = _plan(context, batch)
    if plan is None:
        ledger.confirm(batch)
        raise CountMismatch(f"batch {batch.batch_id}: its plan {batch.plan} is gone from {lake.bucket}")
    try:
        _copy(context, plan.copies)
    finally:
        # A run that has lost the batch finds nothing to copy: then the lost batch is the error to report.
        ledger.confirm(batch)
    results = {"files": [asdict(result) for result in plan.results]}
    objects.put_json(lake.bucket, lake.result(batch.dataset, batch.batch_id, plan.epoch), results)
    published = plan.outcome is BatchState.CURATED
    old = _put_manifests(context, batch, plan) if published else []
    # First what copies are made from: no run of before can bring back what goes now.
    _drop_staged(context, batch, plan.epoch - 1)
    objects.delete(lake.bucket, old)
    _clear_quarantine(context, batch, keep=plan.epoch)
    done = replace(
        batch, state=plan.outcome, counts=plan.counts, reported_epoch=plan.epoch, reason=plan.reason
    )
    if published:
        done = replace(
            done,
            partitions=plan.partitions[:MOST_PARTITIONS],
            partitions_left_out=len(plan.partitions[MOST_PARTITIONS:]),
            vouchers=plan.voucher_rows,
        )
    done = ledger.advance(batch, done, stamp(context.clock()), plan.reason or "published")
    _log.info("batch %s is %s: %s", batch.batch_id, done.state, plan.counts)
    return done


def _put_manifests(context: JobContext, batch: Batch, plan: PublishPlan) -> list[str]:
    """Withdraw what earlier generations had published and put this one's manifests there; the keys of the old."""
    objects, lake = context.objects, context.lake
    old = _withdraw(context, batch, range(1, batch.generation))
    if plan.vouchers:
        vouchers = lake.vouchers(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, vouchers, copy_manifest(plan.vouchers, lake))
    if plan.files:
        manifest = lake.manifest(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, manifest, copy_manifest(plan.files, lake))
    return old


def withdraw_published(context: JobContext, batch: Batch) -> None:
    """Take back what a batch that will never be loaded has published, manifest first; may be repeated."""
    objects, lake = context.objects, context.lake
    plan = _plan(context, batch)
    planned = [file.final for file in (*plan.files, *plan.vouchers)] if plan else []
    # Also if it hasn't got that far: a run that still works on it must find the places taken.
    for place in (lake.manifest, lake.vouchers):
        own = place(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, own, withdrawn_manifest(planned))
    # What copies are made from goes before the copies: a run that still makes some finds nothing any more.
    _drop_staged(context, batch, batch.epoch)
    files = _withdraw(context, batch, range(1, batch.generation + 1))
    objects.delete(lake.bucket, sorted({*files, *planned}))
    _clear_quarantine(context, batch, keep=None)
    objects.delete(lake.bucket, [lake.result(batch.dataset, batch.batch_id, batch.reported_epoch)])


def has_plan(context: JobContext, batch: Batch) -> bool:
    """Whether there is a plan by which a PUBLISHING batch can be finished."""
    return _plan(context, batch) is not None


def _plan(context: JobContext, batch: Batch) -> PublishPlan | None:
    objects, lake = context.objects, context.lake
    stored = objects.get_json(lake.bucket, batch.plan) if batch.plan else None
    return PublishPlan.from_json(stored) if stored is not None else None


def _copy(context: JobContext, files: Iterable[PublishedFile]) -> None:
    objects, lake = context.objects, context.lake
    with ThreadPoolExecutor(_COPIES) as pool:
        list(pool.map(lambda file: objects.copy(lake.bucket, file.staged, file.final), files))


def _withdraw(context: JobContext, batch: Batch, generations: Iterable[int]) -> list[str]:
    """Put what names nothing in the place of the manifests of some generations; the keys that they named."""
    objects, lake = context.objects, context.lake
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


def _clear_quarantine(context: JobContext, batch: Batch, keep: int | None) -> None:
    """Remove the batch's rejects of every epoch up to its own but `keep`; a later one's aren't ours."""
    objects, lake = context.objects, context.lake
    of = (batch.dataset, batch.batch_id)
    there = objects.sizes(lake.bucket, lake.quarantine(*of))
    epochs = {key: lake.epoch_of_rejects(*of, key) for key in there}
    objects.delete(lake.bucket, [k for k, epoch in epochs.items() if epoch <= batch.epoch and epoch != keep])


def remove_work_files(context: JobContext, batch: Batch) -> None:
    """Remove what only the work on the batch needed: inbox and staging, up to the epoch of `batch`.

    Not of a later one: it may be processed again by the time that we come to this.
    """
    objects, lake = context.objects, context.lake
    for place in ("inbox", "staging"):
        objects.delete(lake.bucket, _work(context, f"{place}/{batch.batch_id}/", batch.epoch))


def _drop_staged(context: JobContext, batch: Batch, until: int) -> None:
    """Remove what was staged for the batch up to the epoch `until`, but not the plan by which it is finished."""
    objects, lake = context.objects, context.lake
    staged = _work(context, f"staging/{batch.batch_id}/", until)
    objects.delete(lake.bucket, [key for key in staged if key != batch.plan])


def _work(context: JobContext, place: str, until: int) -> list[str]:
    """The keys in a batch's part of inbox or staging up to the epoch `until`."""
    objects, lake = context.objects, context.lake
    keys = objects.sizes(lake.bucket, place)
    return [key for key in keys if int(key.removeprefix(place).split("/")[0]) <= until]
