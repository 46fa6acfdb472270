"""S3's ListObjectVersions, newest first and page by page; moto's pages lose versions.

moto copies every object's content for each page, returns versions of the same moment in the wrong order, omits the
first version of the next key for a KeyMarker alone, and returns nothing if the version of VersionIdMarker has been
deleted since, as it is when a bucket is emptied page by page.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeKey, S3Backend

# AWS docs, ListObjectVersions, max-keys: "up to 1,000 key names".
_MOST_KEYS = 1000
# The ends of so many pages are remembered, in case the version there is deleted.
_REMEMBERED = 1000


@dataclass(frozen=True)
class _Version:
    """A version or a delete marker, as moto's answer reads it."""

    name: str
    version_id: str
    is_latest: bool
    found: Any

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.found, attribute)


@dataclass
class _Page:
    """What one answer holds, and where the next one starts."""

    most: int
    versions: list[_Version] = field(default_factory=list)
    markers: list[_Version] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: tuple[str | None, str | None] = (None, None)
    truncated: bool = False

    def add(self, entry: _Version | str) -> bool:
        """Add a version or common prefix; False, and the page is truncated, if it is full."""
        if len(self.versions) + len(self.markers) + len(self.prefixes) >= self.most:
            self.truncated = self.most > 0
            return False
        if isinstance(entry, str):
            self.prefixes.append(entry)
            self.last = entry, None
            return True
        (self.versions if isinstance(entry.found, FakeKey) else self.markers).append(entry)
        self.last = entry.name, entry.version_id
        return True


class _PageEnds:
    """The versions older than the last one of a page: the next page starts there even if that one was deleted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._older: OrderedDict[tuple[int, str, str], frozenset[str]] = OrderedDict()

    def remember(self, bucket: Any, name: str, version_id: str) -> None:
        ids = [str(one.version_id) for one in _newest_first(bucket, name)]
        if version_id not in ids:
            return
        with self._lock:
            self._older[id(bucket), name, version_id] = frozenset(ids[ids.index(version_id) + 1 :])
            while len(self._older) > _REMEMBERED:
                self._older.popitem(last=False)

    def older(self, bucket: Any, name: str, version_id: str) -> frozenset[str]:
        """Raises InvalidArgument for a version that is not there and never ended a page."""
        self.remember(bucket, name, version_id)
        with self._lock:
            found = self._older.get((id(bucket), name, version_id))
        if found is None:
            raise S3ClientError("InvalidArgument", "Invalid version id specified")
        return found


_ends = _PageEnds()


def list_object_versions(
    backend: S3Backend,
    bucket_name: str,
    delimiter: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = _MOST_KEYS,
    prefix: str = "",
    version_id_marker: str | None = None,
) -> tuple[list[_Version], list[str], list[_Version], str | None, str | None]:
    """In the place of moto's: (versions, common prefixes, delete markers, next key marker, next version's).

    By key in the order of its bytes, within a key the most recently stored first. The markers are the last
    entry of the previous page ("Marks the last key returned in a truncated response"); a key marker alone starts
    at the key after it. AWS docs: ListObjectVersions. Raises InvalidArgument as S3 does.
    """
    bucket = backend.get_bucket(bucket_name)
    if version_id_marker and not key_marker:
        raise S3ClientError(
            "InvalidArgument", "A version-id marker cannot be specified without a key marker."
        )
    page = _Page(_MOST_KEYS if max_keys is None else max_keys)
    for entry in _entries(bucket, prefix, delimiter, key_marker or "", version_id_marker):
        if not page.add(entry):
            break
    next_key, next_version = page.last if page.truncated else (None, None)
    if next_key is not None and next_version is not None:
        _ends.remember(bucket, next_key, next_version)
    return page.versions, page.prefixes, page.markers, next_key, next_version


def _entries(
    bucket: Any, prefix: str, delimiter: str | None, key_marker: str, version_id_marker: str | None
) -> Iterator[_Version | str]:
    """Versions and common prefixes in their order, those after the markers."""
    names = sorted(name for name in tuple(dict.keys(bucket.keys)) if name.startswith(prefix))
    if version_id_marker and key_marker.startswith(prefix):
        older = _ends.older(bucket, key_marker, version_id_marker)
        yield from (one for one in _versions(bucket, key_marker) if one.version_id in older)
    rolled_up = key_marker
    for name in names[bisect_right(names, key_marker) :]:
        _, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if not found:
            yield from _versions(bucket, name)
            continue
        common = name[: name.index(found, len(prefix)) + len(found)]
        if common != rolled_up:
            rolled_up = common
            yield common


def _versions(bucket: Any, name: str) -> Iterator[_Version]:
    for place, found in enumerate(_newest_first(bucket, name)):
        yield _Version(name, str(found.version_id), place == 0, found)


def _newest_first(bucket: Any, name: str) -> list[Any]:
    # moto keeps the versions of a key in the order in which they were stored.
    return list(bucket.keys.getlist(name, []))[::-1]


def set_versions(store: Any, name: str, kept: Any) -> None:
    """In the place of moto's setlist, which compares each version with every other one: 2,500 of a key took 30 s."""
    staying = list(kept) if isinstance(kept, list | tuple) else [kept]
    identities = {id(one) for one in staying}
    for one in store.getlist(name, []):
        if id(one) not in identities and hasattr(one, "dispose"):
            one.dispose()
    dict.__setitem__(store, name, staying)


def limit_page(respond: Callable[[Any], Any], response: Any) -> Any:
    """No page is larger than S3's, whatever max-keys asks for. Raises InvalidArgument as S3 does."""
    asked = response.querystring.get("max-keys", [str(_MOST_KEYS)])[0]
    if not asked.isdecimal():
        raise S3ClientError("InvalidArgument", "Provided max-keys not an integer or within integer range")
    response.querystring["max-keys"] = [str(min(int(asked), _MOST_KEYS))]
    return respond(response)
