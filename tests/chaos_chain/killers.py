"""Who kills what, while the chain is at work: each waits for its moment, in a thread of its own."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from gluebook.cli.laptop import Laptop
from gluebook.core.states import BatchState
from localaws.errors import ApiError
from localaws.faults import RoleCall, When, internal_error, throttled

_LOOK_SECONDS = 0.02
_LONGEST_RUN_SECONDS = 25
DATASETS = ("app_logs", "support_tickets")
# Real processes that are killed, and what is disturbed beside.
KILLS = ("job", "job_publishing", "admit", "load", "postgres")
DISTURBANCES = ("events", "api")


class Killers:
    """Kills on request, and counts by kind what it has killed and disturbed."""

    def __init__(self, laptop: Laptop, random_: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self._laptop = laptop
        self._random = random_
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self, kinds: Sequence[str]) -> None:
        """Let these loose: job, job_publishing, admit, load, postgres, events, api."""
        aws = self._laptop.aws
        aws.faults.visibility(8)
        for kind in kinds:
            if kind == "events":
                aws.faults.deliveries(self._deliveries)
            elif kind == "api":
                aws.faults.api(self._api)
            else:
                thread = threading.Thread(target=self._hunt, args=(kind,), daemon=True)
                thread.start()
                self._threads.append(thread)

    def stop(self) -> None:
        """Leave the chain in peace."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._laptop.aws.faults.clear()

    def _hunt(self, kind: str) -> None:
        """Wait for something to kill, then for the moment; once."""
        hunts: dict[str, Callable[[], bool]] = {
            "job": self._kill_job,
            "job_publishing": self._kill_publishing,
            "admit": lambda: self._kill_worker("gluebook-admit"),
            "load": lambda: self._kill_worker("gluebook-load"),
            "postgres": self._crash_postgres,
        }
        while not self._over.wait(_LOOK_SECONDS):
            if hunts[kind]():
                with self._lock:
                    self.counts[f"killed_{kind}"] += 1
                return

    def _kill_job(self) -> bool:
        if not self._laptop.aws.jobs.running():
            return False
        self._over.wait(self._random.uniform(0, _LONGEST_RUN_SECONDS))
        return self._kill(list(self._laptop.aws.jobs.running().values()))

    def _kill_publishing(self) -> bool:
        ledger = self._laptop.deployment.ledger
        batches = [batch for dataset in DATASETS for batch in ledger.open_batches(dataset)]
        if not any(batch.state is BatchState.PUBLISHING for batch in batches):
            return False
        return self._kill(list(self._laptop.aws.jobs.running().values()))

    def _kill_worker(self, name: str) -> bool:
        if not self._laptop.aws.functions.running(name):
            return False
        self._over.wait(self._random.uniform(0, 0.3))
        return self._kill(self._laptop.aws.functions.running(name))

    def _crash_postgres(self) -> bool:
        if self._laptop.aws.warehouse.idle():
            return False
        self._over.wait(self._random.uniform(0, 0.5))
        if self._laptop.aws.warehouse.idle():
            return False
        self._laptop.aws.postgres.crash()
        return True

    def _kill(self, pids: list[int]) -> bool:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(pids)

    def _deliveries(self, event: dict[str, Any], target: str) -> Sequence[float]:
        chance = self._random.random()
        for kind, share, delays in (
            ("lost_event", 0.1, []),
            ("duplicate_event", 0.2, [0.0, self._random.uniform(0, 3)]),
            ("late_event", 0.2, [self._random.uniform(0, 4)]),
        ):
            if chance < share:
                self.counts[kind] += 1
                return delays
            chance -= share
        return [0.0]

    def _api(self, call: RoleCall, when: When) -> ApiError | None:
        if call.service not in ("s3", "dynamodb", "glue", "redshift-data") or self._random.random() > 0.01:
            return None
        kind = "throttled" if when == "before" else "lost_answer"
        self.counts[kind] += 1
        return throttled(call) if when == "before" else internal_error(call)
