"""Lambda: deployed functions run in warm worker processes, isolated from this machine as on AWS."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from moto.awslambda.models import LambdaFunction

from ..endpoint import Credentials, Endpoint
from ..errors import LocalAwsError, NotSupported
from ..logs import LogStream
from ..patches import Patches, replace
from ..roles import Assume
from .asynchronous import AsyncInvocations
from .errors import FunctionError
from .failures import Failures
from .models import Deployed, make_runtime_folder, plain_name, read_deployed, unpack
from .process import WarmWorker


class _Pool:
    """The workers of one function: idle, busy and starting ones."""

    def __init__(self) -> None:
        self.state = threading.Condition()
        self.idle: list[WarmWorker] = []
        self.busy: set[WarmWorker] = set()
        self.starting = 0
        self.code: dict[str, tuple[Path, Path]] = {}


class Functions:
    """Runs deployed functions; from its construction until `close` it also answers the API's Invoke.

    A function's worker has: its own variables, its role's credentials, its code and layers, boto3, and the
    standard library. Not more than `workers_per_function` run at a time; further invocations wait.
    `retry_delays_seconds`: waits before the two retries of an asynchronous invocation (on AWS 60 and 120 s).
    """

    def __init__(
        self,
        endpoint: Endpoint,
        assume: Assume,
        *,
        workers_per_function: int = 2,
        retry_delays_seconds: tuple[float, ...] = (0.5, 1.0),
        init_seconds: float = 30.0,
        python: str = sys.executable,
    ) -> None:
        self._endpoint = endpoint
        self._assume = assume
        self._limit = workers_per_function
        self._init_seconds = init_seconds
        self._python = python
        self._lambda = endpoint.client("lambda")
        self._root = Path(tempfile.mkdtemp(prefix="localaws-functions-"))
        self._runtime = make_runtime_folder(self._root / "runtime")
        self._pools: defaultdict[str, _Pool] = defaultdict(_Pool)
        self._pools_lock = threading.Lock()
        self._running = 0
        self._closed = False
        self._failures = Failures(endpoint, self._lambda, partial(self._credentials, by_aws=True))
        self._queue = AsyncInvocations(self.invoke, self._failures, retry_delays_seconds)
        self._patches = Patches(replace(LambdaFunction, "invoke", self._invoke_patch()))
        self._patches.apply()

    def invoke(self, name: str, event: Any) -> Any:
        """The result of the function `name` (or its ARN), synchronously.

        Raises FunctionError: what the handler raised, Sandbox.Timedout, Runtime.ExitError, an error of its
        import, or why it can't be run at all (no such function, its role can't be assumed).
        """
        with self._pools_lock:
            self._running += 1
        try:
            deployed = self._deployed(name)
            with self._worker(deployed) as worker:
                return worker.invoke(event)
        finally:
            with self._pools_lock:
                self._running -= 1

    def invoke_async(self, name: str, event: dict[str, Any]) -> None:
        """Queue the event for the function, as EventBridge and S3 do: at least once, failures are retried."""
        self._queue.put(plain_name(name), event)

    def idle(self) -> bool:
        """Whether no invocation is running, queued, or waiting for its retry."""
        with self._pools_lock:
            return self._running == 0 and self._queue.idle()

    def exhausted(self) -> dict[str, int]:
        """How many asynchronous events of each function have exhausted their retries."""
        return self._failures.counts()

    def pids(self, name: str | None = None) -> list[int]:
        """Process ids of the living workers, of all functions or of one."""
        return self._living(name, lambda pool: {*pool.idle, *pool.busy})

    def running(self, name: str | None = None) -> list[int]:
        """Process ids of the workers in the middle of an invocation, of all functions or of one.

        Kill one and its invocation fails with Runtime.ExitError at once.
        """
        return self._living(name, lambda pool: pool.busy)

    def _living(self, name: str | None, workers: Callable[[_Pool], set[WarmWorker]]) -> list[int]:
        with self._pools_lock:
            pools = [pool for key, pool in self._pools.items() if name in (None, key)]
        found: list[int] = []
        for pool in pools:
            with pool.state:
                found += [worker.pid for worker in workers(pool) if worker.alive()]
        return found

    def close(self) -> None:
        """End all workers, also busy ones, and remove all temporary files."""
        self._patches.undo()
        self._queue.stop()
        with self._pools_lock:
            self._closed = True
            pools = list(self._pools.values())
        for pool in pools:
            with pool.state:
                idle, pool.idle = pool.idle, []
                for worker in pool.busy:
                    worker.kill()
                pool.state.notify_all()
            for worker in idle:
                worker.close()
        self._queue.join()
        shutil.rmtree(self._root, ignore_errors=True)

    def _deployed(self, name: str) -> Deployed:
        try:
            return read_deployed(self._lambda, plain_name(name))
        except ClientError as error:
            raise FunctionError(error.response["Error"]["Code"], str(error)) from error
        except NotSupported as error:
            raise FunctionError("NotSupported", str(error)) from error

    @contextmanager
    def _worker(self, deployed: Deployed) -> Iterator[WarmWorker]:
        """A worker of the function's current revision, started if none is idle; afterwards it is idle again."""
        with self._pools_lock:
            pool = self._pools[deployed.name]
        worker, old = self._take(pool, deployed)
        for outdated in old:
            outdated.close()
        if worker is None:
            worker = self._start(pool, deployed)
        try:
            yield worker
        finally:
            with pool.state:
                pool.busy.discard(worker)
                keep = worker.alive() and not self._closed
                if keep:
                    pool.idle.append(worker)
                pool.state.notify()
            if not keep:
                worker.close()

    def _take(self, pool: _Pool, deployed: Deployed) -> tuple[WarmWorker | None, list[WarmWorker]]:
        """Wait for an idle worker, or for room to start one (None); also returns outdated workers."""
        with pool.state:
            pool.state.wait_for(
                lambda: self._closed or pool.idle or len(pool.busy) + pool.starting < self._limit
            )
            if self._closed:
                raise FunctionError(
                    "Runtime.ExitError", f"function {deployed.name}: the laptop's AWS was closed"
                )
            fit = [one for one in pool.idle if one.revision == deployed.revision and one.alive()]
            old = [one for one in pool.idle if one not in fit]
            pool.idle = fit
            if not fit:
                pool.starting += 1
                return None, old
            worker = fit.pop()
            pool.busy.add(worker)
            return worker, old

    def _start(self, pool: _Pool, deployed: Deployed) -> WarmWorker:
        worker = None
        try:
            task, opt = self._code(pool, deployed)
            role = deployed.role_arn
            environment = self._endpoint.environment(self._credentials(role, deployed.name))
            worker = WarmWorker(
                deployed,
                task,
                opt,
                self._runtime,
                environment,
                self._log_stream(deployed),
                self._python,
                self._init_seconds,
            )
            return worker
        finally:
            with pool.state:
                pool.starting -= 1
                if worker is not None:
                    pool.busy.add(worker)
                    if self._closed:
                        worker.kill()
                pool.state.notify()

    def _log_stream(self, deployed: Deployed) -> LogStream:
        """AWS docs: "Sending Lambda function logs to CloudWatch Logs": the execution role needs the permissions."""
        return LogStream(
            self._endpoint,
            self._credentials(deployed.role_arn, deployed.name, by_aws=True),
            deployed.log_group,
            deployed.new_log_stream(),
            makes_group=False,
        )

    def _credentials(self, role_arn: str, function: str, *, by_aws: bool = False) -> Credentials:
        """Credentials of the function's role: for the function, or for Lambda itself (`by_aws`)."""
        try:
            return self._assume(
                role_arn, "lambda.amazonaws.com", function, caller=f"function {function}", by_aws=by_aws
            )
        except (LocalAwsError, ClientError) as error:
            message = f"The role {role_arn} defined for {function} cannot be assumed by Lambda: {error}"
            raise FunctionError("AccessDeniedException", message) from error

    def _code(self, pool: _Pool, deployed: Deployed) -> tuple[Path, Path]:
        with pool.state:
            if deployed.revision not in pool.code:
                folder = self._root / "code" / deployed.name / deployed.revision
                pool.code[deployed.revision] = unpack(self._endpoint, deployed, folder)
            return pool.code[deployed.revision]

    def _invoke_patch(self) -> Any:
        """moto's LambdaFunction.invoke, which would start Docker, answered by the function's worker."""

        def invoke(function: LambdaFunction, body: str | bytes, headers: Any, answer_headers: Any) -> bytes:
            event = json.loads(body) if body else {}
            if headers.get("X-Amz-Invocation-Type", "RequestResponse") == "Event":
                self.invoke_async(function.function_name, event)
                return b""
            try:
                return json.dumps(self.invoke(function.function_name, event)).encode()
            except FunctionError as error:
                answer_headers["x-amz-function-error"] = "Unhandled"
                return json.dumps(error.payload()).encode()

        return invoke
