"""The lake against the ledger: what of a batch should be there, and what shouldn't."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gluebook.core.differences import Difference, Kind
from gluebook.core.keys import Lake
from gluebook.core.model import Batch
from gluebook.core.states import ATTENTION_STATES, LEASED_STATES, PUBLISHED_STATES

_BATCH = r"(?P<batch>[^/]+?)(?:\.g(?P<generation>\d+))?"
_MANIFEST = re.compile(rf"(?:manifests|vouchers)/[^/]+/{_BATCH}\.json")
_PARQUET = re.compile(rf"(?:curated/[^/]+/dt=[^/]+|vouchers/[^/]+)/{_BATCH}-\d{{5,}}\.parquet")
_WORK = re.compile(r"(?:inbox|staging)/(?P<batch>[^/]+)/.*", re.S)
# Where only batches' objects belong.
PREFIXES = ("curated/", "manifests/", "vouchers/", "inbox/", "staging/")


@dataclass(frozen=True)
class Manifest:
    """A manifest in the lake: of which generation, and the files that it names with their sizes in bytes."""

    key: str
    generation: int
    files: Mapping[str, int]


@dataclass(frozen=True)
class Shelf:
    """What the lake holds of one batch.

    files       Parquet: size in bytes by key
    manifests   of rows and of vouchers, of all generations
    work        keys in inbox and staging
    """

    batch_id: str
    files: Mapping[str, int] = field(default_factory=dict)
    manifests: tuple[Manifest, ...] = ()
    work: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Everything on it."""
        return (*self.files, *(manifest.key for manifest in self.manifests), *self.work)


@dataclass(frozen=True)
class Place:
    """Where an object of the lake belongs."""

    batch_id: str
    generation: int
    kind: str  # "parquet", "manifest", "work"


def place_of(key: str) -> Place | None:
    """The batch that an object belongs to by its name; None if no batch writes such names."""
    for kind, pattern in (("parquet", _PARQUET), ("manifest", _MANIFEST), ("work", _WORK)):
        match = pattern.fullmatch(key)
        if match is not None:
            generation = match["generation"] if kind != "work" else None
            return Place(match["batch"], int(generation or 1), kind)
    return None


def sort_out(listed: Mapping[str, int], manifests: Iterable[Manifest]) -> tuple[dict[str, Shelf], list[str]]:
    """A shelf for each batch, and the keys that belong on none. `listed`: sizes in bytes by key."""
    files: dict[str, dict[str, int]] = {}
    work: dict[str, list[str]] = {}
    read: dict[str, list[Manifest]] = {}
    strange = []
    for key, size in listed.items():
        place = place_of(key)
        if place is None:
            strange.append(key)
        elif place.kind == "parquet":
            files.setdefault(place.batch_id, {})[key] = size
        elif place.kind == "work":
            work.setdefault(place.batch_id, []).append(key)
    for manifest in manifests:
        place = place_of(manifest.key)
        # One that names nothing stands in the place of one that was withdrawn.
        if place is not None and manifest.files:
            read.setdefault(place.batch_id, []).append(manifest)
    shelves = {
        batch_id: Shelf(
            batch_id,
            files.get(batch_id, {}),
            tuple(read.get(batch_id, ())),
            tuple(work.get(batch_id, ())),
        )
        for batch_id in {*files, *work, *read}
    }
    return shelves, strange


def shelf_differences(batch: Batch | None, shelf: Shelf, lake: Lake) -> list[Difference]:
    """What of a batch is in the lake and shouldn't be, and the other way round.

    While a run works on the batch anything may be there, and is left alone.
    """
    if batch is None:
        what = f"{shelf.batch_id}: {len(shelf.keys)} objects"
        return [Difference(Kind.STRANGE_OBJECT, what, f"such as {shelf.keys[0]}")] if shelf.keys else []
    if batch.state in LEASED_STATES:
        return []
    ahead = [manifest for manifest in shelf.manifests if manifest.generation > batch.generation]
    valid = [manifest for manifest in shelf.manifests if manifest not in ahead and _holds(manifest, batch)]
    stale = [manifest for manifest in shelf.manifests if manifest not in ahead and manifest not in valid]
    named = {key for manifest in (*ahead, *valid) for key in manifest.files}
    return [
        *_missing(batch, shelf, valid, lake),
        *_stale(batch, stale),
        *_orphans(batch, sorted(shelf.files.keys() - named)),
        *_leftovers(batch, shelf),
        *(_ahead(manifest.key, batch) for manifest in ahead),
    ]


def _holds(manifest: Manifest, batch: Batch) -> bool:
    """Whether a manifest of this or an earlier generation stands for what should be read."""
    if batch.state in PUBLISHED_STATES:
        return manifest.generation == batch.generation
    # Nothing has taken the place of what the generations before the one that was given up had brought.
    return batch.state in ATTENTION_STATES and batch.generation > 1


def _missing(batch: Batch, shelf: Shelf, valid: list[Manifest], lake: Lake) -> list[Difference]:
    found = []
    if batch.state in PUBLISHED_STATES:
        there = {manifest.key for manifest in valid}
        found += [key for key in _expected_manifests(batch, lake) if key not in there]
    for manifest in valid:
        for key, size in manifest.files.items():
            if key not in shelf.files:
                found.append(key)
            elif shelf.files[key] != size:
                found.append(f"{key} has {shelf.files[key]} bytes, the manifest says {size}")
    return [_of(batch, Kind.MISSING_FILE, batch.batch_id, what) for what in found]


def _expected_manifests(batch: Batch, lake: Lake) -> list[str]:
    of = (batch.dataset, batch.batch_id, batch.generation)
    return [
        *([lake.manifest(*of)] if batch.counts.curated else []),
        *([lake.vouchers(*of)] if batch.vouchers else []),
    ]


def _stale(batch: Batch, manifests: list[Manifest]) -> list[Difference]:
    stands = f"the batch is {batch.state} in generation {batch.generation}"
    return [_of(batch, Kind.STALE_MANIFEST, manifest.key, stands, (manifest.key,)) for manifest in manifests]


def _orphans(batch: Batch, keys: list[str]) -> list[Difference]:
    found = []
    for key in keys:
        place = place_of(key)
        if place is not None and place.generation > batch.generation:
            found.append(_ahead(key, batch))
        else:
            found.append(_of(batch, Kind.ORPHAN, key, f"the batch is {batch.state}", (key,)))
    return found


def _ahead(key: str, batch: Batch) -> Difference:
    """Of a generation that is still to come: put there by nobody that the ledger knows of."""
    return _of(batch, Kind.STRANGE_OBJECT, key, f"the batch is only in generation {batch.generation}")


def _leftovers(batch: Batch, shelf: Shelf) -> list[Difference]:
    if not shelf.work:
        return []
    detail = f"{len(shelf.work)} objects; the batch is {batch.state}"
    return [_of(batch, Kind.LEFTOVER, batch.batch_id, detail, shelf.work)]


def _of(batch: Batch, kind: Kind, what: str, detail: str, objects: tuple[str, ...] = ()) -> Difference:
    return Difference(kind, what, detail, batch.dataset, batch.batch_id, objects)
