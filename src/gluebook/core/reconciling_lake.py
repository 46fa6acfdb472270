"""Compare the objects of a batch in the lake with the batch in the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gluebook.core.differences import Difference, Kind
from gluebook.core.keys import ROW_REFERENCES_PREFIX, Lake
from gluebook.core.model import Batch
from gluebook.core.states import ATTENTION_STATES, LEASED_STATES, PUBLISHED_STATES

_BATCH = r"(?P<batch>[^/]+?)(?:\.g(?P<generation>\d+))?"
_MANIFEST = re.compile(rf"(?:manifests/|{ROW_REFERENCES_PREFIX})[^/]+/{_BATCH}\.json")
_PARQUET = re.compile(rf"(?:curated/[^/]+/dt=[^/]+|{ROW_REFERENCES_PREFIX}[^/]+)/{_BATCH}-\d{{5,}}\.parquet")
_WORK = re.compile(r"(?:inbox|staging)/(?P<batch>[^/]+)/.*", re.S)
# Prefixes that hold objects of batches only.
PREFIXES = ("curated/", "manifests/", ROW_REFERENCES_PREFIX, "inbox/", "staging/")


@dataclass(frozen=True)
class Manifest:
    """A manifest in the lake: its generation, and the files that it names with their sizes in bytes."""

    key: str
    generation: int
    files: Mapping[str, int]


@dataclass(frozen=True)
class BatchObjects:
    """The objects of one batch in the lake.

    files       Parquet: size in bytes by key
    manifests   manifests of rows and of row references, of all generations
    work        keys in inbox and staging
    """

    batch_id: str
    files: Mapping[str, int] = field(default_factory=dict)
    manifests: tuple[Manifest, ...] = ()
    work: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all objects."""
        return (*self.files, *(manifest.key for manifest in self.manifests), *self.work)


@dataclass(frozen=True)
class ObjectName:
    """An object's batch, generation and kind, parsed from its key."""

    batch_id: str
    generation: int
    kind: str  # "parquet", "manifest", "work"


def parse_object_name(key: str) -> ObjectName | None:
    """Parse the key of a batch's object; None if no batch writes such keys."""
    for kind, pattern in (("parquet", _PARQUET), ("manifest", _MANIFEST), ("work", _WORK)):
        match = pattern.fullmatch(key)
        if match is not None:
            generation = match["generation"] if kind != "work" else None
            return ObjectName(match["batch"], int(generation or 1), kind)
    return None


def group_by_batch(
    listed: Mapping[str, int], manifests: Iterable[Manifest]
) -> tuple[dict[str, BatchObjects], list[str]]:
    """Group objects by batch; also returns the keys that belong to no batch. `listed`: sizes in bytes by key."""
    files: dict[str, dict[str, int]] = {}
    work: dict[str, list[str]] = {}
    read: dict[str, list[Manifest]] = {}
    unknown = []
    for key, size in listed.items():
        name = parse_object_name(key)
        if name is None:
            unknown.append(key)
        elif name.kind == "parquet":
            files.setdefault(name.batch_id, {})[key] = size
        elif name.kind == "work":
            work.setdefault(name.batch_id, []).append(key)
    for manifest in manifests:
        name = parse_object_name(manifest.key)
        # A manifest that names no file is a withdrawn one.
        if name is not None and manifest.files:
            read.setdefault(name.batch_id, []).append(manifest)
    by_batch = {
        batch_id: BatchObjects(
            batch_id,
            files.get(batch_id, {}),
            tuple(read.get(batch_id, ())),
            tuple(work.get(batch_id, ())),
        )
        for batch_id in {*files, *work, *read}
    }
    return by_batch, unknown


def batch_differences(batch: Batch | None, objects: BatchObjects, lake: Lake) -> list[Difference]:
    """Objects of a batch that are unexpected or missing.

    While a run works on the batch, any object is allowed.
    """
    if batch is None:
        what = f"{objects.batch_id}: {len(objects.keys)} objects"
        return [Difference(Kind.UNKNOWN_OBJECT, what, f"such as {objects.keys[0]}")] if objects.keys else []
    if batch.state in LEASED_STATES:
        return []
    ahead = [manifest for manifest in objects.manifests if manifest.generation > batch.generation]
    valid = [
        manifest for manifest in objects.manifests if manifest not in ahead and _is_current(manifest, batch)
    ]
    stale = [manifest for manifest in objects.manifests if manifest not in ahead and manifest not in valid]
    named = {key for manifest in (*ahead, *valid) for key in manifest.files}
    return [
        *_missing(batch, objects, valid, lake),
        *_stale(batch, stale),
        *_orphans(batch, sorted(objects.files.keys() - named)),
        *_leftovers(batch, objects),
        *(_ahead(manifest.key, batch) for manifest in ahead),
    ]


def _is_current(manifest: Manifest, batch: Batch) -> bool:
    """Whether a manifest of this or an earlier generation names what should be read."""
    if batch.state in PUBLISHED_STATES:
        return manifest.generation == batch.generation
    # The failed generation published nothing, so what earlier generations published stays.
    return batch.state in ATTENTION_STATES and batch.generation > 1


def _missing(batch: Batch, objects: BatchObjects, valid: list[Manifest], lake: Lake) -> list[Difference]:
    found = []
    if batch.state in PUBLISHED_STATES:
        there = {manifest.key for manifest in valid}
        found += [key for key in _expected_manifests(batch, lake) if key not in there]
    for manifest in valid:
        for key, size in manifest.files.items():
            if key not in objects.files:
                found.append(key)
            elif objects.files[key] != size:
                found.append(f"{key} has {objects.files[key]} bytes, the manifest says {size}")
    return [_of(batch, Kind.MISSING_FILE, batch.batch_id, what) for what in found]


def _expected_manifests(batch: Batch, lake: Lake) -> list[str]:
    of = (batch.dataset, batch.batch_id, batch.generation)
    return [
        *([lake.manifest(*of)] if batch.counts.curated else []),
        *([lake.row_references_manifest(*of)] if batch.row_references else []),
    ]


def _stale(batch: Batch, manifests: list[Manifest]) -> list[Difference]:
    detail = f"the batch is {batch.state} in generation {batch.generation}"
    return [_of(batch, Kind.STALE_MANIFEST, manifest.key, detail, (manifest.key,)) for manifest in manifests]


def _orphans(batch: Batch, keys: list[str]) -> list[Difference]:
    found = []
    for key in keys:
        name = parse_object_name(key)
        if name is not None and name.generation > batch.generation:
            found.append(_ahead(key, batch))
        else:
            found.append(_of(batch, Kind.ORPHAN, key, f"the batch is {batch.state}", (key,)))
    return found


def _ahead(key: str, batch: Batch) -> Difference:
    """An object of a future generation, which no run known to the ledger has written."""
    return _of(batch, Kind.UNKNOWN_OBJECT, key, f"the batch is still in generation {batch.generation}")


def _leftovers(batch: Batch, objects: BatchObjects) -> list[Difference]:
    if not objects.work:
        return []
    detail = f"{len(objects.work)} objects; the batch is {batch.state}"
    return [_of(batch, Kind.LEFTOVER, batch.batch_id, detail, objects.work)]


def _of(batch: Batch, kind: Kind, what: str, detail: str, objects: tuple[str, ...] = ()) -> Difference:
    return Difference(kind, what, detail, batch.dataset, batch.batch_id, objects)
