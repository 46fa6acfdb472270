"""The AWS around the pipeline: events, a queue, job runs, statements, a schedule, a clock; with their faults.

Everything happens in steps of a schedule. A step without a target does nothing, so any part of a schedule is a
schedule.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chaos.baton import Actor, door
from chaos.engine import Run
from chaos.formats import SOURCES, written
from chaos.oracle import Put
from chaos.product import JOBS, RAW, Product
from chaos.redshift import Redshift
from chaos.things import Clock, GlueRun, Message, Told
from chaos.warehouse import ChaosWarehouse, Submitted
from fakes import FakeObjects
from gluebook.contracts import CONTRACTS
from gluebook.core.events import parse_event
from gluebook.core.model import Batch
from gluebook.functions.admit import admit
from gluebook.functions.load import handle
from gluebook.functions.sweep import sweep
from gluebook.job.claim import Claimant
from gluebook.operations.replay import replay, replay_of_files
from localaws.dynamodb.memory import Dynamo

LEASE_SECONDS = 600
MOST_RECEIVES = 5
MOST_TRIES = 3
_MOST_BYTES = 1 << 20


@dataclass
class World:
    """One pipeline and its surroundings, from an empty bucket on."""

    redshift: Redshift
    clock: Clock = field(default_factory=Clock)
    objects: FakeObjects = field(default_factory=lambda: FakeObjects(page=4))
    counts: Counter[str] = field(default_factory=Counter)
    puts: list[Put] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    runs: list[GlueRun] = field(default_factory=list)
    swept: dict[str, Any] = field(default_factory=dict)
    fixed: bool = False
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._after: dict[str, Callable[[Actor], None]] = {}
        self._batches = itertools.count(1)
        self.warehouse = ChaosWarehouse(self.redshift, self.objects, self._statement_ended)
        self.product = Product(
            Dynamo(door), self.objects, self.warehouse, self._start_job, self._send_later, self.clock
        )
        self.ledger = self.product.ledger("looker")
        self.redshift.empty()

    # -- who acts -------------------------------------------------------------------------------------

    def new_batch_id(self, dataset: str, moment: datetime) -> str:
        """A deterministic batch id."""
        return f"{dataset}-{next(self._batches):04d}"

    def _act(self, kind: str, work: Callable[[], Any], after: Callable[[Actor], None]) -> Actor:
        actor = Actor(kind, f"{kind} {next(self._numbers)}", work)
        self.actors.append(actor)
        self._after[actor.name] = after
        return actor

    def go(self, actor: Actor, calls: int, fault: str | None = None, until: str | None = None) -> None:
        """Let an actor run; after its end the world handles the consequences."""
        if actor.done:
            return
        actor.go(calls, fault, until)
        self.counts.update(actor.befell)
        actor.befell.clear()
        if actor.done:
            if actor.outcome == "failed":
                errors = leaves(actor.error) if actor.error else []
                self.errors += [f"{actor.name}: {type(error).__name__}: {error}" for error in errors]
            self.actors.remove(actor)
            self._after.pop(actor.name)(actor)

    # -- S3 and the queue ------------------------------------------------------------------------------

    def put(self, dataset: str, name: str, body: str, copies: int) -> None:
        """Put an object into the raw bucket; its event is sent that many times."""
        key = f"{dataset}/{SOURCES[dataset]}/dt=2026-01-0{5 + len(name) % 2}/{name}"
        earlier = any(put.key == key for put in self.puts)
        stored = written(dataset, body)
        version = self.objects.put(RAW, key, stored)
        self.puts.append(Put(key, version, body))
        self.counts["corrected_file"] += earlier
        item = {"key": key, "version-id": version, "size": len(stored), "sequencer": f"{len(self.puts):016X}"}
        event = {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": RAW}, "object": item},
        }
        for _ in range(copies):
            self.messages.append(Message(next(self._numbers), json.dumps(event)))
        self.counts["lost_event"] += copies == 0
        self.counts["duplicate_event"] += copies > 1

    def due(self) -> list[Message]:
        """The messages that can be received now."""
        return [message for message in self.messages if message.due <= self.clock.seconds]

    def deliver(self, first: int, count: int, again: bool) -> Actor | None:
        """Hand some messages to the admit function; with `again` they become visible again meanwhile."""
        due = self.due()
        if not due:
            return None
        taken = [due[(first + number) % len(due)] for number in range(min(count, len(due)))]
        self.counts["late_event"] += due.index(taken[0]) > 0
        for message in taken:
            message.receives += 1
            if again and message.receives < MOST_RECEIVES:
                self.counts["redelivery"] += 1
            else:
                self.messages.remove(message)

        def work() -> Any:
            return admit([(str(m.number), m.body) for m in taken], self.product.admitting())

        return self._act("admit", work, lambda actor: self._admitted(actor, taken))

    def _admitted(self, actor: Actor, taken: list[Message]) -> None:
        failed = set(actor.answer.failed) if actor.outcome == "done" else {str(m.number) for m in taken}
        for message in taken:
            if str(message.number) in failed and message not in self.messages:
                kept = message.receives < MOST_RECEIVES
                self.counts["redelivery" if kept else "dead_letter"] += 1
                if kept:
                    self.messages.append(message)

    def _send_later(self, body: str, seconds: int) -> None:
        self.messages.append(Message(next(self._numbers), body, self.clock.seconds + seconds))

    # -- Glue ------------------------------------------------------------------------------------------

    def _start_job(self, job: str) -> str | None:
        dataset = job.removeprefix("job-")
        if any(run.dataset == dataset and not run.ended for run in self.runs):
            return None
        return self.start_run(dataset).run_id

    def start_run(self, dataset: str) -> GlueRun:
        """Start a job run, even if another one is active."""
        living = [run for run in self.runs if run.dataset == dataset and not run.actor.done]
        self.counts["racing_runs"] += bool(living)
        run_id = f"jr_{next(self._numbers)}"
        context = self.product.job_context(run_id)
        who = Claimant(dataset, run_id, _MOST_BYTES, LEASE_SECONDS)
        work = Run(context, self.product.objects, who, CONTRACTS[dataset], lambda: self.fixed)
        actor = self._act("run", work, lambda actor: self._run_ended(run))
        run = GlueRun(run_id, dataset, actor)
        self.runs.append(run)
        return run

    def time_out(self, run: GlueRun) -> None:
        """Glue times out a run whose process continues."""
        self.counts["zombie"] += run.actor.made > 0
        self._end_run(run, "TIMEOUT")

    def _run_ended(self, run: GlueRun) -> None:
        if run.actor.outcome != "done":
            self.counts["run_died"] += 1
            self.counts["poison_death"] += str(run.actor.error) == "poison"
        if not run.ended:
            self._end_run(run, "SUCCEEDED" if run.actor.outcome == "done" else "FAILED")

    def _end_run(self, run: GlueRun, state: str) -> None:
        run.ended = True
        detail = {"jobName": JOBS[run.dataset], "jobRunId": run.run_id, "state": state}
        self._tell("aws.glue", "Glue Job State Change", detail)

    # -- the warehouse and the load function -----------------------------------------------------------

    def _statement_ended(self, statement: Submitted) -> None:
        detail = {
            "statementId": statement.statement_id,
            "statementName": statement.name,
            "state": statement.status,
        }
        self._tell("aws.redshift-data", "Redshift Data Statement Status Change", detail)

    def _tell(self, source: str, kind: str, detail: dict[str, str]) -> None:
        self.told.append(Told({"source": source, "detail-type": kind, "detail": detail}))

    def hear(self, told: Told, copies: int) -> list[Actor]:
        """Deliver an event to the load function that many times."""
        self.counts["late_event"] += self.told.index(told) > 0
        self.told.remove(told)
        self.counts["lost_event"] += copies == 0
        self.counts["duplicate_event"] += copies > 1
        return [self._load(told.event, Told(told.event, told.tries)) for _ in range(copies)]

    def tick(self) -> Actor:
        """The schedule's event to the load function."""
        return self._load({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}, None)

    def _load(self, event: dict[str, Any], told: Told | None) -> Actor:
        def after(actor: Actor) -> None:
            # Lambda retries a failed asynchronous invocation twice.
            if told is not None and actor.outcome != "done" and told.tries + 1 < MOST_TRIES:
                self.counts["redelivery"] += 1
                self.told.append(Told(told.event, told.tries + 1))

        return self._act("load", lambda: handle(parse_event(event), self.product.loading("load")), after)

    def sweep(self) -> Actor:
        """The schedule's event to the sweep function."""

        def after(actor: Actor) -> None:
            self.swept = actor.answer if actor.outcome == "done" else {}

        return self._act("sweep", lambda: sweep(self.product.sweeping()), after)

    # -- the operator ----------------------------------------------------------------------------------

    def repeatable(self) -> list[Batch]:
        """Batches that can be processed again, oldest first."""
        found = (batch for batch in self.ledger.batches() if batch.repeatable)
        return sorted(found, key=lambda batch: batch.batch_id)

    def replay(self, keys: list[str]) -> Actor:
        """An operator replays all versions of some raw keys."""
        self.counts["replay"] += 1
        work = self.product.operations()
        return self._act("replay", lambda: replay(replay_of_files(keys, None, work), work), _nothing)

    def forward(self, seconds: float) -> None:
        """Time passes; leases may expire while their run continues."""
        self.clock.now += timedelta(seconds=seconds)
        living = {run.run_id for run in self.runs if not run.actor.done}
        open_now = (batch for dataset in JOBS for batch in self.ledger.open_batches(dataset))
        self.counts["lease_expired"] += any(
            b.owner in living and b.lease_until <= self.clock.seconds for b in open_now
        )

    def close(self) -> None:
        """Kill all actors that are still running."""
        for actor in self.actors:
            actor.kill()
        self.actors.clear()


def leaves(error: BaseException) -> list[BaseException]:
    """An error, or the errors of a group."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in leaves(each)]
    return [error]


def _nothing(actor: Actor) -> None:
    return None
