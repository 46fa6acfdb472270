"""The pages as files, in a folder and in the lake."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from gluebook.aws.parallel import in_parallel
from gluebook.report.history import PAGE, PREFIX, SUMMARY, Summary
from gluebook.report.page import index

_HTML = "text/html; charset=utf-8"


class PageStore(Protocol):
    """The store of published pages; `gluebook.aws.objects.Objects` is one."""

    def sizes(self, bucket: str, prefix: str) -> dict[str, int]:
        """Keys below `prefix` and their sizes in bytes."""

    def get_json(self, bucket: str, key: str) -> Any:
        """A JSON document; None if there is none."""

    def put_text(self, bucket: str, key: str, text: str, content_type: str) -> None:
        """Write a text, replacing what was there."""

    def delete(self, bucket: str, keys: Iterable[str]) -> None:
        """Remove objects."""


def write_day(folder: Path, summary: Summary, page: str, docs: Mapping[str, str], made_at: str) -> Path:
    """Write a day into `folder`, replacing what was there of it, and the index; return the page's path.

    `docs`: path from the day's page -> HTML. Raises OSError.
    """
    day = folder / summary.day
    shutil.rmtree(day, ignore_errors=True)
    for name, text in {PAGE: page, SUMMARY: _json(summary), **docs}.items():
        path = day / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / PAGE).write_text(index(list(_written(folder)), made_at), encoding="utf-8")
    return day / PAGE


def publish_day(folder: Path, day: str, store: PageStore, bucket: str, made_at: str) -> list[str]:
    """Upload a written day below `reports/` in the lake, and the index of all days; return both s3:// URIs.

    Finally, files of the day that are not part of it any more are deleted. Raises ClientError.
    """
    prefix = f"{PREFIX}{day}/"
    before = set(store.sizes(bucket, prefix))
    files = {
        f"{prefix}{path.relative_to(folder / day).as_posix()}": path
        for path in sorted((folder / day).rglob("*"))
        if path.is_file()
    }
    # No link may dangle: first what the page links to, then the page, then the summary that puts it into the index.
    for key in sorted(files, key=lambda key: (key.endswith(SUMMARY), key == f"{prefix}{PAGE}", key)):
        kind = "application/json" if key.endswith(".json") else _HTML
        store.put_text(bucket, key, files[key].read_text(encoding="utf-8"), kind)
    store.put_text(bucket, f"{PREFIX}{PAGE}", index(published(store, bucket), made_at), _HTML)
    store.delete(bucket, sorted(before - files.keys()))
    return [f"s3://{bucket}/{prefix}{PAGE}", f"s3://{bucket}/{PREFIX}{PAGE}"]


def published(store: PageStore, bucket: str) -> list[Summary]:
    """The summaries of the days in the lake. Raises ClientError."""
    keys = [key for key in store.sizes(bucket, PREFIX) if key.endswith(f"/{SUMMARY}")]
    found = in_parallel(lambda key: store.get_json(bucket, key), keys)
    return [one for value in found if value and (one := Summary.from_json(value)) is not None]


def _written(folder: Path) -> Iterator[Summary]:
    for path in folder.glob(f"*/{SUMMARY}"):
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # truncated; the day can be reported again
            continue
        if isinstance(value, dict) and (one := Summary.from_json(value)) is not None:
            yield one


def _json(summary: Summary) -> str:
    return json.dumps(summary.to_json(), indent=1, ensure_ascii=False) + "\n"
