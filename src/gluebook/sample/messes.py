"""Ways in which a whole file goes wrong on its way, made from one that is right."""

from __future__ import annotations

import gzip
from collections.abc import Mapping


def broken_bytes(body: bytes) -> Mapping[str, bytes]:
    """A good file's bytes, not compressed, spoilt as any file can be; by what was done to them."""
    first, _, rest = body.partition(b"\n")
    packed = gzip.compress(body, mtime=0)
    half = len(packed) // 2
    flipped = bytes(byte ^ 0xFF for byte in packed[half : half + 8])
    return {
        "gzip, the end never arrived": packed[:half],
        "gzip, eight bytes flipped": packed[:half] + flipped + packed[half + 8 :],
        "gzip, with text behind it": packed + b"-- end of export --\n",
        "Latin-1 instead of UTF-8": first + b"\n" + "Zürich".encode("latin-1") + rest,
        "blank lines only": b"\n\r\n \n",
        "nothing, 0 bytes": b"",
    }


def broken_headers(body: bytes) -> Mapping[str, bytes]:
    """A good CSV file's bytes with a header that says something else; by what was done to it."""
    header, _, rest = body.partition(b"\n")
    column, _, others = header.rstrip(b"\r").partition(b",")
    return {
        "header without its first column": others + b"\n" + rest,
        "first column named twice": b",".join((column, column, others)) + b"\n" + rest,
        "no header, records only": rest,
    }


def with_open_quote(body: bytes, at: int = 2) -> bytes:
    """The same file with a quote before its line `at` (from 1) that nobody closes."""
    lines = body.split(b"\n")
    lines[at - 1] = b'"' + lines[at - 1]
    return b"\n".join(lines)


def corrected(body: bytes) -> bytes:
    """A JSON-lines file as it is sent again, corrected: each tenth line is taken back, each tenth one changed."""
    lines = body.splitlines(keepends=True)
    changed = [
        line.replace(b'"msg":"', b'"msg":"(corrected) ', 1) if n % 10 == 5 else line
        for n, line in enumerate(lines)
    ]
    return b"".join(line for n, line in enumerate(changed) if n % 10)
