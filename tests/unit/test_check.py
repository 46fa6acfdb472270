"""The check of claimed files: what of which version comes into the inbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from fakes import FakeObjects, a_file
from gluebook.core.model import FileVersion
from gluebook.job.check import _check_piece, plan_tasks
from gluebook.job.counting import Checked
from gluebook.job.inbox import InboxWriter
from gluebook.job.pieces import Piece, pieces_of
from gluebook.sources import source


def claimed(objects: FakeObjects, body: bytes) -> FileVersion:
    """A file version as it is claimed."""
    file = a_file("a.log")
    return a_file("a.log", version=objects.put(file.bucket, file.key, body), size=len(body))


def checked(objects: FakeObjects, file: FileVersion, folder: Path) -> tuple[Checked, list[str]]:
    """What was found of a file, and the records that are in the inbox then."""
    of = source(file.dataset, file.source)
    with InboxWriter(objects, "lake", "inbox/00007", of) as writer:
        found = _check_piece(objects, Piece(7, 7, file), of, writer)
    rows = []
    for key in objects.sizes("lake", "inbox/"):
        objects.download("lake", key, folder / "records.parquet")
        rows += pq.read_table(folder / "records.parquet").to_pylist()
        objects.delete("lake", [key])
    assert {row["_piece"] for row in rows} <= {7}
    return found, [row["_raw"] for row in rows]


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


def test_the_inbox_holds_each_record_with_its_fields_or_its_problem(tmp_path: Path) -> None:
    objects = FakeObjects()
    file = claimed(objects, b'{"s": "I", "id": 1.50}\n{"s": "I"}]\n')
    checked(objects, file, tmp_path)
    found = pq.read_table(tmp_path / "records.parquet").to_pylist()
    assert [{name: value for name, value in row.items() if value is not None} for row in found] == [
        {"_piece": 7, "_record": 1, "_raw": '{"s": "I", "id": 1.50}', "s": "I", "id": "1.50"},
        {"_piece": 7, "_record": 2, "_raw": '{"s": "I"}]', "_problem": "malformed_record"},
    ]


def test_a_task_holds_files_of_one_source_and_every_file_is_in_one() -> None:
    files = [
        replace(a_file(f"{number}.log", size=10 << 20), source=source)
        for number, source in enumerate(["mongod", "containers"] * 5)
    ]
    tasks = plan_tasks(pieces_of(FakeObjects(), files), "inbox/b/1/")
    assert sorted(piece.place for task in tasks for piece in task.pieces) == list(range(10))
    assert {(task.folder, piece.file.source) for task in tasks for piece in task.pieces} == {
        ("inbox/b/1/containers/", "containers"),
        ("inbox/b/1/mongod/", "mongod"),
    }
    assert [(task.number, len(task.pieces)) for task in tasks] == [(0, 3), (1, 2)] * 2
    assert all(files[piece.place] is piece.file for task in tasks for piece in task.pieces)
