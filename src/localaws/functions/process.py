"""One warm worker process of a deployed function, seen from outside."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..logs import LogStream
from ..processes import Process, ProcessDied, python_command
from .errors import EXITED, TIMED_OUT, FunctionError
from .models import Deployed, layer_paths

_WORKER = Path(__file__).with_name("worker.py")


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
        self._log = logging.getLogger(f"localaws.functions.{deployed.name}")
        self.revision = deployed.revision
        self._deployed = deployed
        # A function's /tmp; gone with its worker.
        self._temp = tempfile.mkdtemp(prefix="localaws-function-tmp-")
        settings = {
            "first": [str(task), *layer_paths(opt)],
            "last": [str(runtime)],
            "function_arn": deployed.arn,
        }
        self._process = Process(
            python_command(python, _WORKER, settings),
            _environment(deployed, task, self._temp, environment, logs.name),
            task,
            self._on_line,
            answers=True,
        )
        self.pid = self._process.pid
        self.alive, self.kill = self._process.alive, self._process.kill
        try:
            self._ask(None, time.monotonic() + init_seconds, "init", init_seconds)
        except BaseException:
            self.close()
            raise

    def invoke(self, event: Any) -> Any:
        """The handler's result. FunctionError if it raises, exceeds its timeout, or its process dies.

        After a timeout or a death the worker can't be used again (`alive` is False).
        """
        request_id = str(uuid.uuid4())
        seconds = self._deployed.timeout_seconds
        request = {"request_id": request_id, "event": event, "deadline": time.time() + seconds}
        began = time.monotonic()
        self._stream.add(f"START RequestId: {request_id} Version: {self._deployed.version}")
        try:
            return self._ask(request, began + seconds, request_id, seconds).get("result")
        finally:
            self._stream.add(f"END RequestId: {request_id}")
            taken_ms = (time.monotonic() - began) * 1000
            self._stream.add(f"REPORT RequestId: {request_id} Duration: {taken_ms:.2f} ms")
            self._stream.flush()

    def close(self) -> None:
        """Kill the process and remove its temporary files; not while another thread invokes it."""
        self._process.close()
        shutil.rmtree(self._temp, ignore_errors=True)

    def _ask(
        self, request: dict[str, Any] | None, deadline: float, request_id: str, seconds: float
    ) -> dict[str, Any]:
        """The answer to a request; an error is in the function's log before it is raised."""
        failed = f"RequestId: {request_id} Error:"
        try:
            answer = self._process.exchange(request, lambda: time.monotonic() < deadline)
            if answer is None:
                self._process.close()
                raise FunctionError(TIMED_OUT, f"{failed} Task timed out after {seconds:.2f} seconds")
            if error := answer.get("error"):
                raise FunctionError(error["errorType"], error["errorMessage"], tuple(error["stackTrace"]))
        except ProcessDied as died:
            raise self._logged(
                FunctionError(EXITED, f"{failed} Runtime exited with error: {died.reason}")
            ) from None
        except FunctionError as error:
            raise self._logged(error) from None
        return answer

    def _logged(self, error: FunctionError) -> FunctionError:
        self._stream.add(error.logged())
        self._stream.flush()
        return error

    def _on_line(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        self._log.info("%s", text)
        self._stream.add(text)


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
