"""The adapters of the actors: every call passes a door, where the actor can be stopped or killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from chaos.baton import door
from fakes import FakeObjects
from gluebook.core.model import ObjectVersion


class DoorObjects:
    """`FakeObjects`, call by call; a delete is one call for each key."""

    def __init__(self, objects: FakeObjects) -> None:
        self._objects = objects

    def open_version(
        self, bucket: str, key: str, version_id: str, part: tuple[int, int] | None = None
    ) -> BinaryIO:
        return door(
            f"GetObject {key}", False, lambda: self._objects.open_version(bucket, key, version_id, part)
        )

    def body(self, bucket: str, key: str) -> bytes | None:
        return door(f"GetObject {key}", False, lambda: self._objects.body(bucket, key))

    def put(self, bucket: str, key: str, body: bytes) -> str:
        return door(f"PutObject {key}", True, lambda: self._objects.put(bucket, key, body))

    def sizes(self, bucket: str, prefix: str) -> dict[str, int]:
        return door("ListObjects", False, lambda: self._objects.sizes(bucket, prefix))

    def folders(self, bucket: str, prefix: str) -> list[str]:
        return door("ListObjects", False, lambda: self._objects.folders(bucket, prefix))

    def versions(self, bucket: str, prefix: str, after: str = "") -> Iterator[list[ObjectVersion]]:
        pages = door("ListObjectVersions", False, lambda: list(self._objects.versions(bucket, prefix, after)))
        return iter(pages)

    def copy(self, bucket: str, source: str, target: str) -> None:
        door(f"CopyObject {target}", True, lambda: self._objects.copy(bucket, source, target))

    def put_json(self, bucket: str, key: str, value: Any) -> None:
        door(f"PutObject {key}", True, lambda: self._objects.put_json(bucket, key, value))

    def put_json_once(self, bucket: str, key: str, value: Any) -> bool:
        return door(f"PutObject {key}", True, lambda: self._objects.put_json_once(bucket, key, value))

    def get_json(self, bucket: str, key: str) -> Any:
        return door(f"GetObject {key}", False, lambda: self._objects.get_json(bucket, key))

    def delete(self, bucket: str, keys: Iterator[str] | list[str]) -> None:
        for key in keys:
            self._delete_one(bucket, key)

    def _delete_one(self, bucket: str, key: str) -> None:
        door(f"DeleteObject {key}", True, lambda: self._objects.delete(bucket, [key]))


class DoorJobs:
    """Glue: `start` starts a job run."""

    def __init__(self, start: Callable[[str], str | None]) -> None:
        self._start = start

    def start(self, job: str) -> str | None:
        return door("StartJobRun", True, lambda: self._start(job))


class DoorQueue:
    """The queue of arrivals: `send` sends a message."""

    def __init__(self, send: Callable[[str, int], None]) -> None:
        self._send = send

    def send_later(self, body: str, seconds: int) -> None:
        door("SendMessage", True, lambda: self._send(body, seconds))
