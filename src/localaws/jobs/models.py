"""Job runs as moto keeps them, with a state that only the service changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.glue import models
from moto.glue.models import FakeJob, FakeJobRun, GlueBackend
from moto.glue.responses import GlueResponse

from ..patches import Patches, add, around, replace

ACTIVE = ("STARTING", "RUNNING", "STOPPING")
TERMINAL = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED")

# Glue 5's default, in minutes (AWS docs: "Job structure", Timeout).
_DEFAULT_TIMEOUT_MINUTES = 480


class Run(FakeJobRun):  # type: ignore[misc]
    """A job run whose `state` is set by the service. moto's own runs become SUCCEEDED after a while."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.timeout: int = fields.get("timeout") or _DEFAULT_TIMEOUT_MINUTES
        self.attempt = 0
        self.state = "STARTING"
        self.error = ""
        self.completed_on: datetime | None = None
        self.stopped = threading.Event()

    @property
    def status(self) -> str:
        """The state, under the name moto asks for."""
        return self.state

    def advance(self) -> None:
        """moto's hook for the passing of time; it changes nothing here."""

    def change(self, state: str, error: str = "") -> None:
        """Enter a state, with the error message of a failed run."""
        self.modified_on = _now()
        if state in TERMINAL:
            self.completed_on = self.modified_on
            self.error = error
        self.state = state

    def as_dict(self) -> dict[str, Any]:
        """The run as GetJobRun shows it."""
        shown: dict[str, Any] = super().as_dict()
        end = self.completed_on or _now()
        shown |= {
            "Attempt": self.attempt,
            "ExecutionTime": int((end - self.started_on).total_seconds()),
            "LogGroupName": "/aws-glue/jobs",
            "GlueVersion": "5.1",
        }
        if self.completed_on is None:
            del shown["CompletedOn"]
        if self.error:
            shown["ErrorMessage"] = self.error
        return shown


def run_patches(started: Callable[[FakeJob, Run], None]) -> Patches:
    """moto keeps Runs, each is passed to `started`, and BatchStopJobRun, which moto lacks, is answered."""
    # In-process: moto has no hook for a run that was started. Its count of the running ones against
    # MaxConcurrentRuns is right, but takes no lock: two requests at once would both get their run.
    lock = threading.Lock()

    def start_job_run(original: Callable[..., str], job: FakeJob, **arguments: Any) -> str:
        with lock:
            run_id = original(job, **arguments)
            run = job.job_runs[-1]
        started(job, run)
        return run_id

    return Patches(
        replace(models, "FakeJobRun", Run),
        around(FakeJob, "start_job_run", start_job_run),
        add(GlueResponse, "batch_stop_job_run", _batch_stop_job_run),
    )


def retry_of(job: FakeJob, run: Run) -> Run:
    """A new run with the same arguments, numbered as Glue numbers the attempts of MaxRetries."""
    fields = "arguments allocated_capacity max_capacity timeout worker_type notification_property"
    fields += " security_configuration number_of_workers job_name job_run_id"
    retry = Run(**{name: getattr(run, name) for name in fields.split()})
    retry.attempt = run.attempt + 1
    retry.job_run_id = f"{run.job_run_id.partition('_attempt_')[0]}_attempt_{retry.attempt}"
    job.job_runs.append(retry)
    return retry


def _batch_stop_job_run(response: GlueResponse) -> ActionResult:
    backend: GlueBackend = response.glue_backend
    name = response._get_param("JobName")
    job = backend.get_job(name)
    stopped, errors = [], []
    for run_id in response._get_param("JobRunIds"):
        run = next((one for one in job.job_runs if one.job_run_id == run_id), None)
        if run is not None and run.state in ACTIVE:
            run.stopped.set()
            stopped.append({"JobName": name, "JobRunId": run_id})
        else:
            code = "JobRunNotInTerminalStateException" if run else "EntityNotFoundException"
            message = f"Job Run {run_id} is already {run.state}" if run else f"Job run {run_id} not found."
            detail = {"ErrorCode": code, "ErrorMessage": message}
            errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
    return ActionResult({"SuccessfulSubmissions": stopped, "Errors": errors})


def _now() -> datetime:
    # moto's timestamps are UTC without saying so.
    return datetime.now(UTC).replace(tzinfo=None)
