"""A file's bytes, unpacked if they are gzip."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from gluebook.contracts.reasons import Reason, ReasonText

CHUNK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"


class Stream(Protocol):
    """Bytes in order."""

    def read(self, size: int, /) -> bytes:
        """Some of the next bytes, at most `size`; none at the end."""
        ...


class BadFile(Exception):
    """The file as a whole can't be read; `reason` is a code, a colon, and what was found where."""

    def __init__(self, reason: ReasonText) -> None:
        super().__init__(reason)
        self.reason = reason


def is_packed(head: bytes) -> bool:
    """Whether a file that begins with these bytes is gzip, whatever its name."""
    return head.startswith(_GZIP)


def chunks(stream: Stream) -> Iterator[bytes]:
    """The stream's bytes."""
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def unpacked(stream: Stream) -> Iterator[bytes]:
    """The stream's bytes, un-gzipped if they are gzip. Raises BadFile."""
    head = stream.read(CHUNK_BYTES)
    if not is_packed(head):
        if head:
            yield head
        yield from chunks(stream)
        return
    inflate = zlib.decompressobj(wbits=31)
    while head:
        try:
            data = inflate.decompress(head, CHUNK_BYTES)
        except zlib.error as error:
            raise BadFile(Reason.CORRUPT_GZIP.because(str(error))) from None
        if data:
            yield data
        if inflate.eof:
            head = _after_member(inflate.unused_data, stream)
            if not head:
                return
            if not head.startswith(b"\x1f"):
                raise BadFile(
                    Reason.CORRUPT_GZIP.because("bytes that are no gzip follow the compressed data")
                )
            inflate = zlib.decompressobj(wbits=31)
        else:
            head = inflate.unconsumed_tail or stream.read(CHUNK_BYTES)
    raise BadFile(Reason.TRUNCATED_GZIP.because("the compressed data ends before its end mark"))


def _after_member(rest: bytes, stream: Stream) -> bytes:
    """What follows a gzip member, without the zeros that may pad it; empty at the end of the stream."""
    rest = rest.lstrip(b"\0")
    while not rest:
        chunk = stream.read(CHUNK_BYTES)
        if not chunk:
            return b""
        rest = chunk.lstrip(b"\0")
    return rest
