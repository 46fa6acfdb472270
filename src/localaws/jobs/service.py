"""Runs Glue jobs: each run is a process that executes the deployed script as the job's role."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.glue.models import FakeJob, glue_backends

from ..endpoint import Endpoint
from ..errors import LocalAwsError, NotSupported
from ..events import glue_job_event
from ..logs import LogStream
from ..roles import Assume
from .arguments import script_arguments
from .base import GlueService
from .java import Java, JavaDied, WarmStart
from .models import Run, retry_of, run_patches
from .process import JobProcess
from .spares import Kind, Spares

log = logging.getLogger(__name__)

# AWS docs: "Logging for AWS Glue jobs": what a script prints goes there.
_OUTPUT = "/aws-glue/jobs/output"
# The command of jobs that run on Spark.
_SPARK = "glueetl"


class Jobs(GlueService):
    """Runs what StartJobRun starts, from its construction until `close`.

    `python` is an interpreter of this environment, whose site-packages the scripts get.
    `on_event` gets a "Glue Job State Change" for each run that ends. `minute_seconds` is how long a minute of
    a job's Timeout lasts. `logs`: the folder that keeps each run's output as RUN_ID.log; without it the output
    is removed with `close`. `warm`: how Java is started for Spark, to be kept from run to run of a job; without it
    each run starts its own.
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
        warm: WarmStart | None = None,
    ) -> None:
        super().__init__("job", endpoint, assume, python, minute_seconds, logs)
        self._on_event = on_event
        self._runs: set[Run] = set()
        self._spares = Spares(warm) if warm else None
        self._patches = run_patches(self._begin)
        self._patches.apply()

    def idle(self) -> bool:
        """Whether no run is under way and every end has been passed to `on_event`."""
        return self._threads.idle()

    def prepare(self) -> None:
        """Have a Java ready for the first run of each job, in the background, if the warm start says how."""
        jobs: dict[str, FakeJob] = glue_backends[self._endpoint.account][self._endpoint.region].jobs
        for job in jobs.values():
            arguments = job.default_arguments or {}
            if self._spares and job.command.get("Name") == _SPARK:
                self._spares.prepare(_kind(job, arguments), script_arguments(job.name, "", arguments))

    def wait_ready(self) -> None:
        """Wait until what `prepare` has begun is done."""
        if self._spares:
            self._spares.wait_ready()

    def close(self) -> None:
        """Stop all runs without an event, and remove their files."""
        self._patches.undo()
        self._threads.close()
        with self._lock:
            for run in self._runs:
                run.stopped.set()
        if self._spares:
            self._spares.close()
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
            with (
                self._java(job, run) as java,
                closing(self._process(job, run, java)) as process,
                self._registered(run.job_run_id, process.pid),
            ):
                run.change("RUNNING")
                return process.wait(run.timeout * self._minute_seconds, run.stopped)
        except NotSupported as error:
            return "FAILED", f"NotSupported: {error}"
        except (ClientError, BotoCoreError, OSError, JavaDied) as error:
            return "FAILED", f"LAUNCH ERROR | {type(error).__name__}: {error}"
        except LocalAwsError as error:
            return (
                "FAILED",
                f"Role {job.role} should be given assume role permissions for Glue Service. {error}",
            )

    @contextmanager
    def _java(self, job: FakeJob, run: Run) -> Iterator[Java | None]:
        if self._spares is None or job.command.get("Name") != _SPARK:
            yield None
            return
        arguments = run.arguments or {}
        with self._spares.lend(_kind(job, arguments), script_arguments(job.name, "", arguments)) as java:
            yield java

    def _process(self, job: FakeJob, run: Run, java: Java | None) -> JobProcess:
        command: dict[str, str] = dict(job.command)
        if command.get("Name") not in (_SPARK, "pythonshell"):
            raise NotSupported(
                f"job {job.name}: Command.Name {command.get('Name')!r}; glueetl or pythonshell"
            )
        own, aws = self._credentials(
            job.role, "GlueJobRunnerSession", f"run {run.job_run_id} of job {job.name}"
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
            java,
        )


def _kind(job: FakeJob, arguments: Mapping[str, str]) -> Kind:
    return Kind(job.name, job.role, arguments.get("--conf"))
