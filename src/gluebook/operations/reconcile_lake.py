"""Reconcile the lake: compare all objects with the ledger, and check apparent differences a second time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gluebook.aws.parallel import in_parallel
from gluebook.core.differences import Difference, Kind
from gluebook.core.keys import Lake
from gluebook.core.model import Batch
from gluebook.core.plan import sizes_in_manifest
from gluebook.core.reconciling_lake import (
    PREFIXES,
    BatchObjects,
    Manifest,
    batch_differences,
    group_by_batch,
    parse_object_name,
)
from gluebook.operations.context import OperationsContext


def inspect_lake(batches: Mapping[str, Batch], context: OperationsContext) -> list[Difference]:
    """Objects in the lake that are unexpected or missing. `batches` may be slightly out of date."""
    listed: dict[str, int] = {}
    for prefix in PREFIXES:
        listed |= context.objects.sizes(context.lake.bucket, prefix)
    by_batch, unknown = group_by_batch(listed, _manifests(listed, context))
    doubtful = []
    for batch_id in sorted({*by_batch, *batches}):
        objects = by_batch.get(batch_id, BatchObjects(batch_id))
        if batch_differences(batches.get(batch_id), objects, context.lake):
            doubtful.append(objects)
    found = [Difference(Kind.UNKNOWN_OBJECT, key, "no batch writes such keys") for key in unknown]
    for differences in in_parallel(lambda objects: recheck(objects, context), doubtful):
        found += differences
    return found


def recheck(objects: BatchObjects, context: OperationsContext) -> list[Difference]:
    """Read one batch again and return what is wrong with its objects: first its state, then manifests, then files.

    The order matters. The run that settled the batch wrote its manifests first, and the listed objects belong to a
    generation that no run can publish any more: an object that is an orphan now stays one, and can be removed.
    """
    batch = context.ledger.batch(objects.batch_id)
    manifests = _manifests(_manifest_keys(objects, batch, context.lake), context)
    named = {key: size for manifest in manifests for key, size in manifest.files.items()}
    files = dict(objects.files)
    for key in [key for key in {*files, *named} if files.get(key) != named.get(key)]:
        size = _size(key, context)
        if size is None:
            files.pop(key, None)
        else:
            files[key] = size
    now = BatchObjects(objects.batch_id, files, tuple(manifests), _still_there(objects, context))
    return batch_differences(batch, now, context.lake)


def _manifest_keys(objects: BatchObjects, batch: Batch | None, lake: Lake) -> set[str]:
    keys = {manifest.key for manifest in objects.manifests}
    if batch is not None:
        for generation in range(1, batch.generation + 1):
            keys.add(lake.manifest(batch.dataset, batch.batch_id, generation))
            keys.add(lake.row_references_manifest(batch.dataset, batch.batch_id, generation))
    return keys


def _still_there(objects: BatchObjects, context: OperationsContext) -> tuple[str, ...]:
    """The listed keys in inbox and staging that still exist; newer ones belong to a run that is at work."""
    there: set[str] = set()
    for name in ("inbox", "staging") if objects.work else ():
        there |= context.objects.sizes(context.lake.bucket, f"{name}/{objects.batch_id}/").keys()
    return tuple(key for key in objects.work if key in there)


def _size(key: str, context: OperationsContext) -> int | None:
    return context.objects.sizes(context.lake.bucket, key).get(key)


def _manifests(keys: Iterable[str], context: OperationsContext) -> list[Manifest]:
    """The manifests among `keys` that exist."""
    return [manifest for manifest in in_parallel(lambda key: _manifest(key, context), keys) if manifest]


def _manifest(key: str, context: OperationsContext) -> Manifest | None:
    name = parse_object_name(key)
    if name is None or name.kind != "manifest":
        return None
    stored = context.objects.get_json(context.lake.bucket, key)
    if stored is None:
        return None
    return Manifest(key, name.generation, sizes_in_manifest(stored, context.lake))
