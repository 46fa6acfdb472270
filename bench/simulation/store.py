"""S3 for a job run and the sweep: names and sizes, no bytes. Every request is counted and takes time."""

# The ports' arguments, used or not.
# ruff: noqa: ARG002

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from bench.simulation.clock import SimulatedClock
from gluebook.core.model import ObjectVersion

_PAGE = 1000


class Store:
    """The objects of the lake, and the keys of the raw bucket in the order in which they came.

    `reads` and `writes`: requests, by the first part of the key.
    """

    def __init__(self, clock: SimulatedClock, request_seconds: float, files_of_each: int) -> None:
        self._clock, self._request_seconds = clock, request_seconds
        self._page = max(1, _PAGE // files_of_each)
        self._raw: list[ObjectVersion] = []
        self._lake: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        self._sizes: dict[str, int] = {}
        self.reads: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()

    # -- what the simulation makes happen --------------------------------------------------------------

    def arrive(self, key: str, size: int) -> None:
        """A raw object."""
        self._raw.append(ObjectVersion(key, "1", size))

    def stage(self, key: str, size: int) -> None:
        """What a Spark task writes; `size` in bytes. The time is the task's."""
        self._lake[_top(key)][key] = None
        self._sizes[key] = size
        self.writes[_top(key)] += 1

    # -- the port --------------------------------------------------------------------------------------

    def sizes(self, bucket: str, prefix: str) -> dict[str, int]:
        """As `Objects`."""
        self._request(self.writes, prefix)  # a listing costs what a write costs
        return {key: self._sizes[key] for key in sorted(self._lake[_top(prefix)]) if key.startswith(prefix)}

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """As `Objects`."""
        rests = [key.removeprefix(prefix) for key in self.sizes(bucket, prefix)]
        return sorted({prefix + rest.split("/", 1)[0] for rest in rests if "/" in rest})

    def versions(self, bucket: str, prefix: str, after: str = "") -> Iterator[list[ObjectVersion]]:
        """As `Objects`, of the raw bucket."""
        self._raw.sort(key=lambda version: version.key)
        listed = list(self._raw)
        start = bisect_right(listed, after, key=lambda version: version.key)
        for first in range(start, len(listed), self._page):
            self._request(self.writes, "raw listings/")
            yield listed[first : first + self._page]

    def copy(self, bucket: str, source: str, target: str) -> None:
        """As `Objects`."""
        self._put(target, self._lake[_top(source)][source], self._sizes[source])

    def put_json(self, bucket: str, key: str, value: Any) -> None:
        """As `Objects`."""
        self._put(key, value, 1)

    def put_json_once(self, bucket: str, key: str, value: Any) -> bool:
        """As `Objects`."""
        there = key in self._lake[_top(key)]
        self._put(key, self._lake[_top(key)][key] if there else value, 1)
        return not there

    def get_json(self, bucket: str, key: str) -> Any:
        """As `Objects`."""
        self._request(self.reads, key)
        return self._lake[_top(key)].get(key)

    def delete(self, bucket: str, keys: Iterable[str]) -> None:
        """As `Objects`; deletions cost nothing."""
        for key in keys:
            self._lake[_top(key)].pop(key, None)
            self._sizes.pop(key, None)
        self._clock.spend(self._request_seconds)

    def open_version(
        self, bucket: str, key: str, version_id: str, part: tuple[int, int] | None = None
    ) -> BinaryIO:
        """No bytes here."""
        _not_here()

    def upload(self, path: Path, bucket: str, key: str) -> None:
        """No bytes here."""
        _not_here()

    def download(self, bucket: str, key: str, path: Path) -> None:
        """No bytes here."""
        _not_here()

    def put_text(self, bucket: str, key: str, text: str, content_type: str) -> None:
        """No pages here."""
        _not_here()

    def _put(self, key: str, value: Any, size: int) -> None:
        self._lake[_top(key)][key] = value
        self._sizes[key] = size
        self._request(self.writes, key)

    def _request(self, kind: Counter[str], key: str) -> None:
        kind[_top(key)] += 1
        self._clock.spend(self._request_seconds)


def _top(key: str) -> str:
    return key.partition("/")[0]


def _not_here() -> NoReturn:
    raise AssertionError("the simulation has names and sizes of objects and no bytes")
