"""One run of a Glue script, as a process of its own, cut off from the checkout and from this environment."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ..logs import LogStream
from ..processes import kill_session
from .arguments import script_arguments
from .sandbox import Sandbox

log = logging.getLogger("localaws.jobs")

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
# How often a run is looked at: whether it was stopped, or is out of time.
_LOOK_SECONDS = 0.1
# How long a run that has ended may take to get its last output out.
_DRAIN_SECONDS = 5.0
# What a failed run without an exception shows of its output.
_LAST_LINES = 5


class JobProcess:
    """Prepares and runs one script; `close` kills it with all it started and removes its files.

    `s3`: a client with the role's credentials, by which the script and --extra-py-files are read; `environment`:
    AWS endpoint, region and credentials of the role; `output`, `logs`: the file and the stream that get what the
    script prints.
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
    ) -> None:
        self._logs = logs
        self._name = name
        self._sandbox = Sandbox("job", s3, python)
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._failure = self._sandbox.folder / "failure.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._output = output
        try:
            self._start(run_id, script_uri, arguments, environment)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The interpreter's process id."""
        assert self._process
        return self._process.pid

    def wait(self, timeout_seconds: float, stopped: threading.Event) -> tuple[str, str]:
        """Wait for the end: (SUCCEEDED, FAILED, TIMEOUT or STOPPED, error message or "")."""
        assert self._process
        deadline = time.monotonic() + timeout_seconds
        while (code := self._process.poll()) is None:
            if stopped.wait(_LOOK_SECONDS):
                return "STOPPED", ""
            if time.monotonic() >= deadline:
                return "TIMEOUT", "Job run exceeded its timeout"
        self._end()
        if code == 0:
            return "SUCCEEDED", ""
        if self._failure.exists():
            return "FAILED", self._failure.read_text(encoding="utf-8")
        ended = f"exit status {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
        return (
            "FAILED",
            f"Command failed: the script's process ended with {ended}. {' | '.join(self._last_lines)}",
        )

    def close(self) -> None:
        """Kill what is left and remove the temporary files. Repeatable."""
        self._end()
        self._sandbox.close()

    def _end(self) -> None:
        """Kill all that was started (Spark's JVM outlives a killed driver for a while) and drain the output."""
        if self._process is None:
            return
        kill_session(self._process.pid)
        self._process.wait()
        # What left the process group may still hold the pipe; its output is not worth waiting for.
        self._reader.join(_DRAIN_SECONDS)
        if self._process.stdin:
            self._process.stdin.close()

    def _start(
        self,
        run_id: str,
        script_uri: str,
        arguments: Mapping[str, str],
        environment: Mapping[str, str],
    ) -> None:
        imports = self._sandbox.imports(arguments)
        script = self._sandbox.fetch(script_uri, "script")
        settings = self._sandbox.folder / "settings.json"
        settings.write_text(
            json.dumps({"first": imports.first, "last": imports.last, "failure": str(self._failure)})
        )
        words = script_arguments(self._name, run_id, arguments)
        self._process = subprocess.Popen(
            self._sandbox.command(_BOOTSTRAP, str(settings), str(script), *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._sandbox.work,
            env=self._sandbox.environment(imports, arguments, environment),
            start_new_session=True,
        )
        assert self._process.stdout
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), name=f"localaws-job-output-{run_id}", daemon=True
        )
        self._reader.start()

    def _read(self, output: IO[bytes]) -> None:
        with output, self._output.open("wb") as file:
            for line in output:
                file.write(line)
                file.flush()
                text = line.decode(errors="replace").rstrip()
                self._last_lines.append(text)
                self._logs.add(text)
                log.info("%s: %s", self._name, text)
        self._logs.flush()
