"""The three functions: the product's own steps, with adapters in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bench.simulation.clock import SimulatedClock
from bench.simulation.deployed import Deployed
from bench.simulation.ledger import SimulatedLedger
from bench.simulation.meter import Meter
from bench.simulation.queue import RAW, Message
from bench.simulation.store import Store
from bench.simulation.warehouse import Catalog, Jobs, Warehouse
from gluebook.aws.ports import QueuePort
from gluebook.core.backoff import Backoff
from gluebook.core.events import Event
from gluebook.core.keys import Lake
from gluebook.core.sql.schema import WarehouseUsers
from gluebook.functions.admit import admit
from gluebook.functions.context import AdmitContext, LoadContext, SweepContext, WarehouseAdmin
from gluebook.functions.load import handle
from gluebook.functions.sweep import sweep

LAKE = Lake("lake")
_ROLE = "arn:aws:iam::123456789012:role/gluebook-copy"
# Of an invocation beside its requests: decoding, decisions, logs.
_OVERHEAD_SECONDS = 0.2


class _Silent(LoadContext):
    """Writes no metrics."""

    def emit_metrics(self, dataset: str, values: Mapping[str, float]) -> None:
        """Nobody reads them."""


@dataclass(frozen=True)
class Adapters:
    """What the functions work with. `ledger` gives that of an actor."""

    ledger: Callable[[str], SimulatedLedger]
    jobs: Jobs
    warehouse: Warehouse
    catalog: Catalog
    store: Store


class Functions:
    """Invokes them. `seconds` of all invocations by function; invocations run at once and none is refused."""

    def __init__(
        self,
        adapters: Adapters,
        deployed: Deployed,
        datasets: tuple[str, ...],
        clock: SimulatedClock,
        meter: Meter,
    ) -> None:
        self._adapters, self._deployed = adapters, deployed
        self._clock, self._meter = clock, meter
        self._names = {dataset: dataset for dataset in datasets}
        self._active: list[float] = []
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.invocations: Counter[str] = Counter()

    def admit(self, messages: list[Message], queue: QueuePort) -> float:
        """How long it takes."""
        context = AdmitContext(
            ledger=self._adapters.ledger("admit"),
            jobs=self._adapters.jobs,
            queue=queue,
            job_names=self._names,
            raw_bucket=RAW,
            retry_seconds=self._deployed.start_retry_seconds,
            clock=self._clock,
        )

        def work() -> None:
            admitted = admit(((str(n), message.body) for n, message in enumerate(messages)), context)
            assert not admitted.failed, f"messages would be redelivered: {admitted}"

        return self._invoke("admit", work)

    def load(self, event: Event) -> None:
        """One event."""
        self._invoke("load", lambda: handle(event, self._loading("load")))

    def sweep(self) -> None:
        """One scheduled call."""
        context = SweepContext(self._loading("sweep"), self._adapters.store, RAW)
        self._invoke("sweep", lambda: sweep(context))

    def _loading(self, actor: str) -> LoadContext:
        adapters, deployed = self._adapters, self._deployed
        return _Silent(
            ledger=adapters.ledger(actor),
            jobs=adapters.jobs,
            warehouse=adapters.warehouse,
            catalog=adapters.catalog,
            lake=LAKE,
            job_names=self._names,
            crawlers=self._names,
            copy_role_arn=_ROLE,
            crawl_policy=deployed.crawl_policy,
            clock=self._clock,
            namespace="simulation",
            backoff=Backoff(timedelta(seconds=deployed.load_retry_seconds)),
            admin=WarehouseAdmin(lambda: adapters.warehouse, WarehouseUsers()),
        )

    def _invoke(self, name: str, work: Callable[[], object]) -> float:
        begun, before = self._clock.now, self._clock.elapsed
        work()
        seconds = self._clock.elapsed - before + _OVERHEAD_SECONDS
        self.seconds[name] += seconds
        self.invocations[name] += 1
        self._active = [*(ends for ends in self._active if ends > begun), begun + seconds]
        self._meter.observe("functions", len(self._active), begun)
        self._meter.observe(f"{name} time", seconds, begun)
        return seconds
