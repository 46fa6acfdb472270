"""A session's life between its start and its end: one statement after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from ..processes import Process, ProcessDied
from .models import Session, Statement, output_of

_LOOK_SECONDS = 0.1
_INTERRUPT_SECONDS = 0.5


def serve(session: Session, process: Process, minute_seconds: float) -> tuple[str, str]:
    """Run what the session is given until it ends: (its last status, why it failed or "")."""
    ends = time.monotonic() + session.timeout * minute_seconds

    def wanted() -> bool:
        return session.status in ("PROVISIONING", "READY") and time.monotonic() < ends

    try:
        process.exchange(None, wanted)  # it is ready, or not wanted any more
        with session.changed:
            if wanted():
                session.status = "READY"
        idle_since = time.monotonic()
        while wanted():
            statement = _next(session)
            if statement is not None:
                _run(session, statement, process, wanted)
                idle_since = time.monotonic()
            elif not process.alive():
                raise ProcessDied("while it was idle")
            elif time.monotonic() - idle_since > session.idle_timeout * minute_seconds:
                return "TIMEOUT", ""
    except ProcessDied as error:
        return "FAILED", str(error)
    return ("STOPPED" if session.status == "STOPPING" else "TIMEOUT"), ""


def _next(session: Session) -> Statement | None:
    """The next waiting statement, marked as running; None if none arrives within a moment."""
    with session.changed:
        waiting = [one for one in session.statements if one.state == "WAITING"]
        if not waiting:
            session.changed.wait(_LOOK_SECONDS)
            return None
        waiting[0].state, waiting[0].started = "RUNNING", datetime.now(UTC)
        return waiting[0]


def _run(session: Session, statement: Statement, process: Process, wanted: Callable[[], bool]) -> None:
    interrupted = 0.0

    def go_on() -> bool:
        nonlocal interrupted
        now = time.monotonic()
        # Again and again: the process passes over an interrupt that comes before it has begun the statement.
        if statement.state == "CANCELLING" and now - interrupted > _INTERRUPT_SECONDS:
            interrupted = now
            process.interrupt()
        return wanted()

    answer = process.exchange({"code": statement.code}, go_on)
    if answer is None:
        return  # the session is being stopped, and with it this statement
    with session.changed:
        cancelled = statement.state == "CANCELLING"
        statement.finish("CANCELLED" if cancelled else "AVAILABLE", output_of(answer, statement.number))
