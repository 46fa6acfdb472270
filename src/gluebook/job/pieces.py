"""What is checked at once of the claimed files: a file, or a part of a large one; and the results of the files.

A plain file of lines can be cut anywhere. Where a quote is open in CSV, or what a compressed file holds, only who has
read all that is before can tell: such a file is one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import accumulate, count, groupby
from typing import BinaryIO

from gluebook.aws.parallel import in_parallel
from gluebook.aws.ports import ObjectsPort
from gluebook.contracts.reasons import Reason
from gluebook.core.model import FileVersion
from gluebook.job.counting import Checked
from gluebook.sources import source
from gluebook.sources.framing import BadFile
from gluebook.sources.framing.parts import Part, parts_of
from gluebook.sources.framing.unpacking import CHUNK_BYTES, is_packed

# Enough for every worker's core to get one of a large file, and large beside what it costs to start a task.
PIECE_BYTES = 32 << 20


@dataclass(frozen=True)
class Piece:
    """A file of the batch, or a part of it.

    number   the piece's own in the batch and the inbox; that of the first piece of a file is the file's place
    place    the file's place in the batch
    """

    number: int
    place: int
    file: FileVersion
    part: Part | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return self.part.end - self.part.begin if self.part else self.file.size


def pieces_of(objects: ObjectsPort, files: Sequence[FileVersion]) -> list[Piece]:
    """The pieces of the files, in order. Reads the first bytes of large files."""
    splittable = in_parallel(lambda file: _can_be_split(objects, file), files) if files else []
    later = count(len(files))
    pieces: list[Piece] = []
    for place, file in enumerate(files):
        if not splittable[place]:
            pieces.append(Piece(place, place, file))
            continue
        first, *others = parts_of(file.size, PIECE_BYTES)
        pieces.append(Piece(place, place, file, first))
        pieces += [Piece(next(later), place, file, part) for part in others]
    return pieces


def _can_be_split(objects: ObjectsPort, file: FileVersion) -> bool:
    if file.size <= PIECE_BYTES or source(file.dataset, file.source).layout.framing != "lines":
        return False
    try:
        with closing(objects.open_version(file.bucket, file.key, file.version_id, (0, 2))) as head:
            return not is_packed(head.read())
    except FileNotFoundError:
        return False  # the task that reads it says so


def file_checks(pieces: Sequence[Piece], found: Mapping[int, Checked]) -> dict[int, Checked]:
    """The results of the files, by place, from those of their pieces, by number.

    They are what reading a file in one go finds: if it turns out bad, the first fault, and the records before it.
    """
    of_files = groupby(pieces, key=lambda piece: piece.place)
    return {place: _file_check(place, [found[piece.number] for piece in own]) for place, own in of_files}


def _file_check(place: int, found: list[Checked]) -> Checked:
    read = list(_up_to_the_first_bad(found))
    before = accumulate((piece.records for piece in read), initial=0)
    places = [(piece.index, records) for piece, records in zip(read, before, strict=False)]
    last = read[-1]
    records = sum(piece.records for piece in read)
    return replace(read[0], index=place, records=records, bad=last.bad, later=tuple(places[1:]))


def _up_to_the_first_bad(found: list[Checked]) -> Iterator[Checked]:
    for piece in found:
        yield piece
        if piece.bad is not None:
            return


def open_piece(objects: ObjectsPort, piece: Piece) -> BinaryIO | PartStream:
    """The bytes of a piece; of a part see `PartStream`. Raises BadFile if the file's version is gone."""
    return PartStream(objects, piece.file, piece.part) if piece.part else _opened(objects, piece.file)


class PartStream:
    """The bytes of a part of a file version, and what follows it in requests of their own, as far as it is read."""

    def __init__(self, objects: ObjectsPort, file: FileVersion, part: Part) -> None:
        self._objects = objects
        self._file = file
        self._at = part.reads_from
        self._body = _opened(objects, file, (self._at, part.end))

    def read(self, size: int, /) -> bytes:
        """Some of the next bytes, at most `size`; none at the end of the file. Raises BadFile."""
        data = self._body.read(size)
        if not data and self._at < self._file.size:
            self.close()
            end = min(self._at + CHUNK_BYTES, self._file.size)
            self._body = _opened(self._objects, self._file, (self._at, end))
            data = self._body.read(size)
        self._at += len(data)
        return data

    def close(self) -> None:
        """End the request."""
        self._body.close()


def _opened(objects: ObjectsPort, file: FileVersion, part: tuple[int, int] | None = None) -> BinaryIO:
    try:
        return objects.open_version(file.bucket, file.key, file.version_id, part)
    except FileNotFoundError:
        raise BadFile(
            Reason.VERSION_GONE.because(f"{file.version_id} was deleted before it could be read")
        ) from None
