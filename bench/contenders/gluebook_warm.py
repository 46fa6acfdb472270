"""A second batch of Gluebook in one process: Spark is up, and Java has compiled what the first batch needed.

AWS Glue doesn't offer that; a long-running worker would. The laptop's AWS, the exported script, the ledger and the
load are those of a cold run. Only the job runs in a process of ours, which takes one batch after the other. Files
are registered without an event, so that no other run begins.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.contenders.gluebook_cold import Times, deployed, outcome, upload, wait_until_loaded
from bench.task import Outcome, Task
from gluebook.aws.objects import Objects
from gluebook.cli.laptop import Laptop
from gluebook.clock import utc_now
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.operations.register import RegisterContext, register_missing
from localaws.events import shapes
from localaws.jobs.arguments import script_arguments
from localaws.processes import Process

_ROOT = Path(__file__).resolve().parents[2]
_FIRST_BATCH_RECORDS = 445
# The first batch has other rows than the second: other days, other incidents.
_OTHER_KEYS = {b"2023-": b"1999-", b"INC": b"OLD"}


def run(task: Task) -> Outcome:
    """A small batch first; measured is the one after it."""
    with deployed() as running, _worker() as worker:
        first = _first_batch(task)
        _batch(running, worker, first, "jr_first")
        wait_until_loaded(running, first)
        times = _batch(running, worker, task, "jr_second")
        return outcome(running, task, wait_until_loaded(running, task), times)


def _first_batch(task: Task) -> Task:
    """The first records of the first file, with other keys."""
    folder = task.folder / "first"
    folder.mkdir()
    path = folder / f"first{task.files[0].suffix}"
    with task.files[0].open("rb") as file, path.open("wb") as target:
        for line, _ in zip(file, range(_FIRST_BATCH_RECORDS), strict=False):
            for old, new in _OTHER_KEYS.items():
                line = line.replace(old, new)
            target.write(line)
    return replace(task, files=(path,))


@contextmanager
def _worker() -> Iterator[Process]:
    """The process that runs the exported script again and again; it finds the laptop's AWS in its environment."""
    command = [sys.executable, str(_ROOT / "bench" / "warm_worker.py")]
    process = Process(command, os.environ, _ROOT, sys.stdout.buffer.write, answers=True)
    try:
        yield process
    finally:
        process.close()


def _batch(running: Laptop, worker: Process, task: Task, run_id: str) -> Times:
    """Register the files, run the job on them, and tell the chain that it has ended."""
    upload(running, task, events=0)
    _register(running)
    deployment, endpoint = running.deployment, running.aws.endpoint
    job = deployment.output(JOB_OUTPUTS[task.dataset])
    arguments = endpoint.client("glue").get_job(JobName=job)["Job"]["DefaultArguments"]
    script = str(_ROOT / "glue" / f"{task.dataset}.py")
    begun = time.time()
    worker.exchange({"argv": [script, *script_arguments(job, run_id, arguments)]}, lambda: True)
    ended = time.time()
    where = shapes.Where(account=endpoint.account, region=endpoint.region)
    running.aws.bus.put(shapes.glue_job_event(job, run_id, "SUCCEEDED", **where))
    return Times(begun, begun, ended)


def _register(running: Laptop) -> None:
    bucket = running.deployment.raw_bucket
    context = RegisterContext(running.deployment.ledger, Objects(), bucket, utc_now, "benchmark")
    for page in Objects().versions(bucket, ""):
        register_missing(page, context)
