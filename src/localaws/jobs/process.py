"""One run of a Glue script, in a process without access to the checkout or to this environment."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..logs import LogStream
from .arguments import script_arguments
from .java import Java, JavaDied
from .sandbox import Sandbox

log = logging.getLogger("localaws.jobs")

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
# How often a run is checked: whether it was stopped, or is out of time.
_LOOK_SECONDS = 0.1
# How many lines of its output a failed run without an exception shows.
_LAST_LINES = 5


class JobProcess:
    """Prepares and runs one script; `close` kills it with all that it started, and removes its files.

    `s3`: a client with the role's credentials, by which the script and --extra-py-files are read; `environment`:
    AWS endpoint, region and credentials of the role; `output`, `logs`: the file and the stream that get what the
    script prints; `java`: what Spark uses, None if it is to start its own. Raises NotSupported, JavaDied,
    ClientError, OSError.
    """

    def __init__(
        self,
        name: str,
        run_id: str,
        script_uri: str,
        arguments: Mapping[str, str],
        s3: Any,
        environment: Mapping[str, str],
        python: str,
        output: Path,
        logs: LogStream,
        java: Java | None = None,
    ) -> None:
        self._name = name
        self._logs = logs
        self._output = output
        self._java = java
        self._sandbox = Sandbox("job", s3, python)
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._failure = self._sandbox.folder / "failure.txt"
        try:
            script = self._sandbox.fetch(script_uri, "script")
            output.write_bytes(b"")
            self._process = self._sandbox.start(
                _BOOTSTRAP,
                arguments,
                environment,
                self._on_line,
                settings={"failure": str(self._failure)},
                words=[str(script), *script_arguments(name, run_id, arguments)],
                java=java,
            )
        except BaseException:
            self._sandbox.close()
            raise
        self.pid = self._process.pid

    def wait(self, timeout_seconds: float, stopped: threading.Event) -> tuple[str, str]:
        """Wait for the end: (SUCCEEDED, FAILED, TIMEOUT or STOPPED, error message or "").

        Only a run that has succeeded leaves its Java for another one.
        """
        deadline = time.monotonic() + timeout_seconds
        while (code := self._process.exit_code()) is None:
            if stopped.wait(_LOOK_SECONDS):
                return "STOPPED", ""
            if time.monotonic() >= deadline:
                return "TIMEOUT", "Job run exceeded its timeout"
        self._process.close()
        if code == 0:
            self._leave_java()
            return "SUCCEEDED", ""
        if self._failure.exists():
            return "FAILED", self._failure.read_text(encoding="utf-8")
        ended = f"exit status {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
        last_lines = " | ".join(self._last_lines)
        return "FAILED", f"Command failed: the script's process ended with {ended}. {last_lines}"

    def close(self) -> None:
        """Kill what is left, Java as well unless the run has left it, and remove the files. Repeatable."""
        self._process.close()
        if self._java is not None and not self._java.idle:
            self._java.close()
        self._logs.flush()
        self._sandbox.close()

    def _leave_java(self) -> None:
        if self._java is not None:
            try:
                self._java.leave()
            except JavaDied as error:
                log.warning("%s: the next run starts cold: %s", self._name, error)

    def _on_line(self, line: bytes) -> None:
        with self._output.open("ab") as file:
            file.write(line)
        text = line.decode(errors="replace").rstrip()
        self._last_lines.append(text)
        self._logs.add(text)
        log.info("%s: %s", self._name, text)
