"""Child processes of localaws: started in a session of their own, and ended with all that they started."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import psutil

from .errors import LocalAwsError

log = logging.getLogger(__name__)

_KILL_SECONDS = 10.0
_POLL_SECONDS = 0.01
# How often an exchange asks whether to continue; answers arrive without this delay.
_PROCEED_SECONDS = 0.05
# How long a process that has closed its pipes may take to exit, or to get its last output out.
_EXIT_SECONDS = 1.0
_DRAIN_SECONDS = 5.0
_CHUNK_BYTES = 1 << 16


class ProcessDied(LocalAwsError):
    """The process ended while an answer was expected; `reason` as AWS Lambda words it, e.g. "exit status 1"."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the process has ended: {reason}")
        self.reason = reason


def python_command(python: str, program: Path, settings: Mapping[str, Any]) -> list[str]:
    """Runs one of our programs, whose first argument is `settings` as JSON.

    With -S the interpreter reads no .pth file and no site-packages, so no editable install gets in.
    """
    return [python, "-I", "-S", "-B", "-X", "utf8", str(program), json.dumps(settings)]


class Process:
    """A child process, from its construction until `close`, which kills it with everything that it has started.

    `environment` is its whole environment, `folder` its working directory; `on_line` gets each line that it prints,
    in a thread. Ctrl-C at the terminal doesn't reach it, as it has a session of its own. Its standard input ends with
    this process, even if that is killed, and our programs then kill themselves. With `answers` it gets a pipe for
    `exchange`, whose file descriptor is the command's last argument.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        on_line: Callable[[bytes], object],
        *,
        answers: bool = False,
    ) -> None:
        mine, theirs = os.pipe() if answers else (-1, -1)
        try:
            self._process = subprocess.Popen(
                [*command, str(theirs)] if answers else command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                pass_fds=(theirs,) if answers else (),
                start_new_session=True,
            )
        except BaseException:
            _close(mine)
            raise
        finally:
            _close(theirs)
        assert self._process.stdin and self._process.stdout
        self._requests, self._answers, self._unread = self._process.stdin, mine, b""
        os.set_blocking(self._requests.fileno(), False)
        self._reader = threading.Thread(
            target=_read_lines,
            args=(self._process.stdout, on_line),
            name=f"localaws-output-{self.pid}",
            daemon=True,
        )
        self._reader.start()
        self._closed = False

    @property
    def pid(self) -> int:
        """The process id, which is also that of its group and of its session."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it is still running."""
        return self.exit_code() is None

    def exit_code(self) -> int | None:
        """None while it runs; -n if signal n ended it."""
        return self._process.poll()

    def exchange(
        self, request: Mapping[str, Any] | None, proceed: Callable[[], bool]
    ) -> dict[str, Any] | None:
        """Send a request (None: send nothing), and return the next answer; both are lines of JSON.

        None as soon as `proceed` says no; it is asked every 50 ms. Raises ProcessDied.
        """
        unsent = b"" if request is None else json.dumps(request).encode() + b"\n"
        with selectors.DefaultSelector() as ready:
            ready.register(self._answers, selectors.EVENT_READ)
            if unsent:
                ready.register(self._requests, selectors.EVENT_WRITE)
            while b"\n" not in self._unread:
                if not proceed():
                    return None
                for key, _ in ready.select(_PROCEED_SECONDS):
                    if key.fileobj is not self._requests:
                        self._read()
                    elif not (unsent := self._written(unsent)):
                        ready.unregister(self._requests)
        line, _, self._unread = self._unread.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def interrupt(self) -> None:
        """Send SIGINT, as Ctrl-C would."""
        if self.alive():
            os.kill(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """Kill it and its group at once; `close` kills what has left the group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill_others(self) -> None:
        """Kill all that it has started, but not itself."""
        kill_session(self.pid, but=self.pid)

    def close(self) -> None:
        """Kill all that was started (Spark's JVM outlives a killed driver), and read its last output. Repeatable."""
        if self._closed:
            return
        self._closed = True
        kill_session(self.pid)
        self._process.wait()
        # What left the session may still hold the pipe; its output is not worth waiting for.
        self._reader.join(_DRAIN_SECONDS)
        self._requests.close()
        _close(self._answers)

    def _read(self) -> None:
        data = os.read(self._answers, _CHUNK_BYTES)
        if not data:
            # The pipe's end comes a moment before the process's own.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_EXIT_SECONDS)
            self._process.kill()
            raise ProcessDied(_exit_reason(self._process.wait()))
        self._unread += data

    def _written(self, unsent: bytes) -> bytes:
        try:
            return unsent[os.write(self._requests.fileno(), unsent[:_CHUNK_BYTES]) :]
        except BrokenPipeError:
            return b""  # the end of the answers says how the process ended


def kill_session(leader: int, but: int | None = None) -> None:
    """Kill (SIGKILL) every process of the session that `leader` began, alive or not; returns when they are dead.

    `but`: the one that is left alone.

    A process group is less: what makes a group of its own, as PySpark's daemon does, is still in the session.
    """
    deadline = time.monotonic() + _KILL_SECONDS
    # Repeated: what is about to die may just have started another one.
    while living := [
        pid for pid in psutil.pids() if _session(pid) == leader and pid != but and is_alive(pid)
    ]:
        kill(living)
        if time.monotonic() > deadline:
            log.error("processes %s, started by %d, can't be killed", living, leader)
            return
        time.sleep(_POLL_SECONDS)


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to each of them that is there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Whether there is such a process and it isn't a zombie that only waits for its parent."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)


def _read_lines(output: IO[bytes], on_line: Callable[[bytes], object]) -> None:
    with output:
        for line in output:
            on_line(line)


def _exit_reason(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    return f"signal: {str(signal.strsignal(-code)).lower()}"
