"""Make a gated batch visible: its files under deterministic names, its manifest last, fenced by the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict, replace

from gluebook.aws.parallel import in_parallel
from gluebook.core.history import MOST_PARTITIONS
from gluebook.core.model import Batch, NotedVerdict
from gluebook.core.plan import (
    PublishedFile,
    PublishPlan,
    copy_manifest,
    keys_ever_named,
    withdrawn_manifest,
)
from gluebook.core.states import BatchState
from gluebook.core.timestamps import utc_timestamp
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
    """Store the plan and move the batch to PUBLISHING, from where it is only rolled forward. Raises Fenced.

    The same transaction stores the gate's `verdict` for the warehouse: one for each generation.
    """
    ledger, objects, lake = context.ledger, context.objects, context.lake
    key = f"{lake.staging(batch.batch_id, batch.epoch)}plan.json"
    objects.put_json(lake.bucket, key, plan.to_json())
    return ledger.advance(
        batch,
        replace(batch, state=BatchState.PUBLISHING, plan=key, reason=None),
        utc_timestamp(context.clock()),
        plan.reason or "gate passed",
        verdict,
    )


def finish_publishing(context: JobContext, batch: Batch) -> Batch:
    """Carry out the plan and move the batch to its outcome; idempotent, also after an interruption.

    The fence is checked before the manifest is written: a run that lost its lease leaves at most copies that its
    successor writes too, with the same keys and content. An earlier generation is withdrawn when its replacement is
    complete: its manifest before the new one is written, its files after.
    Raises Fenced; CountMismatch if the plan is missing.
    """
    ledger, objects, lake = context.ledger, context.objects, context.lake
    plan = _plan(context, batch)
    if plan is None:
        ledger.confirm(batch)
        raise CountMismatch(
            f"batch {batch.batch_id}: its plan {batch.plan} is missing in bucket {lake.bucket}"
        )
    try:
        _copy(context, plan.copies)
    finally:
        # For a run that lost the batch, the staged files are gone: raise Fenced rather than the failed copy.
        ledger.confirm(batch)
    results = {"files": [asdict(result) for result in plan.results]}
    objects.put_json(lake.bucket, lake.result(batch.dataset, batch.batch_id, plan.epoch), results)
    published = plan.outcome is BatchState.CURATED
    old = _put_manifests(context, batch, plan) if published else []
    # Delete the staged files first, so that no earlier run can copy again what is deleted next.
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
            row_references=plan.row_reference_rows,
        )
    done = ledger.advance(batch, done, utc_timestamp(context.clock()), plan.reason or "published")
    _log.info("batch %s is %s: %s", batch.batch_id, done.state, plan.counts)
    return done


def _put_manifests(context: JobContext, batch: Batch, plan: PublishPlan) -> list[str]:
    """Withdraw earlier generations and write this one's manifests; returns the keys of the withdrawn files."""
    objects, lake = context.objects, context.lake
    old = _withdraw(context, batch, range(1, batch.generation))
    if plan.row_references:
        row_references = lake.row_references_manifest(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, row_references, copy_manifest(plan.row_references, lake))
    if plan.files:
        manifest = lake.manifest(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, manifest, copy_manifest(plan.files, lake))
    return old


def withdraw_published(context: JobContext, batch: Batch) -> None:
    """Withdraw what a batch that will never be loaded has published, manifest first; idempotent."""
    objects, lake = context.objects, context.lake
    plan = _plan(context, batch)
    planned = [file.final for file in (*plan.files, *plan.row_references)] if plan else []
    # Also before the manifests exist: a run that still works on the batch must find their keys taken.
    for key_of in (lake.manifest, lake.row_references_manifest):
        own = key_of(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, own, withdrawn_manifest(planned))
    # Delete the staged files before the copies, so that a run that is still copying finds none.
    _drop_staged(context, batch, batch.epoch)
    files = _withdraw(context, batch, range(1, batch.generation + 1))
    objects.delete(lake.bucket, sorted({*files, *planned}))
    _clear_quarantine(context, batch, keep=None)
    objects.delete(lake.bucket, [lake.result(batch.dataset, batch.batch_id, batch.reported_epoch)])


def has_plan(context: JobContext, batch: Batch) -> bool:
    """Whether the plan of a PUBLISHING batch exists."""
    return _plan(context, batch) is not None


def _plan(context: JobContext, batch: Batch) -> PublishPlan | None:
    objects, lake = context.objects, context.lake
    stored = objects.get_json(lake.bucket, batch.plan) if batch.plan else None
    return PublishPlan.from_json(stored) if stored is not None else None


def _copy(context: JobContext, files: Iterable[PublishedFile]) -> None:
    objects, lake = context.objects, context.lake
    in_parallel(lambda file: objects.copy(lake.bucket, file.staged, file.final), files, _COPIES)


def _withdraw(context: JobContext, batch: Batch, generations: Iterable[int]) -> list[str]:
    """Replace the manifests of some generations by withdrawn ones; returns the keys that they named."""
    objects, lake = context.objects, context.lake
    files: list[str] = []
    for generation in generations:
        for key in (
            lake.manifest(batch.dataset, batch.batch_id, generation),
            lake.row_references_manifest(batch.dataset, batch.batch_id, generation),
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
    """Delete the batch's rejects of its epoch and earlier ones, except `keep`; later epochs belong to other runs."""
    objects, lake = context.objects, context.lake
    of = (batch.dataset, batch.batch_id)
    there = objects.sizes(lake.bucket, lake.quarantine(*of))
    epochs = {key: lake.epoch_of_rejects(*of, key) for key in there}
    objects.delete(lake.bucket, [k for k, epoch in epochs.items() if epoch <= batch.epoch and epoch != keep])


def remove_work_files(context: JobContext, batch: Batch) -> None:
    """Delete the batch's inbox and staging up to the epoch of `batch`.

    Later epochs stay, because the batch may be processed again by now.
    """
    objects, lake = context.objects, context.lake
    for folder in ("inbox", "staging"):
        objects.delete(lake.bucket, _work(context, f"{folder}/{batch.batch_id}/", batch.epoch))


def _drop_staged(context: JobContext, batch: Batch, until: int) -> None:
    """Delete what was staged for the batch up to the epoch `until`, except its plan."""
    objects, lake = context.objects, context.lake
    staged = _work(context, f"staging/{batch.batch_id}/", until)
    objects.delete(lake.bucket, [key for key in staged if key != batch.plan])


def _work(context: JobContext, prefix: str, until: int) -> list[str]:
    """The keys of a batch in inbox or staging, up to the epoch `until`."""
    objects, lake = context.objects, context.lake
    keys = objects.sizes(lake.bucket, prefix)
    return [key for key in keys if int(key.removeprefix(prefix).split("/")[0]) <= until]
