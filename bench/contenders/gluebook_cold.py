"""Gluebook as the laptop runs it: the deployed template, an upload, and the chain does the rest.

S3, EventBridge, SQS, λ admit, a Glue job run in a process of its own, λ load, PostgreSQL behind the Data API. The
laptop's AWS is up before the clock starts, as AWS is; the job's process starts cold.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from bench.agreement import facts, table_bytes
from bench.task import Counts, Outcome, Task
from gluebook.cli.laptop import Laptop, laptop
from gluebook.core.keys import raw_key
from gluebook.core.model import Batch
from gluebook.core.states import BatchState
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.errors import TerminalError

DAY = date(2026, 1, 5)
_PATIENCE_SECONDS = 7_200
# The ledger says when; each look reads all of it.
_LOOK_SECONDS = 1.0
# Only what is measured is to happen.
_PARAMETERS = {"SweepSchedule": "rate(1 day)", "CrawlPolicy": "never"}


def run(task: Task) -> Outcome:
    """From the upload to loaded rows."""
    with deployed() as running:
        return measured(running, task)


def measured(running: Laptop, task: Task, when_loaded: Callable[[], None] = lambda: None) -> Outcome:
    """Upload the files, and wait for their rows; `when_loaded` is called before anything is asked of them."""
    begun = time.time()
    upload(running, task)
    batches = wait_until_loaded(running, task)
    when_loaded()
    runs = job_runs(running, task, begun)
    started = min(run["StartedOn"].timestamp() for run in runs)
    ended = max(run["CompletedOn"].timestamp() for run in runs)
    return outcome(running, task, batches, Times(begun, started, ended))


@dataclass(frozen=True)
class Times:
    """Seconds since 1970: files are there, the job starts, the job has ended."""

    begun: float
    started: float
    ended: float


def deployed(*, cold: bool = True, rehearse: bool = False) -> AbstractContextManager[Laptop]:
    """A laptop AWS on which nothing but uploads makes anything happen; `cold`, `rehearse`: see `laptop`."""
    return laptop(lambda _: None, parameters=_PARAMETERS, cold=cold, rehearse=rehearse)


def upload(running: Laptop, task: Task) -> None:
    """Store the files."""
    keys = [raw_key(task.dataset, task.source, DAY, path.name) for path in task.files]
    items = ((key, path.read_bytes()) for key, path in zip(keys, task.files, strict=True))
    running.aws.put_objects(running.deployment.raw_bucket, items)


def wait_until_loaded(running: Laptop, task: Task) -> list[Batch]:
    """The batches that hold the task's files, once all are loaded. Raises TerminalError."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    ledger, names = running.deployment.ledger, {path.name for path in task.files}
    while time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        batches = {batch.batch_id: batch for batch in ledger.batches() if batch.dataset == task.dataset}
        if not batches or any(batch.state is not BatchState.LOADED for batch in batches.values()):
            _refuse_failed(batches.values())
            continue
        files = [file for file in ledger.files() if file.key.rpartition("/")[2] in names]
        if len(files) == len(names) and all(file.batch_id in batches for file in files):
            return [batches[batch_id] for batch_id in sorted({file.batch_id or "" for file in files})]
    raise TerminalError(f"the files were not loaded within {_PATIENCE_SECONDS} s")


def _refuse_failed(batches: Any) -> None:
    failed = [batch for batch in batches if batch.state in (BatchState.REJECTED, BatchState.FAILED)]
    if failed:
        raise TerminalError(
            "; ".join(f"batch {each.batch_id} is {each.state}: {each.reason}" for each in failed)
        )


def job_runs(running: Laptop, task: Task, since: float) -> list[dict[str, Any]]:
    """The job's runs since a time, as Glue tells of them."""
    name = running.deployment.output(JOB_OUTPUTS[task.dataset])
    found: list[dict[str, Any]] = running.aws.endpoint.client("glue").get_job_runs(JobName=name)["JobRuns"]
    return [
        run for run in found if run["JobRunState"] == "SUCCEEDED" and run["StartedOn"].timestamp() >= since
    ]


def outcome(running: Laptop, task: Task, batches: list[Batch], times: Times) -> Outcome:
    """What ledger, lake and warehouse say of these batches."""
    deployment = running.deployment
    loaded = max(_seconds(batch.changed_at) for batch in batches)
    counts = [batch.counts for batch in batches]
    database = running.aws.warehouse.database_uri(deployment.output("Workgroup"))
    objects = running.aws.endpoint.client("s3").get_paginator("list_objects_v2")
    curated = sum(
        item["Size"]
        for page in objects.paginate(Bucket=deployment.lake.bucket, Prefix="curated/")
        for item in page.get("Contents", [])
        if any(batch.batch_id in item["Key"] for batch in batches)
    )
    return Outcome(
        counts=Counts(
            sum(each.read for each in counts),
            sum(each.curated for each in counts),
            sum(each.duplicates for each in counts),
            sum(each.rejected for each in counts),
        ),
        job=times.ended - times.started,
        load=loaded - times.ended,
        total=loaded - times.begun,
        parquet_bytes=curated,
        details={"until the job starts": round(times.started - times.begun, 3), "batches": len(batches)},
        agreed=facts(database, task.dataset, _rows_of(batches)),
        table_bytes=table_bytes(database, task.dataset),
    )


def _rows_of(batches: list[Batch]) -> str:
    listed = ", ".join(f"'{batch.batch_id}'" for batch in batches)
    return f"_batch_id in ({listed})"


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).astimezone(UTC).timestamp()
