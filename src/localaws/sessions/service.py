"""Runs Glue's interactive sessions: each is a process that runs statements as the session's role."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.responses import ActionResult
from moto.glue.exceptions import GlueClientError
from moto.glue.responses import GlueResponse

from ..endpoint import Endpoint
from ..errors import LocalAwsError
from ..jobs.base import GlueService
from ..patches import Patches, add, replace
from ..processes import Process
from ..roles import Assume
from .models import ENDED, Session, Statement
from .process import session_process
from .serving import serve

log = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LONGEST_CODE = 68_000  # AWS docs: RunStatement


class Sessions(GlueService):
    """Answers the operations on sessions and statements, from its construction until `close`.

    `python` is an interpreter of this environment. `minute_seconds` is how long a minute of a session's timeouts
    lasts. `logs`: the folder that keeps what isn't a statement's output, as SESSION_ID.log; None: a temporary one.
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
        super().__init__("session", endpoint, assume, python, minute_seconds, logs)
        self._sessions: dict[str, Session] = {}
        self._patches = Patches(
            *(
                # moto has the sessions' operations, and none of the statements'.
                (add if "statement" in name else replace)(
                    GlueResponse, name, _responder(partial(operation, self))
                )
                for name, operation in OPERATIONS.items()
            )
        )
        self._patches.apply()

    def idle(self) -> bool:
        """Whether no session is starting or stopping and no statement waits or runs. A waiting session is idle."""
        with self._lock:
            sessions = list(self._sessions.values())
        return not any(
            session.status in ("PROVISIONING", "STOPPING")
            or (session.status == "READY" and any(not s.completed for s in session.statements))
            for session in sessions
        )

    def close(self) -> None:
        """Stop all sessions, and remove their files."""
        self._patches.undo()
        self._threads.close()
        for session in list(self._sessions.values()):
            _ask_to_stop(session)
        self._threads.join()
        self._logs.close()

    # -- sessions ------------------------------------------------------------------------------------------

    def _create(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not _ID.fullmatch(asked["Id"]):
            raise GlueClientError("InvalidInputException", f"{asked['Id']!r} is no session id")
        command = asked["Command"].get("Name")
        if command != "glueetl":
            raise GlueClientError(
                "InvalidInputException", f"Command.Name {command!r}: only glueetl is supported"
            )
        session = Session(asked)
        with self._lock:
            if asked["Id"] in self._sessions:
                raise GlueClientError("AlreadyExistsException", f"Session {asked['Id']} already exists.")
            if not self._threads.start(session.id, partial(self._run, session)):
                raise GlueClientError("OperationTimeoutException", "localaws is being stopped")
            self._sessions[session.id] = session
        return {"Session": session.shown()}

    def _run(self, session: Session) -> None:
        try:
            with self._process(session) as process:
                status, error = serve(session, process, self._minute_seconds)
        except (LocalAwsError, ClientError, BotoCoreError, OSError) as failure:
            status, error = "FAILED", f"{type(failure).__name__}: {failure}"
        except Exception as failure:
            log.exception("session %s", session.id)
            status, error = "FAILED", f"InternalServiceException: {type(failure).__name__}: {failure}"
        if error:
            log.error("session %s: %s: %s", session.id, status, error)
        session.end(status, error)

    @contextmanager
    def _process(self, session: Session) -> Iterator[Process]:
        own, aws = self._credentials(
            session.request["Role"], "GlueInteractiveSession", f"session {session.id}"
        )
        with (
            session_process(
                session.arguments,
                self._endpoint.client("s3", aws),
                self._endpoint.environment(own),
                self._python,
                self._logs.file(session.id),
            ) as process,
            self._registered(session.id, process.pid),
        ):
            yield process

    def _find(self, session_id: str) -> Session:
        with self._lock:
            found = self._sessions.get(session_id)
        if found is None:
            raise GlueClientError("EntityNotFoundException", f"Session {session_id} not found.")
        return found

    def _get(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"Session": self._find(asked["Id"]).shown()}

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
        return {"Id": session.id}

    # -- statements ----------------------------------------------------------------------------------------

    def _run_statement(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        session = self._find(asked["SessionId"])
        if len(asked["Code"]) > _LONGEST_CODE:
            raise GlueClientError("ValidationException", f"Code is longer than {_LONGEST_CODE} characters")
        with session.changed:
            # From this code the kernel of AWS Glue knows that it may create another session.
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

    def _get_statement(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"Statement": self._statement(asked).shown()}

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


# Operation, as moto names its methods ▸ how it is answered.
OPERATIONS: dict[str, Callable[[Sessions, Mapping[str, Any]], dict[str, Any]]] = {
    "create_session": Sessions._create,
    "get_session": Sessions._get,
    "list_sessions": Sessions._list,
    "stop_session": Sessions._stop,
    "delete_session": Sessions._delete,
    "run_statement": Sessions._run_statement,
    "get_statement": Sessions._get_statement,
    "list_statements": Sessions._list_statements,
    "cancel_statement": Sessions._cancel,
}


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
