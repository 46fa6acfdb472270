"""Plays Glue's interactive sessions: each is a process that runs statements as the session's role."""

from __future__ import annotations

import logging
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.responses import ActionResult
from moto.glue.exceptions import GlueClientError
from moto.glue.responses import GlueResponse

from ..endpoint import Endpoint
from ..errors import LocalAwsError
from ..patches import Patches, add, replace
from ..roles import Assume, role_arn
from .process import SessionProcess
from .records import ENDED, Session, Statement
from .serving import serve

log = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LONGEST_CODE = 68_000  # AWS docs: RunStatement


class Sessions:
    """Answers the operations on sessions and statements, from its making until `close`.

    `python` is an interpreter of this environment. `minute_seconds` is how long a minute of a session's timeouts
    lasts. `logs`: the folder that keeps what isn't a statement's output, as SESSION_ID.log; without it that goes
    with the player.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        assume: Assume,
        python: str = sys.executable,
        *,
        minute_seconds: float = 60.0,
        logs: Path | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._assume = assume
        self._python = python
        self._minute_seconds = minute_seconds
        self._own_logs = logs is None
        self._logs = logs or Path(tempfile.mkdtemp(prefix="localaws-session-logs-"))
        self._sessions: dict[str, Session] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._processes: dict[str, SessionProcess] = {}
        self._lock = threading.Lock()
        self._closed = False
        operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "create_session": self._create,
            "get_session": lambda asked: {"Session": self._find(asked["Id"]).shown()},
            "list_sessions": self._list,
            "stop_session": self._stop,
            "delete_session": self._delete,
            "run_statement": self._run,
            "get_statement": lambda asked: {"Statement": self._statement(asked).shown()},
            "list_statements": self._list_statements,
            "cancel_statement": self._cancel,
        }
        self._patches = Patches(
            *(
                (add if "statement" in name else replace)(GlueResponse, name, _responder(operation))
                for name, operation in operations.items()
            )
        )
        self._patches.apply()

    def idle(self) -> bool:
        """Whether no session is on its way and no statement waits or runs. A session that waits is idle."""
        with self._lock:
            sessions = list(self._sessions.values())
        return not any(
            session.status in ("PROVISIONING", "STOPPING")
            or (session.status == "READY" and any(not s.completed for s in session.statements))
            for session in sessions
        )

    def pids(self) -> dict[str, int]:
        """The process id of each session that has a process, by session id."""
        with self._lock:
            return {name: process.pid for name, process in self._processes.items()}

    def output(self, session_id: str) -> str:
        """What a session's process has written beside its statements' output, so far."""
        file = self._logs / f"{session_id}.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def close(self) -> None:
        """Stop all sessions, and remove their files."""
        self._patches.undo()
        with self._lock:
            self._closed = True
            sessions, threads = list(self._sessions.values()), list(self._threads.values())
        for session in sessions:
            _ask_to_stop(session)
        for thread in threads:
            thread.join()
        if self._own_logs:
            shutil.rmtree(self._logs, ignore_errors=True)

    # -- sessions ------------------------------------------------------------------------------------------

    def _create(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not _ID.fullmatch(asked["Id"]):
            raise GlueClientError("InvalidInputException", f"{asked['Id']!r} is no session id")
        command = asked["Command"].get("Name")
        if command != "glueetl":
            raise GlueClientError(
                "InvalidInputException", f"Command.Name {command!r}: only glueetl is played"
            )
        session = Session(asked)
        with self._lock:
            if self._closed:
                raise GlueClientError("OperationTimeoutException", "the laptop's AWS is being stopped")
            if asked["Id"] in self._sessions:
                raise GlueClientError("AlreadyExistsException", f"Session {asked['Id']} already exists.")
            self._sessions[session.id] = session
            name = f"localaws-session-{session.id}"
            thread = threading.Thread(target=self._play, args=(session,), name=name, daemon=True)
            self._threads[session.id] = thread
            thread.start()
        return {"Session": session.shown()}

    def _play(self, session: Session) -> None:
        process = None
        try:
            process = self._process(session)
            with self._lock:
                self._processes[session.id] = process
            status, error = serve(session, process, self._minute_seconds)
        except (LocalAwsError, ClientError, BotoCoreError, OSError) as failure:
            status, error = "FAILED", f"{type(failure).__name__}: {failure}"
        except Exception as failure:
            log.exception("session %s", session.id)
            status, error = "FAILED", f"InternalServiceException: {type(failure).__name__}: {failure}"
        finally:
            if process is not None:
                with self._lock:
                    del self._processes[session.id]
                process.close()
        if error:
            log.error("session %s: %s: %s", session.id, status, error)
        session.end(status, error)

    def _process(self, session: Session) -> SessionProcess:
        role = role_arn(self._endpoint, session.request["Role"])
        own, aws = (
            self._assume(
                role,
                "glue.amazonaws.com",
                "GlueInteractiveSession",
                caller=f"session {session.id}",
                by_aws=by_aws,
            )
            for by_aws in (False, True)
        )
        return SessionProcess(
            session.arguments,
            self._endpoint.client("s3", aws),
            self._endpoint.environment(own),
            self._python,
            self._logs / f"{session.id}.log",
        )

    def _find(self, session_id: str) -> Session:
        with self._lock:
            found = self._sessions.get(session_id)
        if found is None:
            raise GlueClientError("EntityNotFoundException", f"Session {session_id} not found.")
        return found

    def _list(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        wanted = set((asked.get("Tags") or {}).items())
        with self._lock:
            sessions = [one for one in reversed(self._sessions.values()) if wanted <= one.tags]
        start, size = int(asked.get("NextToken") or 0), int(asked.get("MaxResults") or len(sessions))
        page = sessions[start : start + size]
        made: dict[str, Any] = {"Ids": [one.id for one in page], "Sessions": [one.shown() for one in page]}
        return made | ({"NextToken": str(start + size)} if start + size < len(sessions) else {})

    def _stop(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        session = self._find(asked["Id"])
        if session.status in ENDED:
            raise _illegal_state(session)
        _ask_to_stop(session)
        return {"Id": session.id}

    def _delete(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        session = self._find(asked["Id"])
        if session.status not in ENDED:
            raise _illegal_state(session)
        with self._lock:
            self._sessions.pop(session.id, None)
            self._threads.pop(session.id, None)
        return {"Id": session.id}

    # -- statements ----------------------------------------------------------------------------------------

    def _run(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        session = self._find(asked["SessionId"])
        if len(asked["Code"]) > _LONGEST_CODE:
            raise GlueClientError("ValidationException", f"Code is longer than {_LONGEST_CODE} characters")
        with session.changed:
            # By this code the kernel of AWS Glue knows that it may make another session.
            if session.status == "TIMEOUT":
                raise GlueClientError("InvalidInputException", f"Session {session.id} has timed out.")
            if session.status != "READY":
                raise _illegal_state(session)
            statement = Statement(len(session.statements) + 1, asked["Code"])
            session.statements.append(statement)
            session.changed.notify_all()
        return {"Id": statement.number}

    def _statement(self, asked: Mapping[str, Any]) -> Statement:
        session = self._find(asked["SessionId"])
        number = int(asked["Id"])
        if not 0 < number <= len(session.statements):
            raise GlueClientError("EntityNotFoundException", f"Statement {number} not found.")
        return session.statements[number - 1]

    def _list_statements(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"Statements": [one.shown() for one in self._find(asked["SessionId"]).statements]}

    def _cancel(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        session, statement = self._find(asked["SessionId"]), self._statement(asked)
        with session.changed:
            if statement.state == "WAITING":
                statement.finish("CANCELLED", {})
            elif statement.state == "RUNNING":
                statement.state = "CANCELLING"
            session.changed.notify_all()
        return {}


def _responder(operation: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[[Any], ActionResult]:
    """The operation as a method of moto's GlueResponse."""
    return lambda response: ActionResult(operation(response.parameters))


def _ask_to_stop(session: Session) -> None:
    with session.changed:
        if session.status not in ENDED:
            session.status = "STOPPING"
            session.changed.notify_all()


def _illegal_state(session: Session) -> GlueClientError:
    return GlueClientError(
        "IllegalSessionStateException", f"Session {session.id} is in {session.status} state."
    )
