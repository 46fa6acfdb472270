"""A session's life between its start and its end: one statement after the other."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from .process import Died, SessionProcess
from .records import Session, Statement, output_of

_LOOK_SECONDS = 0.1


def serve(session: Session, process: SessionProcess, minute_seconds: float) -> tuple[str, str]:
    """Run what the session is given until it ends: (its last status, why it failed or "")."""
    began = idle_since = time.monotonic()
    try:
        if process.answer(lambda: _wanted(session)) is None:
            return "STOPPED", ""
        with session.changed:
            if session.status == "PROVISIONING":
                session.status = "READY"
        while _wanted(session):
            statement = _next(session)
            if statement is not None:
                _run(session, statement, process)
                idle_since = time.monotonic()
            elif not process.alive():
                raise Died("the session's process has ended")
            now = time.monotonic()
            if now - idle_since > session.idle_timeout * minute_seconds:
                return "TIMEOUT", ""
            if now - began > session.timeout * minute_seconds:
                return "TIMEOUT", ""
    except Died as error:
        return "FAILED", str(error)
    return "STOPPED", ""


def _wanted(session: Session) -> bool:
    return session.status in ("PROVISIONING", "READY")


def _next(session: Session) -> Statement | None:
    """The next statement that waits, now running; None if there is none for a while."""
    with session.changed:
        waiting = [one for one in session.statements if one.state == "WAITING"]
        if not waiting:
            session.changed.wait(_LOOK_SECONDS)
            return None
        waiting[0].state, waiting[0].started = "RUNNING", datetime.now(UTC)
        return waiting[0]


def _run(session: Session, statement: Statement, process: SessionProcess) -> None:
    process.send(statement.code)
    interrupted = False

    def go_on() -> bool:
        nonlocal interrupted
        if statement.state == "CANCELLING" and not interrupted:
            interrupted = True
            process.interrupt()
        return _wanted(session)

    answer = process.answer(go_on)
    if answer is None:
        return  # the session is being stopped, and with it this statement
    with session.changed:
        cancelled = statement.state == "CANCELLING"
        statement.finish("CANCELLED" if cancelled else "AVAILABLE", output_of(answer, statement.number))
