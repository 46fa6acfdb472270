"""Runs Glue jobs: each run is a process that executes the deployed script as the job's role."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.glue.models import FakeJob

from ..endpoint import Endpoint
from ..errors import LocalAwsError, NotSupported
from ..events import glue_job_event
from ..log_stream import LogStream
from ..roles import Assume, glue_credentials
from ..threads import Logs, Threads
from .models import Run, retry_of, take_over_runs
from .process import JobProcess

log = logging.getLogger(__name__)

# AWS docs: "Logging for AWS Glue jobs": what a script prints goes there.
_OUTPUT = "/aws-glue/jobs/output"


class Jobs:
    """Runs what StartJobRun starts, from its construction until `close`.

    `python` is an interpreter of this environment, whose site-packages the scripts get.
    `on_event` gets a "Glue Job State Change" for each run that ends. `minute_seconds` is how long a minute of
    a job's Timeout lasts. `logs`: the folder that keeps each run's output as RUN_ID.log; without it the output
    is removed with `close`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        assume: Assume,
        on_event: Callable[[dict[str, Any]], None],
        python: str = sys.executable,
        *,
        minute_seconds: float = 60.0,
        logs: Path | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._assume = assume
        self._on_event = on_event
        self._python = python
        self._minute_seconds = minute_seconds
        self._logs = Logs(logs)
        self._threads = Threads("job")
        self._processes: dict[str, JobProcess] = {}
        self._runs: set[Run] = set()
        self._lock = threading.Lock()
        self._takeover = take_over_runs(self._begin)

    def idle(self) -> bool:
        """Whether no run is under way and every end has been passed to `on_event`."""
        return self._threads.idle()

    def running(self) -> dict[str, int]:
        """The process id of each run's script, by run id, from its start until it is seen to have ended.

        Kill it and the run is FAILED, with its event; all that it started dies with it.
        """
        with self._lock:
            return {run_id: process.pid for run_id, process in self._processes.items()}

    def pids(self) -> list[int]:
        """Process ids of the running scripts."""
        return list(self.running().values())

    def output(self, run_id: str) -> str:
        """What a run has printed so far; "" for an unknown run."""
        return self._logs.read(run_id)

    def close(self) -> None:
        """Stop all runs without an event, and remove their files."""
        self._takeover.undo()
        self._threads.close()
        with self._lock:
            for run in self._runs:
                run.stopped.set()
        self._threads.join()
        self._logs.close()

    def _begin(self, job: FakeJob, run: Run) -> None:
        with self._lock:
            self._runs.add(run)
        if not self._threads.start(run.job_run_id, partial(self._run, job, run)):
            run.change("STOPPED")

    def _run(self, job: FakeJob, run: Run) -> None:
        try:
            state, error = self._execute(job, run)
            if self._threads.closed:
                run.change("STOPPED")
            else:
                self._end(job, run, state, error)
        finally:
            with self._lock:
                self._runs.discard(run)

    def _end(self, job: FakeJob, run: Run, state: str, error: str) -> None:
        retried = state in ("FAILED", "TIMEOUT") and run.attempt < int(job.max_retries or 0)
        run.change(state, error)
        if error:
            log.error("job %s, run %s: %s: %s", job.name, run.job_run_id, state, error)
        if retried:
            self._begin(job, retry_of(job, run))
        self._on_event(
            glue_job_event(
                job.name,
                run.job_run_id,
                state,
                error if state == "FAILED" else "",
                account=self._endpoint.account,
                region=self._endpoint.region,
            )
        )

    def _execute(self, job: FakeJob, run: Run) -> tuple[str, str]:
        """Run the script to its end: (terminal state, error message)."""
        try:
            process = self._process(job, run)
        except NotSupported as error:
            return "FAILED", f"NotSupported: {error}"
        except LocalAwsError as error:
            return (
                "FAILED",
                f"Role {job.role} should be given assume role permissions for Glue Service. {error}",
            )
        except (ClientError, BotoCoreError, OSError) as error:
            return "FAILED", f"LAUNCH ERROR | {type(error).__name__}: {error}"
        with self._lock:
            self._processes[run.job_run_id] = process
        try:
            run.change("RUNNING")
            return process.wait(run.timeout * self._minute_seconds, run.stopped)
        finally:
            with self._lock:
                del self._processes[run.job_run_id]
            process.close()

    def _process(self, job: FakeJob, run: Run) -> JobProcess:
        command: dict[str, str] = dict(job.command)
        if command.get("Name") not in ("glueetl", "pythonshell"):
            raise NotSupported(
                f"job {job.name}: Command.Name {command.get('Name')!r}; glueetl or pythonshell"
            )
        own, aws = glue_credentials(
            self._endpoint,
            self._assume,
            job.role,
            "GlueJobRunnerSession",
            f"run {run.job_run_id} of job {job.name}",
        )
        return JobProcess(
            job.name,
            run.job_run_id,
            command["ScriptLocation"],
            run.arguments or {},
            self._endpoint.client("s3", aws),
            self._endpoint.environment(own),
            self._python,
            self._logs.file(run.job_run_id),
            LogStream(self._endpoint, aws, _OUTPUT, f"{run.job_run_id}-driver", makes_group=True),
        )
