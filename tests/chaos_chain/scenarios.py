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
from gluebook.operations.status import states

_LOGS = "app_logs/mongod/dt=2026-01-05/"
POISON = f"{_LOGS}poison.jsonl"
_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 3_600
_PACE_SECONDS = 2
_FIRST_SHARE = 0.01
_FIRST_RUN_SECONDS = 40
_ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED")


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
    """What became of many events. `seconds`: from the first event until nothing was left to do.

    `spread_seconds`: from the first event to the last, 0 if they came at once.
    """

    events: int
    states: dict[str, int]
    rows: int
    runs: int
    median_run_seconds: float
    spread_seconds: int
    dead_letters: int
    seconds: int


def burst(chaotic: ChaoticChain, versions: int = 9_000, *, over_runs: int = 0) -> Burst:
    """Events of so many file versions, and a ninth of them twice: at once, or while so many runs come and go."""
    chain, began = chaotic.chain, time.monotonic()
    bucket = chain.laptop.deployment.outputs["RawBucket"]
    names = [f"{_LOGS}file-{n:05d}.jsonl" for n in range(versions)]
    twice = set(chaotic.random.sample(names, versions // 9))
    pace = _Pace(chain, over_runs)
    sent = events = 0
    while sent < versions:
        # However far the runs are: a few files come first, or there would be none.
        until = max(sent, round(versions * max(pace.share(), _FIRST_SHARE)))
        part = names[sent:until]
        items = [(name, log_line(int(name[-11:-6]), name)) for name in part]
        events += chain.laptop.aws.put_objects(
            bucket, items, repeat=[2 if name in twice else 1 for name in part].__getitem__
        )
        sent = until
        time.sleep(_PACE_SECONDS)
    spread_seconds = time.monotonic() - began if over_runs else 0.0
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
        median_run_seconds=median(run["ExecutionTime"] for run in runs),
        spread_seconds=round(spread_seconds),
        dead_letters=int(dead),
        seconds=round(time.monotonic() - began),
    )


class _Pace:
    """How far the sending is: it goes along with the runs, whose length depends on what is sent meanwhile."""

    def __init__(self, chain: Chain, over_runs: int) -> None:
        self._chain = chain
        self._over_runs = over_runs

    def share(self) -> float:
        """The part that should have been sent: of a run under way as much as it has had of the last one's time."""
        if not self._over_runs:
            return 1.0
        runs = job_runs(self._chain)
        ended = [run["ExecutionTime"] for run in runs if run["JobRunState"] in _ENDED]
        begun = [run["ExecutionTime"] for run in runs if run["JobRunState"] not in _ENDED]
        last = max(ended[-1] if ended else _FIRST_RUN_SECONDS, 1)
        under_way = min(1.0, begun[0] / last) if begun else 0.0
        return min(1.0, (len(ended) + under_way) / self._over_runs)


def job_runs(chain: Chain) -> list[dict[str, Any]]:
    """All runs of the log job, the first one first."""
    glue = chain.laptop.aws.endpoint.client("glue")
    runs: list[dict[str, Any]] = glue.get_job_runs(JobName=chain.laptop.deployment.outputs["AppLogsJob"])[
        "JobRuns"
    ]
    return sorted(runs, key=lambda run: run["StartedOn"])
