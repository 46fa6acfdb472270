"""A story that uses every grant of every deployed role, on a laptop AWS that is made for it.

Happy path, a run that dies, a load that the warehouse refuses, a crawl that comes to nothing, lost arrivals, a file
that is deleted before it is read, corrections and a replay. What it has used is the evidence for
`gluebook iam report`: a grant that no act needs is one too many.
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
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.errors import TerminalError
from gluebook.operations.replay import replay, replay_of_files
from gluebook.sample import SampleFile, generate
from localaws.errors import ApiError
from localaws.faults import RoleCall, When

# Nothing happens but what the story brings about.
PARAMETERS = {"SweepSchedule": "rate(1 day)"}
_LOOK_SECONDS = 0.05
_DAY, _NEXT_DAY = date(2026, 1, 5), date(2026, 1, 6)
_JOB_ENDED = "Glue Job State Change"


class _Enough(Exception):
    """The caller has seen enough: the story ends early."""


def play(
    laptop: Laptop,
    tell: Callable[[str], None],
    timeout_seconds: float,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Play all acts; `tell` gets the name of each as it begins. `enough`, asked often, ends the story early.

    Raises TerminalError if the chain isn't idle in time, or doesn't do what the story waits for.
    """
    story = _Story(laptop, timeout_seconds, enough)
    for name, act in (
        ("Two runs die with a batch in hand; files are deleted before they are read", story.dying_runs),
        ("Loads are refused for their content, crawls come to nothing", story.refused_loads),
        ("The sweep asks for the crawls again", story.swept),
        ("Arrivals are lost, files corrected, batches processed again", story.lost_arrivals),
        ("The sweep has the warehouse compared", story.swept),
        ("The sweep fetches the answer", story.swept),
    ):
        tell(name)
        try:
            act()
        except _Enough:
            return


class _Story:
    def __init__(self, laptop: Laptop, timeout_seconds: float, enough: Callable[[], bool]) -> None:
        self._enough = enough
        self._aws = laptop.aws
        self._deployment = laptop.deployment
        self._deadline = time.monotonic() + timeout_seconds
        self._files = _sample(7, _DAY)

    def dying_runs(self) -> None:
        """Each dataset's first run is killed; the events of the second ones' ends are lost."""
        self._aws.faults.deliveries(_unless_succeeded)
        self._put([(file.key, file.body) for file in self._files])
        for dataset, run in self._kill_first_runs().items():
            self._until(partial(self._is_taken_over, dataset, run), f"another run takes over from {run}")
        self._vanishing()
        self._idle()
        self._aws.faults.clear()

    def refused_loads(self) -> None:
        """The manifests name each file twice, so the count isn't what was curated: the batches are divided."""
        objects, lake = Objects(), self._deployment.lake
        for dataset in JOB_OUTPUTS:
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
        """The next day's files come twice without an event, corrected ones with two; others are processed again."""
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
        """Kill the first run of each dataset that has claimed a batch; their ids by dataset."""
        killed: dict[str, str] = {}

        def all_killed() -> bool:
            running = self._aws.jobs.running()
            for dataset in JOB_OUTPUTS.keys() - killed.keys():
                for run in {batch.owner or "" for batch in self._open(dataset)} & running.keys():
                    with suppress(ProcessLookupError):
                        os.kill(running[run], signal.SIGKILL)
                        killed[dataset] = run
            return killed.keys() == JOB_OUTPUTS.keys()

        self._until(all_killed, "a run of each job has claimed a batch")
        return killed

    def _vanishing(self) -> None:
        """Files that are registered, and deleted for good before a run reads them."""
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
        return ApiError("CrawlerRunningException", "a crawler is running that nobody will tell the end of")

    def _open(self, dataset: str) -> list[Batch]:
        return list(self._deployment.ledger.open_batches(dataset))

    def _fire(self) -> None:
        """Everything that has a schedule, once, and all that follows."""
        for rule in self._aws.endpoint.client("events").list_rules()["Rules"]:
            if rule.get("ScheduleExpression"):
                self._aws.schedule.fire_now(rule["Name"])
        self._idle()

    def _idle(self) -> None:
        if not self._aws.wait_idle(max(0.0, self._deadline - time.monotonic()), self._look):
            raise TerminalError("the story was not played to its end in time: the chain is still busy")

    def _look(self) -> None:
        if self._enough():
            raise _Enough

    def _is_taken_over(self, dataset: str, dead: str) -> bool:
        return any(batch.owner not in (None, dead) for batch in self._open(dataset))

    def _until(self, holds: Callable[[], object], what: str) -> None:
        while not holds():
            self._look()
            if time.monotonic() > self._deadline:
                raise TerminalError(f"the story was not played to its end in time: it waits until {what}")
            threading.Event().wait(_LOOK_SECONDS)


def _sample(seed: int, day: date) -> Sequence[SampleFile]:
    return generate(seed=seed, tickets=40, log_lines=300, days=1, files_per_day=2, first_day=day).files


def _unless_succeeded(event: dict[str, Any], _target: str) -> Sequence[float]:
    lost = event["detail-type"] == _JOB_ENDED and event["detail"]["state"] == "SUCCEEDED"
    return [] if lost else [0.0]


def _first_of_each(files: Sequence[SampleFile]) -> list[SampleFile]:
    return list({file.dataset: file for file in reversed(files)}.values())
