"""What job runs and interactive sessions have in common: processes that run as a role, by name, each with its log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..endpoint import Credentials, Endpoint
from ..roles import Assume, role_arn
from ..threads import Logs, Threads


class GlueService:
    """Base of the two services; see them for the arguments. `kind`: "job" or "session"."""

    def __init__(
        self,
        kind: str,
        endpoint: Endpoint,
        assume: Assume,
        python: str,
        minute_seconds: float,
        logs: Path | None,
    ) -> None:
        self._endpoint = endpoint
        self._assume = assume
        self._python = python
        self._minute_seconds = minute_seconds
        self._logs = Logs(logs)
        self._threads = Threads(kind)
        self._pids: dict[str, int] = {}
        self._lock = threading.Lock()

    def running(self) -> dict[str, int]:
        """The process id of each run or session, by its id, from its start until its end is noticed.

        Kill it and the run or session is FAILED; all that it started dies with it.
        """
        with self._lock:
            return dict(self._pids)

    def pids(self) -> list[int]:
        """Process ids of all of them."""
        return list(self.running().values())

    def output(self, name: str) -> str:
        """What a run's script has printed so far, or a session besides its statements' output; "" if unknown."""
        return self._logs.read(name)

    @contextmanager
    def _registered(self, name: str, pid: int) -> Iterator[None]:
        with self._lock:
            self._pids[name] = pid
        try:
            yield
        finally:
            with self._lock:
                del self._pids[name]

    def _credentials(self, role: str, session_name: str, caller: str) -> tuple[Credentials, Credentials]:
        """The script's credentials of a role, and those with which Glue fetches files and writes the log.

        Raises LocalAwsError.
        """
        arn = role_arn(self._endpoint, role)
        own, aws = (
            self._assume(arn, "glue.amazonaws.com", session_name, caller=caller, by_aws=by_aws)
            for by_aws in (False, True)
        )
        return own, aws
