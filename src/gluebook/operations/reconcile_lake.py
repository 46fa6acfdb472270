"""The lake's part of reconcile: look at everything, and at what seems wrong a second time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gluebook.core.differences import Difference, Kind
from gluebook.core.keys import Lake
from gluebook.core.model import Batch
from gluebook.core.plan import sizes_in_manifest
from gluebook.core.reconciling_lake import (
    PREFIXES,
    Manifest,
    Shelf,
    place_of,
    shelf_differences,
    sort_out,
)
from gluebook.operations.operating import Operating

_READERS = 16
In = TypeVar("In")
Out = TypeVar("Out")


def inspect_lake(batches: Mapping[str, Batch], work: Operating) -> list[Difference]:
    """What of any batch is in the lake and shouldn't be, and the other way round.

    `batches` may be a little old.
    """
    listed: dict[str, int] = {}
    for prefix in PREFIXES:
        listed |= work.objects.sizes(work.lake.bucket, prefix)
    shelves, strange = sort_out(listed, _manifests(listed, work))
    doubtful = []
    for batch_id in sorted({*shelves, *batches}):
        shelf = shelves.get(batch_id, Shelf(batch_id))
        if shelf_differences(batches.get(batch_id), shelf, work.lake):
            doubtful.append(shelf)
    found = [Difference(Kind.STRANGE_OBJECT, key, "no batch writes such names") for key in strange]
    for differences in _all(lambda shelf: look_again(shelf, work), doubtful):
        found += differences
    return found


def look_again(shelf: Shelf, work: Operating) -> list[Difference]:
    """What is wrong with one batch's objects, in this order: its state now, its manifests, its files.

    By then the run that settled the batch had written its manifests, and what was listed earlier belongs to a
    generation that nobody can publish any more: what is an orphan now stays one, and may be removed.
    """
    batch = work.ledger.batch(shelf.batch_id)
    manifests = _manifests(_manifest_keys(shelf, batch, work.lake), work)
    named = {key: size for manifest in manifests for key, size in manifest.files.items()}
    files = dict(shelf.files)
    for key in [key for key in {*files, *named} if files.get(key) != named.get(key)]:
        size = _size(key, work)
        if size is None:
            files.pop(key, None)
        else:
            files[key] = size
    now = Shelf(shelf.batch_id, files, tuple(manifests), _still_there(shelf, work))
    return shelf_differences(batch, now, work.lake)


def _manifest_keys(shelf: Shelf, batch: Batch | None, lake: Lake) -> set[str]:
    keys = {manifest.key for manifest in shelf.manifests}
    if batch is not None:
        for generation in range(1, batch.generation + 1):
            keys.add(lake.manifest(batch.dataset, batch.batch_id, generation))
            keys.add(lake.vouchers(batch.dataset, batch.batch_id, generation))
    return keys


def _still_there(shelf: Shelf, work: Operating) -> tuple[str, ...]:
    """Of what was listed in inbox and staging; what has come since belongs to somebody who is at work."""
    there: set[str] = set()
    for place in ("inbox", "staging") if shelf.work else ():
        there |= work.objects.sizes(work.lake.bucket, f"{place}/{shelf.batch_id}/").keys()
    return tuple(key for key in shelf.work if key in there)


def _size(key: str, work: Operating) -> int | None:
    return work.objects.sizes(work.lake.bucket, key).get(key)


def _manifests(keys: Iterable[str], work: Operating) -> list[Manifest]:
    """Those of `keys` that are manifests and are there."""
    return [manifest for manifest in _all(lambda key: _manifest(key, work), keys) if manifest]


def _manifest(key: str, work: Operating) -> Manifest | None:
    place = place_of(key)
    if place is None or place.kind != "manifest":
        return None
    stored = work.objects.get_json(work.lake.bucket, key)
    if stored is None:
        return None
    return Manifest(key, place.generation, sizes_in_manifest(stored, work.lake))


def _all(function: Callable[[In], Out], values: Iterable[In]) -> list[Out]:
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(function, values))
