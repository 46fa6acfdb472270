"""One simulated day, until its last file is loaded or failed."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest import mock

from bench.simulation.arrivals import DAY, Parcel, day, files_of_each, parcels
from bench.simulation.clock import SimulatedClock
from bench.simulation.deployed import deployed
from bench.simulation.functions import Adapters, Functions
from bench.simulation.happenings import Happenings
from bench.simulation.job import JobRuns
from bench.simulation.ledger import MeteredDynamo, SimulatedLedger, remembering
from bench.simulation.limits import limits
from bench.simulation.meter import Meter
from bench.simulation.options import Options
from bench.simulation.queue import Queue, object_created
from bench.simulation.store import Store
from bench.simulation.warehouse import Catalog, Jobs, Ran, Warehouse
from gluebook.core import prices
from gluebook.core.events import CrawlEnded, Event, JobEnded, StatementEnded, Tick
from gluebook.core.loading import batch_of_statement
from gluebook.core.model import Batch
from localaws.dynamodb.memory import Item


class World:
    """All that is simulated. After `play`, its parts hold what happened.

    loaded, failed   by key, the second since which a file's rows can be queried, or it is known to be unusable
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.deployed = deployed(
            options.parameters, batch_size=options.batch_size, concurrency=options.concurrency
        )
        self.of_each = files_of_each(options, self.deployed.max_batch_megabytes << 20)
        # Independent of each other, so that one rate does not change what another one meets.
        self._chances = {
            name: random.Random(f"{options.seed} {name}") for name in ("files", "runs", "loads", "events")
        }
        self.parcels = {p.key: p for p in parcels(options, self.of_each, self._chances["files"])}
        self.clock = SimulatedClock(self.of_each)
        self.happenings = Happenings(self.clock)
        self.meter = Meter(limits(self.deployed, dict(options.limits)))
        self.dynamo = MeteredDynamo(self.clock, self.meter, options.ledger_seconds, self.of_each)
        self.store = Store(self.clock, options.store_seconds, self.of_each)
        self.warehouse = Warehouse(
            self.clock, self.meter, self._statement_seconds, self._load_fails, self._submitted
        )
        self.catalog = Catalog(lambda _: {day().isoformat()}, self._crawl)
        self.jobs = Jobs(self.deployed.runs_at_once, lambda job, run: self.runs.start(job, run))
        adapters = Adapters(self.ledger, self.jobs, self.warehouse, self.catalog, self.store)
        self.functions = Functions(adapters, self.deployed, options.datasets, self.clock, self.meter)
        self.queue = Queue(
            self.happenings,
            self.meter,
            self.deployed,
            lambda messages: self.functions.admit(messages, self.queue),
        )
        self.runs = JobRuns(
            options, self.deployed, self.happenings, self.meter, self.store, self.ledger, self.parcels, self.of_each,
            self._chances["runs"], self._curated, self._run_ended,
        )  # fmt: skip
        self._parsed: dict[str, tuple[Item, Batch]] = {}
        self.loaded: dict[str, float] = {}
        self.failed: dict[str, float] = {}
        self.crawls: list[float] = []
        self.lost = 0
        self.most_waiting = self._arrived = 0
        self._batches: dict[str, list[Parcel]] = {}
        self._committed: dict[str, tuple[str, float]] = {}

    def ledger(self, actor: str) -> SimulatedLedger:
        """That of an actor."""
        return SimulatedLedger(actor, self.dynamo, self.of_each, self._parsed, self._failed, self._loaded)

    def play(self) -> None:
        """Until every file is settled and the day is over; `most_days` at most."""
        for number, parcel in enumerate(self.parcels.values(), 1):
            self.happenings.at(parcel.arrives, partial(self._arrive, number, parcel))
        self.happenings.at(self.deployed.sweep_seconds, self._schedule)
        with _in_order(self.clock):
            while not self._over and self.happenings.next():
                pass

    @property
    def _over(self) -> bool:
        settled = len(self.loaded) + len(self.failed) == len(self.parcels)
        now = self.clock.now
        return (settled and now >= DAY) or now > self.options.most_days * DAY

    # -- arrivals --------------------------------------------------------------------------------------

    def _arrive(self, number: int, parcel: Parcel) -> None:
        now = self.clock.now
        self.store.arrive(parcel.key, parcel.size)
        self.store.writes["raw"] += self.of_each
        self.meter.count("raw puts", now, self.of_each, parcel.dataset)
        self.meter.count("events", now, self.of_each)
        self._arrived += 1
        self.most_waiting = max(self.most_waiting, self._arrived - len(self.loaded) - len(self.failed))
        body = object_created(parcel, number)
        self.happenings.after(self.options.event_seconds, lambda: self.queue.put(body, self.of_each))

    # -- job runs --------------------------------------------------------------------------------------

    def _curated(self, batch_id: str, good: list[Parcel]) -> None:
        self._batches[batch_id] = good

    def _loaded(self, batch_id: str) -> None:
        """The ledger says so; its rows can be queried since the commit."""
        self.loaded |= {parcel.key: self._committed[parcel.key][1] for parcel in self._batches[batch_id]}

    def _failed(self, key: str) -> None:
        assert key not in self._committed, f"{key} is loaded and failed"
        self.failed.setdefault(key, self.clock.time)

    def _run_ended(self, event: JobEnded) -> None:
        self.jobs.end(event.job, event.run_id)
        self._tell(event)

    # -- statements and crawls -------------------------------------------------------------------------

    def _megabytes(self, name: str) -> float:
        batch = batch_of_statement(name)
        return sum(parcel.size for parcel in self._batches[batch]) / 1e6 if batch else 0.0

    def _statement_seconds(self, name: str) -> float:
        rate = self.options.load_megabytes * self.deployed.rpu_factor
        return self.options.statement_seconds + self._megabytes(name) / rate

    def _load_fails(self, name: str) -> bool:
        return (
            batch_of_statement(name) is not None
            and self._chances["loads"].random() < self.options.failed_loads
        )

    def _submitted(self, number: str, ran: Ran) -> None:
        batch = batch_of_statement(ran.name)
        if batch and ran.status == "FINISHED":
            for parcel in self._batches[batch]:
                # The same batch may be submitted again, and changes nothing then.
                carrier, _ = self._committed.setdefault(parcel.key, (batch, ran.ends))
                assert carrier == batch, f"{parcel.key} is loaded twice, with {carrier} and {batch}"
                assert parcel.key not in self.failed, f"{parcel.key} is loaded and failed"
        event = StatementEnded(number, ran.name, ran.status)
        self.happenings.at(ran.ends, lambda: self._tell(event))

    def _crawl(self, crawler: str) -> None:
        self.crawls.append(prices.SHORTEST_CRAWL_SECONDS)

        def ended() -> None:
            self.catalog.end(crawler)
            self._tell(CrawlEnded(crawler, "Succeeded"))

        self.happenings.after(prices.SHORTEST_CRAWL_SECONDS, ended)

    # -- events and schedules --------------------------------------------------------------------------

    def _tell(self, event: Event) -> None:
        if self._chances["events"].random() < self.options.lost_events:
            self.lost += 1
        else:
            self.happenings.after(self.options.event_seconds, lambda: self.functions.load(event))

    def _schedule(self) -> None:
        now = self.clock.now
        self.happenings.at(now, self.functions.sweep)
        self.happenings.at(now, lambda: self.functions.load(Tick()))
        self.happenings.at(now + self.deployed.sweep_seconds, self._schedule)

    def states(self) -> Counter[str]:
        """What the ledger itself says: parcels by the state of the file, or of the batch that carries it."""
        ledger = self.ledger("reader")
        batches = {batch.batch_id: batch.state.value for batch in ledger.batches()}
        return Counter(
            batches[file.batch_id] if file.state == "CLAIMED" and file.batch_id else file.state.value
            for file in ledger.files()
        )


@contextmanager
def _in_order(clock: SimulatedClock) -> Iterator[None]:
    """Threads would make the order, and so the figures, a matter of luck; the log has thousands of lines."""
    log = logging.getLogger("gluebook")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with (
            mock.patch("gluebook.aws.parallel.ThreadPoolExecutor", clock.pool),
            mock.patch("gluebook.aws.ledger.files.file_from", remembering()),
        ):
            yield
    finally:
        log.setLevel(before)
