"""What the chain must also stand: a file that kills every run, and ten thousand events."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import threading
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

from typer.testing import CliRunner

from chain.kit import Chain, log_line
from chaos_chain.chain import ChaoticChain
from gluebook.cli.app import app
from gluebook.core.states import BatchState
from gluebook.status import states

_LOGS = "app_logs/mongod/dt=2026-01-05/"
POISON = f"{_LOGS}poison.jsonl"
_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 3_600


@dataclass(frozen=True)
class Poisoned:
    """What became of good files beside one that kills the job.

    `runs`: in all, `killed`: of them, `told`: what `gluebook status --failed` says, key, state and reason.
    """

    states: dict[str, int]
    rows: int
    runs: int
    killed: int
    told: list[tuple[str, str, str | None]]

    @property
    def holds(self) -> bool:
        """Whether the good ones are loaded, and a person is told of the other, and why."""
        good = self.states.get("LOADED", 0)
        return (
            self.states == {"FAILED": 1, "LOADED": good}
            and self.rows == good
            and [(key, state, bool(reason)) for key, state, reason in self.told] == [(POISON, "FAILED", True)]
        )


def poison(chaotic: ChaoticChain, good: int) -> Poisoned:
    """`good` files and one for which every run is killed that has claimed it."""
    chain = chaotic.chain
    over, killed = threading.Event(), [0]

    def kill() -> None:
        ledger = chain.laptop.deployment.ledger
        while not over.wait(_LOOK_SECONDS):
            for run, pid in chain.laptop.aws.jobs.running().items():
                for batch in ledger.open_batches("app_logs"):
                    working = batch.state is BatchState.CLAIMED and batch.owner == run and batch.files
                    if working and any(f.key == POISON for f in ledger.batch_files(batch.batch_id)):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                            killed[0] += 1

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        bodies = [(f"{_LOGS}good-{n:02d}.jsonl", log_line(n)) for n in range(good)]
        bodies.insert(good // 3, (POISON, log_line(999)))
        chain.laptop.aws.put_objects(chain.laptop.deployment.outputs["RawBucket"], bodies)
        assert chain.laptop.aws.wait_idle(_PATIENCE_SECONDS)
    finally:
        over.set()
        killer.join()
    return Poisoned(
        states=states(chain.laptop.deployment.overview().files),
        rows=chain.rows("select count(*) from app_logs")[0][0],
        runs=len(job_runs(chain)),
        killed=killed[0],
        told=_troubled(),
    )


def _troubled() -> list[tuple[str, str, str | None]]:
    # The command finds the laptop AWS of this process by the environment, as it would find AWS.
    with tempfile.TemporaryDirectory() as state:
        done = CliRunner().invoke(app, ["status", "--failed", "--json"], env={"XDG_STATE_HOME": state})
    assert done.exit_code == 0, done.output
    return [(f["key"], f["state"], f["reason"]) for f in json.loads(done.stdout)["files"]]


@dataclass(frozen=True)
class Burst:
    """What became of many events. `seconds`: from the first event until nothing was left to do."""

    events: int
    states: dict[str, int]
    rows: int
    runs: int
    longest_run_seconds: float
    median_run_seconds: float
    dead_letters: int
    seconds: float


def burst(chaotic: ChaoticChain, versions: int = 9_000, *, spread_seconds: float = 0) -> Burst:
    """Events of so many file versions, and a ninth of them twice, at once or evenly spread."""
    chain, began = chaotic.chain, time.monotonic()
    bucket = chain.laptop.deployment.outputs["RawBucket"]
    names = [f"{_LOGS}file-{n:05d}.jsonl" for n in range(versions)]
    twice = set(chaotic.random.sample(names, versions // 9))
    slices = max(1, int(spread_seconds / 2))
    events = 0
    for place in range(slices):
        part = names[place * versions // slices : (place + 1) * versions // slices]
        items = [(name, log_line(int(name[-11:-6]), name)) for name in part]
        events += chain.laptop.aws.put_objects(
            bucket, items, repeat=lambda n, part=part: 2 if part[n] in twice else 1
        )
        time.sleep(max(0.0, began + (place + 1) * spread_seconds / slices - time.monotonic()))
    assert chain.laptop.aws.wait_idle(_PATIENCE_SECONDS)
    runs = job_runs(chain)
    sqs = chain.laptop.aws.endpoint.client("sqs")
    dead = sqs.get_queue_attributes(
        QueueUrl=chain.laptop.deployment.outputs["DeadLettersUrl"],
        AttributeNames=["ApproximateNumberOfMessages"],
    )["Attributes"]["ApproximateNumberOfMessages"]
    return Burst(
        events=events,
        states=states(chain.laptop.deployment.overview().files),
        rows=chain.rows("select count(*) from app_logs")[0][0],
        runs=len(runs),
        longest_run_seconds=max(run["ExecutionTime"] for run in runs),
        median_run_seconds=median(run["ExecutionTime"] for run in runs),
        dead_letters=int(dead),
        seconds=time.monotonic() - began,
    )


def job_runs(chain: Chain) -> list[dict[str, Any]]:
    """All runs of the log job."""
    glue = chain.laptop.aws.endpoint.client("glue")
    runs: list[dict[str, Any]] = glue.get_job_runs(JobName=chain.laptop.deployment.outputs["AppLogsJob"])[
        "JobRuns"
    ]
    return runs
