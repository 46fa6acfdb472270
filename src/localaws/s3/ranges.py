"""A part of an object is read from its file, and not cut from a copy of all its bytes."""

from __future__ import annotations

import mmap

from flask import has_request_context, request
from moto.s3.models import FakeKey


def value(key: FakeKey) -> bytes | mmap.mmap:
    """An object's bytes; mapped, if they are in a file and the request asks for some of them only."""
    with key.lock:
        buffer = key._value_buffer
        buffer.seek(0)
        # A small object is in memory, and a mapping of nothing is an error.
        if buffer._rolled and has_request_context() and "range" in request.headers:
            return mmap.mmap(buffer.fileno(), 0, access=mmap.ACCESS_READ)
        held: bytes = buffer.read()
        return held
