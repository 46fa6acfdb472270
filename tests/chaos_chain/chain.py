"""The chain under chaos: what was put into it, how it comes to rest, and what is wrong then."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from chain.kit import Chain
from chaos.oracle import Put, expected
from chaos_chain.files import Files, Upload, as_put
from chaos_chain.killers import DATASETS, Killers
from gluebook.cli.laptop import Laptop, laptop

# A killed run whose event is lost is found by its lease; a day has no time for ten minutes of it.
# The same goes for what the warehouse refuses twice, because it has crashed twice.
_PARAMETERS = {
    "LeaseSeconds": "15",
    "SweepSchedule": "rate(1 minute)",
    "CrawlPolicy": "never",
    "LoadRetrySeconds": "1",
}
_PATIENCE_SECONDS = 900
_RULE = "gluebook-sweep-time"


@dataclass
class Result:
    """What a schedule came to. `lost`, `doubled`: rows; `wrong`: everything else, in words."""

    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether all is as it must be."""
        return not (self.lost or self.doubled or self.wrong)


@contextmanager
def chaotic_chain(seed: int, **parameters: str) -> Iterator[ChaoticChain]:
    """A laptop AWS with the pipeline on it, to be disturbed."""
    with laptop(lambda stage: None, parameters={**_PARAMETERS, **parameters}, cold=True) as running:
        yield ChaoticChain(running, random.Random(seed))


class ChaoticChain:
    """Everything that was ever put counts: each schedule adds to what the ones before have left."""

    def __init__(self, running: Laptop, random_: random.Random) -> None:
        self.chain = Chain(running)
        self.counts: Counter[str] = Counter()
        self.random = random_
        self._files = Files(random_)
        self._puts: list[Put] = []

    def play(self, kinds: Iterable[str], uploads: int) -> Result:
        """One schedule: put files while being disturbed, come to rest, compare."""
        killers = Killers(self.chain.laptop, self.random)
        killers.start(tuple(kinds))
        try:
            for upload in self._files.uploads(uploads, DATASETS):
                self.put(upload)
                time.sleep(self.random.uniform(0, 0.5))
            self._until_idle()
        finally:
            killers.stop()
            self.counts += killers.counts
        self.settle()
        return self.compare()

    def put(self, upload: Upload) -> None:
        """Put an object, and remember it."""
        s3 = self.chain.laptop.aws.endpoint.client("s3")
        bucket = self.chain.laptop.deployment.outputs["RawBucket"]
        version = s3.put_object(Bucket=bucket, Key=upload.key, Body=upload.body)["VersionId"]
        self._puts.append(as_put(upload, version))

    def settle(self) -> None:
        """Let the schedule fire until nothing is left to do. Fails if that doesn't come to an end."""
        aws = self.chain.laptop.aws
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            aws.schedule.fire_now(_RULE)
            self._until_idle()
            seen = self.chain.laptop.deployment.overview()
            ledger = self.chain.laptop.deployment.ledger
            if (
                len(seen.files) == len(self._puts)
                and seen.settled
                and not any(ledger.open_batches(d) or ledger.corrections(d) for d in DATASETS)
            ):
                return
        raise AssertionError("the chain doesn't come to rest")

    def _until_idle(self) -> None:
        assert self.chain.laptop.aws.wait_idle(_PATIENCE_SECONDS), "the chain is still busy"

    def compare(self) -> Result:
        """Warehouse and lake against the oracle, row by row."""
        truth = expected(self._puts)
        result = Result()
        logs = [row[0] for row in self.chain.rows("select message from app_logs")]
        _compare(result, logs, truth.logs)
        tickets = self.chain.rows("select ticket_id, revision, symptom from support_tickets")
        _compare(result, tickets, {(t.number, t.revision, t.text) for t in truth.tickets})
        in_lake = {row["message"] for row in self.chain.curated("app_logs")}
        if in_lake != truth.logs:
            result.wrong.append(f"lake and truth differ by {sorted(in_lake ^ truth.logs)[:5]}")
        seen = self.chain.laptop.deployment.overview()
        fates = truth.fates
        for file in seen.files:
            fate = fates[(file.key, file.version_id)]
            if file.state not in fate.states:
                result.wrong.append(f"{file.key} is {file.state} ({file.reason}) and not {set(fate.states)}")
        denied = self.chain.laptop.aws.report().denied
        result.wrong += [f"{d.role} was refused {d.action}" for d in denied]
        return result


def _compare(result: Result, got: Iterable[Hashable], wanted: Iterable[Hashable]) -> None:
    have, want = Counter(got), Counter(wanted)
    result.lost += (want - have).total()
    result.doubled += (have - want).total()
    for what, rows in (("lost", want - have), ("doubled", have - want)):
        if rows:
            result.wrong.append(f"{what}: {sorted(rows, key=str)[:3]}")
