"""Faults of whole files, made from a good one."""

from __future__ import annotations

import gzip
from collections.abc import Mapping


def broken_bytes(body: bytes) -> Mapping[str, bytes]:
    """A good file's uncompressed bytes with faults that any file can have; by the name of the fault."""
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
    """A good CSV file's bytes with a faulty header; by the name of the fault."""
    header, _, rest = body.partition(b"\n")
    column, _, others = header.rstrip(b"\r").partition(b",")
    return {
        "header without its first column": others + b"\n" + rest,
        "first column named twice": b",".join((column, column, others)) + b"\n" + rest,
        "no header, records only": rest,
    }


def with_open_quote(body: bytes, at: int = 2) -> bytes:
    """The same file with an unclosed quote before its line `at` (from 1)."""
    lines = body.split(b"\n")
    lines[at - 1] = b'"' + lines[at - 1]
    return b"\n".join(lines)


def corrected(body: bytes) -> bytes:
    """A corrected JSON-lines file: every tenth line is removed, every tenth one changed."""
    lines = body.splitlines(keepends=True)
    changed = [
        line.replace(b'"msg":"', b'"msg":"(corrected) ', 1) if n % 10 == 5 else line
        for n, line in enumerate(lines)
    ]
    return b"".join(line for n, line in enumerate(changed) if n % 10)
