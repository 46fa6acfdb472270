"""A scenario that uses every grant of every deployed role, on a laptop AWS of its own.

Success, a run that dies, a load that the warehouse refuses, a crawl that fails, lost events, a file that is deleted
before it is read, corrections and a replay. What it uses is the evidence of `gluebook iam report`: a grant that no
act uses is superfluous.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any

from gluebook.aws.objects import Objects
from gluebook.cli.laptop import Laptop
from gluebook.core.model import Batch
from gluebook.core.states import BatchState
from gluebook.errors import TerminalError
from gluebook.operations.replay import replay, replay_of_files
from gluebook.sample import Request, SampleFile, generate
from localaws.errors import ApiError
from localaws.faults import RoleCall, When

# Only the acts make anything happen.
PARAMETERS = {"SweepSchedule": "rate(1 day)"}
_POLL_SECONDS = 0.05
_DAY, _NEXT_DAY = date(2026, 1, 5), date(2026, 1, 6)
_JOB_ENDED = "Glue Job State Change"


class _Enough(Exception):
    """The caller ends the scenario early."""


def play(
    laptop: Laptop,
    announce: Callable[[str], None],
    timeout_seconds: float,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Play all acts; `announce` is called with the name of each as it begins. `enough` is polled and ends it early.

    Raises TerminalError if the chain is not idle in time, or does not do what an act waits for.
    """
    acts = _Scenario(laptop, timeout_seconds, enough)
    for name, act in (
        ("Two runs die while they hold a batch; files are deleted before they are read", acts.dying_runs),
        ("The warehouse refuses loads for their content, crawls fail", acts.refused_loads),
        ("The sweep requests the crawls again", acts.swept),
        ("Events are lost, files corrected, batches replayed", acts.lost_arrivals),
        ("The sweep starts a comparison with the warehouse", acts.swept),
        ("The sweep reads its result", acts.swept),
    ):
        announce(name)
        try:
            act()
        except _Enough:
            return


class _Scenario:
    def __init__(self, laptop: Laptop, timeout_seconds: float, enough: Callable[[], bool]) -> None:
        self._enough = enough
        self._aws = laptop.aws
        self._deployment = laptop.deployment
        self._deadline = time.monotonic() + timeout_seconds
        self._files = _sample(7, _DAY)
        self._datasets = {file.dataset for file in self._files}

    def dying_runs(self) -> None:
        """The first run of each dataset is killed; the success events of the second ones are lost."""
        self._aws.faults.deliveries(_unless_succeeded)
        self._put([(file.key, file.body) for file in self._files])
        for dataset, run in self._kill_first_runs().items():
            self._until(partial(self._is_taken_over, dataset, run), f"another run takes over from {run}")
        self._delete_before_read()
        self._idle()
        self._aws.faults.clear()

    def refused_loads(self) -> None:
        """The manifests list each file twice, so the counts differ from those curated: the batches are divided."""
        objects, lake = Objects(), self._deployment.lake
        for dataset in self._datasets:
            for batch in self._open(dataset):
                if batch.state is BatchState.CURATED:
                    key = lake.manifest(dataset, batch.batch_id, batch.generation)
                    manifest = objects.get_json(lake.bucket, key)
                    objects.put_json(lake.bucket, key, manifest | {"entries": manifest["entries"] * 2})
        self._aws.faults.api(self._crawler_is_running)
        self._fire()
        self._aws.faults.clear()

    def swept(self) -> None:
        """The schedule fires."""
        self._fire()

    def lost_arrivals(self) -> None:
        """Files of the next day arrive twice without an event, corrected ones with two; others are replayed."""
        corrected = _first_of_each(_sample(8, _DAY))
        self._put([(file.key, file.body) for file in corrected], events=2)
        for _ in range(2):
            self._put([(file.key, file.body) for file in _first_of_each(_sample(8, _NEXT_DAY))], events=0)
        work = self._deployment.operations()
        as_they_were = {file.key for file in self._files} - {file.key for file in corrected}
        replay(replay_of_files(sorted(as_they_were), None, work), work)
        self._fire()

    def _put(self, items: Sequence[tuple[str, bytes]], events: int = 1) -> None:
        self._aws.put_objects(self._deployment.raw_bucket, items, repeat=lambda _: events)

    def _kill_first_runs(self) -> dict[str, str]:
        """Kill the first run of each dataset that has claimed a batch; return their ids by dataset."""
        killed: dict[str, str] = {}

        def all_killed() -> bool:
            running = self._aws.jobs.running()
            for dataset in self._datasets - killed.keys():
                for run in {batch.owner or "" for batch in self._open(dataset)} & running.keys():
                    with suppress(ProcessLookupError):
                        os.kill(running[run], signal.SIGKILL)
                        killed[dataset] = run
            return killed.keys() == self._datasets

        self._until(all_killed, "a run of each job has claimed a batch")
        return killed

    def _delete_before_read(self) -> None:
        """Files are registered, and deleted permanently before a run reads them."""
        s3, bucket = self._aws.endpoint.client("s3"), self._deployment.raw_bucket
        ledger = self._deployment.ledger
        for file in _first_of_each(self._files):
            key = file.key.replace(file.name, f"gone-{file.name}")
            version = s3.put_object(Bucket=bucket, Key=key, Body=file.body)["VersionId"]
            self._until(partial(ledger.versions, bucket, key), f"{key} is registered")
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version)

    def _crawler_is_running(self, call: RoleCall, when: When) -> ApiError | None:
        if call.operation != "StartCrawler" or when != "before":
            return None
        return ApiError("CrawlerRunningException", "a crawler is running whose end no event reports")

    def _open(self, dataset: str) -> list[Batch]:
        return list(self._deployment.ledger.open_batches(dataset))

    def _fire(self) -> None:
        """Fire every scheduled rule once, and wait until the chain is idle."""
        for rule in self._aws.endpoint.client("events").list_rules()["Rules"]:
            if rule.get("ScheduleExpression"):
                self._aws.schedule.fire_now(rule["Name"])
        self._idle()

    def _idle(self) -> None:
        if not self._aws.wait_idle(max(0.0, self._deadline - time.monotonic()), self._poll):
            raise TerminalError("the scenario did not complete in time: the chain is still busy")

    def _poll(self) -> None:
        if self._enough():
            raise _Enough

    def _is_taken_over(self, dataset: str, dead: str) -> bool:
        return any(batch.owner not in (None, dead) for batch in self._open(dataset))

    def _until(self, holds: Callable[[], object], what: str) -> None:
        while not holds():
            self._poll()
            if time.monotonic() > self._deadline:
                raise TerminalError(f"the scenario did not complete in time: it waits until {what}")
            threading.Event().wait(_POLL_SECONDS)


def _sample(seed: int, day: date) -> Sequence[SampleFile]:
    return generate(
        Request(seed=seed, tickets=40, log_lines=300, days=1, files_per_day=2, first_day=day)
    ).files


def _unless_succeeded(event: dict[str, Any], _target: str) -> Sequence[float]:
    lost = event["detail-type"] == _JOB_ENDED and event["detail"]["state"] == "SUCCEEDED"
    return [] if lost else [0.0]


def _first_of_each(files: Sequence[SampleFile]) -> list[SampleFile]:
    return list({file.dataset: file for file in reversed(files)}.values())
