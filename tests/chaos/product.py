"""The product, assembled from its real parts with adapters that pass doors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from chaos.doors import DoorJobs, DoorObjects, DoorQueue
from chaos.warehouse import ChaosWarehouse
from fakes import FakeCatalog, FakeObjects
from gluebook.aws.ledger import Ledger
from gluebook.clock import Clock
from gluebook.contracts import CONTRACTS
from gluebook.core.keys import Lake
from gluebook.core.sql.schema import WarehouseUsers
from gluebook.functions.context import AdmitContext, LoadContext, SweepContext, WarehouseAdmin
from gluebook.job.context import JobContext
from gluebook.operations.context import OperationsContext
from localaws.dynamodb.memory import Dynamo

RAW, LAKE = "raw", "lake"
RETRY_SECONDS = 300
JOBS = {dataset: f"job-{dataset}" for dataset in CONTRACTS}
_CRAWLERS = {dataset: f"crawler-{dataset}" for dataset in CONTRACTS}


@dataclass(frozen=True)
class Product:
    """Builds the context of every entry point. `start` and `send` replace Glue and the queue."""

    dynamo: Dynamo
    raw_objects: FakeObjects
    warehouse: ChaosWarehouse
    start: Callable[[str], str | None]
    send: Callable[[str, int], None]
    clock: Clock

    @property
    def objects(self) -> DoorObjects:
        """S3, call by call."""
        return DoorObjects(self.raw_objects)

    @property
    def _jobs(self) -> Any:
        return DoorJobs(self.start)

    def ledger(self, actor: str) -> Ledger:
        """The real ledger, over the table in memory."""
        return Ledger("ledger", actor, cast(Any, self.dynamo))

    def admitting(self) -> AdmitContext:
        """For the admit function."""
        return AdmitContext(
            ledger=self.ledger("admit"),
            jobs=self._jobs,
            queue=cast(Any, DoorQueue(self.send)),
            job_names=JOBS,
            raw_bucket=RAW,
            retry_seconds=RETRY_SECONDS,
            clock=self.clock,
        )

    def job_context(self, run_id: str) -> JobContext:
        """For a job run."""
        return JobContext(self.ledger(run_id), cast(Any, self.objects), Lake(LAKE), self.clock)

    def loading(self, actor: str) -> LoadContext:
        """For the load function."""
        return LoadContext(
            ledger=self.ledger(actor),
            jobs=self._jobs,
            warehouse=cast(Any, self.warehouse),
            catalog=cast(Any, FakeCatalog()),
            lake=Lake(LAKE),
            job_names=JOBS,
            crawlers=_CRAWLERS,
            copy_role_arn="arn:aws:iam::123456789012:role/copy",
            crawl_policy="never",
            clock=self.clock,
            namespace="Chaos",
            admin=WarehouseAdmin(lambda: cast(Any, self.warehouse), WarehouseUsers()),
        )

    def sweeping(self) -> SweepContext:
        """For the sweep function."""
        return SweepContext(self.loading("sweep"), cast(Any, self.objects), RAW)

    def operations(self) -> OperationsContext:
        """For an operator's command; none of them invokes a function here."""
        return OperationsContext(
            ledger=self.ledger("operator"),
            objects=cast(Any, self.objects),
            jobs=self._jobs,
            warehouse=cast(Any, self.warehouse),
            functions=cast(Any, None),
            lake=Lake(LAKE),
            raw_bucket=RAW,
            job_names=JOBS,
            sweep_function="sweep",
            load_function="load",
            clock=self.clock,
        )
