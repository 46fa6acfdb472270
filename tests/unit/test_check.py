"""The check of claimed files: what of which version comes into the inbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pyarrow.parquet as pq

from fakes import FakeObjects, a_file
from gluebook.core.model import FileVersion
from gluebook.job.check import _ARROW, _check_file
from gluebook.job.counting import Checked


def claimed(objects: FakeObjects, body: bytes) -> FileVersion:
    """A file version as it is claimed."""
    file = a_file("a.log")
    return a_file("a.log", version=objects.put(file.bucket, file.key, body), size=len(body))


def checked(objects: FakeObjects, file: FileVersion, folder: Path) -> tuple[Checked, list[str]]:
    """What was found of a file, and the records that are in the inbox then."""
    path = folder / "records.parquet"
    with pq.ParquetWriter(path, _ARROW) as writer:
        found = _check_file(objects, 7, file, writer)  # type: ignore[arg-type]
    rows = pq.read_table(path).to_pylist()
    assert {row["file"] for row in rows} <= {7}
    return found, [row["raw"] for row in rows]


def apart(got: Collection[str], wanted: Collection[str]) -> list[str]:
    """The rows that are lost or doubled."""
    differences = {"lost": Counter(wanted) - Counter(got), "doubled": Counter(got) - Counter(wanted)}
    return [
        f"{kind}: {rows.total()} rows in the inbox: {', '.join(sorted(rows))}"
        for kind, rows in differences.items()
        if rows
    ]


def test_a_file_that_was_corrected_after_its_claim_is_read_as_claimed(tmp_path: Path) -> None:
    objects = FakeObjects()
    file = claimed(objects, b"one\ntwo\n")
    correction = claimed(objects, b"one\nthree\nfour\n")
    found, rows = checked(objects, file, tmp_path)
    assert apart(rows, ["one", "two"]) == []
    assert found == Checked(7, 2)
    found, rows = checked(objects, correction, tmp_path)
    assert apart(rows, ["one", "three", "four"]) == []
    assert found == Checked(7, 3)


def test_a_version_that_was_deleted_since_its_claim_is_bad_and_not_replaced_by_another(
    tmp_path: Path,
) -> None:
    objects = FakeObjects()
    file = claimed(objects, b"one\n")
    claimed(objects, b"two\n")
    objects.remove_version(file.bucket, file.key, file.version_id)
    found, rows = checked(objects, file, tmp_path)
    assert apart(rows, []) == []
    assert found.bad == f"version_gone: {file.version_id} was deleted before it could be read"
