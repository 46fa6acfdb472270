"""Zip files that depend on nothing but their members."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gluebook.deployment.zips import write_addressed, write_whole, zipped

WRITE = """
import sys
from pathlib import Path
from gluebook.deployment.zips import write_whole
for turn in range(200):
    write_whole(Path(sys.argv[1]), sys.argv[2].encode() * 2_000_000)
"""


def test_the_order_of_members_does_not_matter() -> None:
    assert zipped({"a": b"1", "b/c": b"2"}) == zipped({"b/c": b"2", "a": b"1"})


def test_a_file_that_others_write_is_read_whole(tmp_path: Path) -> None:
    target = write_whole(tmp_path / "made.zip", b"a" * 2_000_000)
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(target), letter]) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        body = target.read_bytes()
        seen.add((len(body), bytes({body[0], body[-1]})))
    assert [writer.wait() for writer in writers] == [0, 0]
    assert seen == {(2_000_000, b"a"), (2_000_000, b"b")}
    assert list(tmp_path.iterdir()) == [target]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "made.zip").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "made.zip", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["made.zip"]


def test_an_addressed_file_is_where_its_content_says(tmp_path: Path) -> None:
    one, two = write_addressed(tmp_path, "x.zip", b"1"), write_addressed(tmp_path, "x.zip", b"2")
    assert (one.read_bytes(), two.read_bytes()) == (b"1", b"2")
    assert write_addressed(tmp_path, "x.zip", b"1") == one != two
