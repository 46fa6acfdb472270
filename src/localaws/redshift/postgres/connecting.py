"""Connections to PostgreSQL that wait for a server which is starting."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg

_CONNECT_TIMEOUT_SECONDS = 10
# A server that was killed is back within a second or two; a warehouse that resumes takes longer.
_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.05
# What a server says while it starts or stops. Other refusals (password, no such database) are final.
_NOT_YET = ("starting up", "shutting down", "recovery mode", "not yet accepting", "terminating connection")


def connect(
    conninfo: str, proceed: Callable[[], None] = lambda: None, **options: Any
) -> psycopg.Connection[Any]:
    """Like psycopg.connect, but waits up to 30 s for a server that is down or starting.

    `proceed` is called while waiting; it may raise. Raises psycopg.OperationalError in the end.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return psycopg.connect(conninfo, connect_timeout=_CONNECT_TIMEOUT_SECONDS, **options)
        except psycopg.OperationalError as error:
            if not _is_starting(error) or time.monotonic() > deadline:
                raise
        proceed()
        time.sleep(_LOOK_SECONDS)


def _is_starting(error: psycopg.OperationalError) -> bool:
    """Whether there was no answer, or the server isn't ready. A failed connect has no SQLSTATE, only text."""
    said = str(error)
    return "FATAL" not in said or any(phrase in said for phrase in _NOT_YET)
