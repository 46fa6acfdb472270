"""The contexts of the Lambda functions: the adapters and names that their steps use.

One class per function, because each function has other adapters and settings: admit has a queue and no warehouse, the
sweep has objects, and only the load function connects as the warehouse's administrator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gluebook.aws.metrics import embedded_metrics, emit
from gluebook.aws.ports import CatalogPort, JobsPort, LedgerPort, ObjectsPort, QueuePort, WarehousePort
from gluebook.clock import Clock
from gluebook.core.backoff import BACKOFF, Backoff
from gluebook.core.health import UNITS
from gluebook.core.keys import Lake
from gluebook.core.loading import CrawlPolicy
from gluebook.core.sql.schema import WarehouseUsers


@dataclass(frozen=True)
class AdmitContext:
    """Adapters and names of the admit function.

    job_names       by dataset
    raw_bucket      only objects of this bucket are registered: no job may read another one
    retry_seconds   delay of the message that retries a refused start
    """

    ledger: LedgerPort
    jobs: JobsPort
    queue: QueuePort
    job_names: Mapping[str, str]
    raw_bucket: str
    retry_seconds: int
    clock: Clock


@dataclass(frozen=True)
class WarehouseAdmin:
    """`connect` returns the warehouse as its administrator, who creates the tables; `users` may load or read them."""

    connect: Callable[[], WarehousePort]
    users: WarehouseUsers


@dataclass(frozen=True)
class LoadContext:
    """Adapters and names of the load function, and of the sweep's steps.

    job_names, crawlers   by dataset
    namespace             of the metrics
    admin                 creates the warehouse's tables; None in the sweep
    """

    ledger: LedgerPort
    jobs: JobsPort
    warehouse: WarehousePort
    catalog: CatalogPort
    lake: Lake
    job_names: Mapping[str, str]
    crawlers: Mapping[str, str]
    copy_role_arn: str
    crawl_policy: CrawlPolicy
    clock: Clock
    namespace: str
    backoff: Backoff = BACKOFF
    admin: WarehouseAdmin | None = None

    def emit_metrics(self, dataset: str, values: Mapping[str, float]) -> None:
        """Write metrics with the dimension `Dataset`."""
        emit(embedded_metrics(self.namespace, {"Dataset": dataset}, values, UNITS, self.clock()))


@dataclass(frozen=True)
class SweepContext:
    """Adapters and names of the sweep function."""

    loading: LoadContext
    objects: ObjectsPort
    raw_bucket: str
