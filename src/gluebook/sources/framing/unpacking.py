"""A file's bytes, unpacked if they are gzip."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from gluebook.contracts.reasons import Reason, ReasonText

CHUNK_BYTES = 1 << 20


class BadFile(Exception):
    """The file as a whole can't be read; `reason` is a code, a colon, and what was found where."""

    def __init__(self, reason: ReasonText) -> None:
        super().__init__(reason)
        self.reason = reason


def unpacked(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's bytes, un-gzipped if its first bytes are gzip's, whatever the file's name. Raises BadFile."""
    head = stream.read(CHUNK_BYTES)
    if head[:2] != b"\x1f\x8b":
        while head:
            yield head
            head = stream.read(CHUNK_BYTES)
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


def _after_member(rest: bytes, stream: BinaryIO) -> bytes:
    """What follows a gzip member, without the zeros that may pad it; empty at the end of the stream."""
    rest = rest.lstrip(b"\0")
    while not rest:
        chunk = stream.read(CHUNK_BYTES)
        if not chunk:
            return b""
        rest = chunk.lstrip(b"\0")
    return rest
