"""A large file is checked in parts: what comes of it is what reading it in one go gives, wherever it is cut."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import FakeObjects, a_file
from fakes.checking import check_here
from gluebook.contracts.reasons import Reason
from gluebook.core.model import FileVersion
from gluebook.job import check, inbox, pieces
from gluebook.job.counting import Checked
from gluebook.job.inbox import InboxReader, origins
from gluebook.job.pieces import PartStream, pieces_of
from gluebook.sources.framing import BadFile, cutting, unpacking
from gluebook.sources.framing.parts import Part, parts_of

WHOLE = 1 << 30
BITS = [
    b"\n",
    b"\r\n",
    b"\r",
    b" ",
    b"{}",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    "é".encode(),
    b"\x1f\x8b",
    b"x" * 9,
]
BODIES = st.lists(st.sampled_from(BITS), max_size=40).map(b"".join)
TEXTS = st.lists(st.sampled_from([b"\n", b"\r\n", b"{}", b" ", "é😀".encode(), b"x" * 9]), max_size=60).map(
    b"".join
)


@contextmanager
def cut_at(objects: FakeObjects, size: int, chunk: int) -> Iterator[None]:
    """Pieces of at most `size` bytes, read `chunk` bytes at a time; a record has at most 16 bytes."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (check, inbox):
            patch.setattr(module, "Objects", lambda: objects)
        for module in (check, pieces):
            patch.setattr(module, "PIECE_BYTES", size)
        for module in (pieces, unpacking):
            patch.setattr(module, "CHUNK_BYTES", chunk)
        patch.setattr(cutting, "LONGEST_RECORD_BYTES", 16)
        patch.setattr(cutting, "_EXCERPT_BYTES", 5)
        yield


def checked(body: bytes, size: int, chunk: int = 1 << 20) -> tuple[Checked, list[dict[str, object]]]:
    """What the check finds of a file of log lines, and its records as the transformation gets them."""
    objects = FakeObjects()
    file = a_file("a.log", size=len(body))
    file = replace(file, version_id=objects.put(file.bucket, file.key, body), source="mongod")
    with cut_at(objects, size, chunk):
        [found] = check_here(objects, [file], "lake", "inbox/").values()
        keys = sorted(objects.sizes("lake", "inbox/"))
        read = InboxReader("lake", keys, "b", origins([(0, file, found)]))
        batches = list(read([pa.RecordBatch.from_pydict({"id": range(len(keys))})]))
    rows = [row for batch in batches for row in batch.to_pylist()]
    # Of a bad file nothing is read, so the order of what came into the inbox is no matter.
    return replace(found, later=()), [] if found.bad else rows


@settings(max_examples=300)
@given(body=BODIES | TEXTS, size=st.integers(1, 60), chunk=st.integers(2, 40))
def test_a_file_comes_out_the_same_in_one_piece_and_in_many(body: bytes, size: int, chunk: int) -> None:
    assert checked(body, size, chunk) == checked(body, WHOLE)


@given(size=st.integers(0, 1000), most=st.integers(1, 100))
def test_parts_are_even_and_make_up_the_file(size: int, most: int) -> None:
    parts = parts_of(size, most)
    assert [part.begin for part in parts] == [0, *(part.end for part in parts[:-1])]
    assert parts[-1].end == size
    lengths = {part.end - part.begin for part in parts}
    assert max(lengths) <= most and max(lengths) - min(lengths) <= 1


def test_the_records_of_a_file_are_numbered_through_all_its_pieces() -> None:
    found, rows = checked(b"".join(b'{"n":%d}\n\n' % n for n in range(50)), 30)
    assert found.records == 50
    assert [(row["_source_record"], row["_raw"]) for row in rows] == [
        (n + 1, f'{{"n":{n}}}') for n in range(50)
    ]


def test_of_several_faults_the_first_in_the_file_is_named_with_the_records_before_it() -> None:
    found, _ = checked(b"one\n" * 10 + b"\xff\n" + b"two\n" * 10 + b"\xfe\n", 20)
    assert found == Checked(0, 10, bad=Reason.INVALID_UTF8.because("byte 0xff at offset 40"))


def large(
    objects: FakeObjects, name: str, body: bytes, source: str, dataset: str = "app_logs"
) -> FileVersion:
    file = replace(a_file(name, size=len(body)), source=source, dataset=dataset)
    return replace(file, version_id=objects.put(file.bucket, file.key, body))


def test_only_plain_files_of_lines_are_cut() -> None:
    objects = FakeObjects()
    lines = b"a line\n" * 20
    gone = large(objects, "gone.log", lines, "mongod")
    objects.remove_version(gone.bucket, gone.key, gone.version_id)
    files = [
        large(objects, "plain.log", lines, "mongod"),
        large(objects, "packed.log", gzip.compress(lines) + bytes(100), "mongod"),
        large(objects, "containers.csv", lines, "containers"),
        gone,
        large(objects, "small.log", b"a line\n", "mongod"),
    ]
    with cut_at(objects, 50, 10):
        found = pieces_of(objects, files)
    assert [(piece.place, piece.number) for piece in found] == [
        (0, 0),
        (0, 5),
        (0, 6),
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4),
    ]
    assert [piece.part for piece in found if piece.part] == [Part(0, 46), Part(46, 93), Part(93, 140)]


class Asked(FakeObjects):
    """Keeps which bytes were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[tuple[int, int] | None] = []

    def open_version(
        self, bucket: str, key: str, version_id: str, part: tuple[int, int] | None = None
    ) -> BinaryIO:
        self.parts.append(part)
        return super().open_version(bucket, key, version_id, part)


def test_a_line_without_an_end_is_read_once_and_not_by_every_part() -> None:
    objects = Asked()
    body = b"x" * 10_000
    file = large(objects, "a.log", body, "mongod")
    with cut_at(objects, 100, 50):
        [found] = check_here(objects, [file], "lake", "inbox/").values()
    assert (found.records, found.bad) == (1, None)
    assert sum(part[1] - part[0] for part in objects.parts if part) < 2.1 * len(body)


def test_a_part_whose_version_is_deleted_while_it_is_read_is_of_a_bad_file() -> None:
    objects = FakeObjects()
    file = large(objects, "a.log", b"x" * 100, "mongod")
    stream = PartStream(objects, file, Part(0, 10))
    assert stream.read(100) == b"x" * 10
    objects.remove_version(file.bucket, file.key, file.version_id)
    with pytest.raises(BadFile, match="version_gone"):
        stream.read(100)
