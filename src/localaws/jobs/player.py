"""Plays Glue's job runs: each is a process that executes the deployed script as the job's role."""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.glue.models import FakeJob

from ..endpoint import Endpoint
from ..errors import LocalAwsError, NotSupported
from ..events import glue_job_event
from ..logs import LogStream
from ..roles import Assume, role_arn
from .process import JobProcess
from .runs import PlayedRun, retry_of, run_patches

log = logging.getLogger(__name__)

# AWS docs: "Logging for AWS Glue jobs": what a script prints goes there.
_OUTPUT = "/aws-glue/jobs/output"


class Jobs:
    """Runs what StartJobRun starts, from its making until `close`.

    `python` is an interpreter of this environment: its scripts get this one's site-packages.
    `on_event` gets a "Glue Job State Change" for each run that ends. `minute_seconds` is how long a minute of
    a job's Timeout lasts. `logs`: the folder that keeps each run's output as RUN_ID.log; without it the output
    goes with the player.
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
        self._own_logs = logs is None
        self._logs = logs or Path(tempfile.mkdtemp(prefix="localaws-job-logs-"))
        self._logs.mkdir(parents=True, exist_ok=True)
        self._processes: dict[str, JobProcess] = {}
        self._threads: set[threading.Thread] = set()
        self._runs: set[PlayedRun] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._patches = run_patches(self._begin)
        self._patches.apply()

    def idle(self) -> bool:
        """Whether no run is under way and every end has been told to `on_event`."""
        with self._lock:
            return not self._threads

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
        file = self._logs / f"{run_id}.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def close(self) -> None:
        """Stop all runs without an event, and remove their files."""
        self._patches.undo()
        with self._lock:
            self._closed = True
            threads = tuple(self._threads)
            for run in self._runs:
                run.stopped.set()
        for thread in threads:
            thread.join()
        if self._own_logs:
            shutil.rmtree(self._logs, ignore_errors=True)

    def _begin(self, job: FakeJob, run: PlayedRun) -> None:
        thread = threading.Thread(
            target=self._play, args=(job, run), name=f"localaws-job-{run.job_run_id}", daemon=True
        )
        with self._lock:
            if self._closed:
                run.change("STOPPED")
                return
            self._threads.add(thread)
            self._runs.add(run)
            thread.start()

    def _play(self, job: FakeJob, run: PlayedRun) -> None:
        try:
            state, error = self._execute(job, run)
            if not self._closed:
                self._end(job, run, state, error)
            else:
                run.change("STOPPED")
        except Exception:
            log.exception("job %s, run %s", job.name, run.job_run_id)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
                self._runs.discard(run)

    def _end(self, job: FakeJob, run: PlayedRun, state: str, error: str) -> None:
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

    def _execute(self, job: FakeJob, run: PlayedRun) -> tuple[str, str]:
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

    def _process(self, job: FakeJob, run: PlayedRun) -> JobProcess:
        command: dict[str, str] = dict(job.command)
        if command.get("Name") not in ("glueetl", "pythonshell"):
            raise NotSupported(
                f"job {job.name}: Command.Name {command.get('Name')!r}; glueetl or pythonshell"
            )
        role = role_arn(self._endpoint, job.role)
        caller = f"run {run.job_run_id} of job {job.name}"
        own, aws = (
            self._assume(role, "glue.amazonaws.com", "GlueJobRunnerSession", caller=caller, by_aws=by_aws)
            for by_aws in (False, True)
        )
        return JobProcess(
            job.name,
            run.job_run_id,
            command["ScriptLocation"],
            run.arguments or {},
            self._endpoint.client("s3", aws),
            self._endpoint.environment(own),
            self._python,
            self._logs / f"{run.job_run_id}.log",
            LogStream(self._endpoint, aws, _OUTPUT, f"{run.job_run_id}-driver", makes_group=True),
        )
