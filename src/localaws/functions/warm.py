"""One warm worker process of a deployed function, seen from outside."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ..errors import LocalAwsError
from ..logs import LogStream
from .deployed import Deployed, layer_paths

# How long a worker that has closed its pipe may take to exit by itself.
_EXIT_SECONDS = 1.0

_WORKER = Path(__file__).with_name("worker.py")
_TIMED_OUT, _EXITED = "Sandbox.Timedout", "Runtime.ExitError"


class FunctionError(LocalAwsError):
    """An invocation failed: `error_type`, `message` and `stack` as Lambda reports them."""

    def __init__(self, error_type: str, message: str, stack: tuple[str, ...] = ()) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message
        self.stack = stack

    def payload(self) -> dict[str, Any]:
        """The answer Lambda gives for it."""
        return {"errorMessage": self.message, "errorType": self.error_type, "stackTrace": list(self.stack)}

    def logged(self) -> str:
        """How Lambda logs it (AWS docs: "Log and monitor Python Lambda functions", "Troubleshoot execution")."""
        if self.error_type in (_TIMED_OUT, _EXITED):
            return f"{self.message}\n{self.error_type}"
        trace = ["Traceback (most recent call last):\n", *self.stack] if self.stack else []
        return "".join([f"[ERROR] {self.error_type}: {self.message}\n", *trace]).rstrip()


def plain_name(name: str) -> str:
    """The function's name out of a name or an ARN; FunctionError for a version or alias."""
    parts = name.split(":")
    plain = parts[6] if name.startswith("arn:") else parts[0]
    qualifier = parts[7:] if name.startswith("arn:") else parts[1:]
    if qualifier not in ([], ["$LATEST"]):
        raise FunctionError("NotSupported", f"function {name}: versions and aliases; only $LATEST")
    return plain


class WarmWorker:
    """A process that has imported the function's handler and takes one invocation at a time.

    `environment`: AWS endpoint, region and the role's credentials; `logs`: gets what it prints. Raises
    FunctionError if the handler can't be imported or isn't ready in `init_seconds`.
    """

    def __init__(
        self,
        deployed: Deployed,
        task: Path,
        opt: Path,
        runtime: Path,
        environment: Mapping[str, str],
        logs: LogStream,
        python: str,
        init_seconds: float,
    ) -> None:
        self._stream = logs
        self.revision = deployed.revision
        self._deployed = deployed
        # A function's /tmp; gone with its worker.
        self._temp = tempfile.mkdtemp(prefix="localaws-function-tmp-")
        paths = {
            "first": [str(task), *layer_paths(opt)],
            "last": [str(runtime)],
            "function_arn": deployed.arn,
        }
        self._process = subprocess.Popen(
            [python, "-I", "-S", "-B", "-X", "utf8", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=task,
            env={
                **_environment(deployed, task, self._temp, environment, logs.name),
                "LOCALAWS_PATHS": json.dumps(paths),
            },
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._requests, self._answers = self._process.stdin, self._process.stdout
        os.set_blocking(self._requests.fileno(), False)
        os.set_blocking(self._answers.fileno(), False)
        self._unread = b""
        self._logs = threading.Thread(
            target=_forward_logs,
            args=(self._process.stderr, logging.getLogger(f"localaws.functions.{deployed.name}"), logs),
            name=f"localaws-logs-{deployed.name}",
            daemon=True,
        )
        self._logs.start()
        try:
            self._ask(b"", time.monotonic() + init_seconds, "init", init_seconds)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process can take another invocation."""
        return self._process.poll() is None

    def invoke(self, event: Any) -> Any:
        """The handler's result. FunctionError if it raises, exceeds its timeout, or its process dies.

        After a timeout or a death the worker is of no more use (`alive` is False).
        """
        request_id = str(uuid.uuid4())
        seconds = self._deployed.timeout_seconds
        request = {"request_id": request_id, "event": event, "deadline": time.time() + seconds}
        line = (json.dumps(request) + "\n").encode()
        began = time.monotonic()
        self._stream.add(f"START RequestId: {request_id} Version: {self._deployed.version}")
        try:
            return self._ask(line, began + seconds, request_id, seconds).get("result")
        finally:
            self._stream.add(f"END RequestId: {request_id}")
            taken_ms = (time.monotonic() - began) * 1000
            self._stream.add(f"REPORT RequestId: {request_id} Duration: {taken_ms:.2f} ms")
            self._stream.flush()

    def kill(self) -> None:
        """Kill the process with whatever it started: an invocation under way fails with Runtime.ExitError."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill the process and remove its temporary files; not while another thread invokes it."""
        self.kill()
        self._process.wait()
        # A child that left the process group may still hold the pipe.
        self._logs.join(_EXIT_SECONDS)
        self._requests.close()
        self._answers.close()
        shutil.rmtree(self._temp, ignore_errors=True)

    def _ask(self, request: bytes, deadline: float, request_id: str, seconds: float) -> dict[str, Any]:
        """The answer to a request; an error is in the function's log before it is raised."""
        try:
            answer = self._exchange(request, deadline, request_id, seconds)
            if error := answer.get("error"):
                raise FunctionError(error["errorType"], error["errorMessage"], tuple(error["stackTrace"]))
        except FunctionError as error:
            self._stream.add(error.logged())
            self._stream.flush()
            raise
        return answer

    def _exchange(self, request: bytes, deadline: float, request_id: str, seconds: float) -> dict[str, Any]:
        """Write a request and read the answer's line, neither of them for longer than until `deadline`."""
        with selectors.DefaultSelector() as ready:
            ready.register(self._answers, selectors.EVENT_READ)
            if request:
                ready.register(self._requests, selectors.EVENT_WRITE)
            while b"\n" not in self._unread:
                events = ready.select(deadline - time.monotonic())
                if not events and time.monotonic() >= deadline:
                    self._process.kill()
                    self._process.wait()
                    message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
                    raise FunctionError(_TIMED_OUT, message)
                for key, _ in events:
                    if key.fileobj is self._answers:
                        self._read(request_id)
                    elif not (request := self._written(request)):
                        ready.unregister(self._requests)
        line, _, self._unread = self._unread.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _read(self, request_id: str) -> None:
        data = os.read(self._answers.fileno(), 1 << 20)
        if not data:
            # The pipe's end comes a moment before the process's own.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_EXIT_SECONDS)
            self._process.kill()
            reason = _exit_reason(self._process.wait())
            message = f"RequestId: {request_id} Error: Runtime exited with error: {reason}"
            raise FunctionError(_EXITED, message)
        self._unread += data

    def _written(self, request: bytes) -> bytes:
        try:
            return request[os.write(self._requests.fileno(), request[: 1 << 16]) :]
        except BrokenPipeError:
            return b""  # reading tells how the process ended


def _exit_reason(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    return f"signal: {str(signal.strsignal(-code)).lower()}"


def _environment(
    deployed: Deployed, task: Path, temp: str, aws: Mapping[str, str], stream: str
) -> dict[str, str]:
    """As on Lambda: nothing of the host's environment."""
    return {
        **dict(deployed.variables),
        **aws,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "TMPDIR": temp,
        "LAMBDA_TASK_ROOT": str(task),
        "_HANDLER": deployed.handler,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "AWS_LAMBDA_FUNCTION_NAME": deployed.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployed.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": deployed.version,
        "AWS_LAMBDA_LOG_GROUP_NAME": deployed.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
    }


def _forward_logs(output: IO[bytes], log: logging.Logger, stream: LogStream) -> None:
    with output:
        for line in output:
            text = line.decode(errors="replace").rstrip()
            log.info("%s", text)
            stream.add(text)
