"""S3 in memory, with versions; as `gluebook.aws.objects.Objects` uses it."""

from __future__ import annotations

import io
import itertools
import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from gluebook.core.model import ObjectVersion


@dataclass(frozen=True)
class Stored:
    """One version of an object; a delete marker has no bytes."""

    version_id: str
    body: bytes | None


class FakeObjects:
    """All of `Objects`. `page`: how many versions a listing shows at once."""

    def __init__(self, page: int = 1000) -> None:
        self._lock = threading.RLock()
        self._stored: dict[tuple[str, str], list[Stored]] = {}
        self._numbers = itertools.count(1)
        self._page = page

    def put(self, bucket: str, key: str, body: bytes) -> str:
        """Store a new version of an object; its id."""
        return self._append(bucket, key, body)

    def _append(self, bucket: str, key: str, body: bytes | None) -> str:
        with self._lock:
            # Version ids don't sort.
            number = next(self._numbers)
            version = f"{(number * 7919) % 99991:05d}-{number}"
            self._stored.setdefault((bucket, key), []).append(Stored(version, body))
            return version

    def remove_version(self, bucket: str, key: str, version_id: str) -> None:
        """Delete one version for good."""
        with self._lock:
            left = [s for s in self._stored[(bucket, key)] if s.version_id != version_id]
            self._stored[(bucket, key)] = left

    def body(self, bucket: str, key: str) -> bytes | None:
        """The newest version's bytes; None if there is none."""
        with self._lock:
            stored = self._stored.get((bucket, key))
            return stored[-1].body if stored else None

    def open_version(
        self, bucket: str, key: str, version_id: str, part: tuple[int, int] | None = None
    ) -> BinaryIO:
        with self._lock:
            for stored in self._stored.get((bucket, key), []):
                if stored.version_id == version_id and stored.body is not None:
                    return io.BytesIO(stored.body[slice(*part)] if part else stored.body)
        raise FileNotFoundError(f"s3://{bucket}/{key} has no version {version_id}")

    def sizes(self, bucket: str, prefix: str) -> dict[str, int]:
        with self._lock:
            newest = {
                key: stored[-1].body
                for (of, key), stored in sorted(self._stored.items())
                if of == bucket and key.startswith(prefix) and stored
            }
        return {key: len(body) for key, body in newest.items() if body is not None}

    def folders(self, bucket: str, prefix: str) -> list[str]:
        rests = [key.removeprefix(prefix) for key in self.sizes(bucket, prefix)]
        return sorted({prefix + rest.split("/", 1)[0] for rest in rests if "/" in rest})

    def versions(self, bucket: str, prefix: str, after: str = "") -> Iterator[list[ObjectVersion]]:
        with self._lock:
            keys = sorted(
                key
                for (of, key), stored in self._stored.items()
                if of == bucket and key.startswith(prefix) and key > after and stored
            )
            listed = [
                [
                    ObjectVersion(key, stored.version_id, len(stored.body))
                    for stored in reversed(self._stored[(bucket, key)])
                    if stored.body is not None
                ]
                for key in keys
            ]
        page: list[ObjectVersion] = []
        for versions in listed:
            page += versions
            if len(page) >= self._page:
                yield page
                page = []
        if page:
            yield page

    def upload(self, path: Path, bucket: str, key: str) -> None:
        self.put(bucket, key, path.read_bytes())

    def download(self, bucket: str, key: str, path: Path) -> None:
        body = self.body(bucket, key)
        if body is None:
            raise FileNotFoundError(f"s3://{bucket}/{key}")
        path.write_bytes(body)

    def copy(self, bucket: str, source: str, target: str) -> None:
        body = self.body(bucket, source)
        if body is None:
            raise FileNotFoundError(f"s3://{bucket}/{source}")
        self.put(bucket, target, body)

    def put_json(self, bucket: str, key: str, value: Any) -> None:
        self.put(bucket, key, json.dumps(value).encode())

    def put_text(self, bucket: str, key: str, text: str, content_type: str) -> None:
        self._append(bucket, key, text.encode())

    def put_json_once(self, bucket: str, key: str, value: Any) -> bool:
        with self._lock:
            if self.body(bucket, key) is not None:
                return False
            self.put_json(bucket, key, value)
            return True

    def get_json(self, bucket: str, key: str) -> Any:
        body = self.body(bucket, key)
        return None if body is None else json.loads(body)

    def delete(self, bucket: str, keys: Iterable[str]) -> None:
        for key in keys:
            if self.body(bucket, key) is not None:
                self._append(bucket, key, None)
