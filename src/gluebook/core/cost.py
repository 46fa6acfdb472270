"""The cost of job runs, crawls and loads at AWS list prices: of past runs, and of a month to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gluebook.core import prices
from gluebook.core.loading import CrawlPolicy
from gluebook.core.prices import Price

CRAWL_DPUS = 2
DAYS = 365 / 12
_DAY_SECONDS = 86_400.0

# Assumptions, measured on two cores (docs/operations.md): a job run's fixed time, the throughput of one vCPU, how
# long a load keeps the warehouse busy, and the functions' consumption.
RUN_SECONDS = 45.0
MEGABYTES_PER_VCPU_SECOND = 1.5
VCPUS_PER_DPU = 4
LOAD_SECONDS = 20.0
MEGABYTES_LOADED_PER_SECOND = 15.0
FUNCTION_GB_SECONDS = 1.0
# Requests to the ledger and S3 for each file and batch, and to the ledger for each scheduled check.
_FILE_WRITES, _BATCH_WRITES, _BATCH_PUTS, _LOOK_READS = 8, 25, 20, 40
_POLLS_PER_DAY = 5 * _DAY_SECONDS / 20
# Curated Parquet and quarantine besides the raw files.
_COPIES_IN_LAKE = 1.3


@dataclass(frozen=True)
class Cost:
    """US dollars by service. Requests to Lambda, SQS, DynamoDB and S3 cost less than a cent at this size."""

    jobs: float
    crawls: float
    warehouse: float

    @property
    def total(self) -> float:
        """The sum."""
        return self.jobs + self.crawls + self.warehouse


@dataclass(frozen=True)
class Stack:
    """What is deployed.

    workers        of a job run, one DPU each
    rpus           of the warehouse
    sweep_seconds  between two sweeps
    metrics        number that every sweep writes
    load_metrics   number that a load of each dataset writes
    """

    workers: int
    rpus: int
    sweep_seconds: float
    arrival_window_seconds: float
    max_batch_megabytes: float
    crawl_policy: CrawlPolicy
    datasets: int
    alarms: int
    metrics: int
    load_metrics: int
    secrets: int


@dataclass(frozen=True)
class Workload:
    """What arrives, spread evenly over the datasets. `deliveries_per_day`: how often files arrive in a day."""

    files_per_day: float
    megabytes_per_file: float
    deliveries_per_day: float


@dataclass(frozen=True)
class Line:
    """One item of a monthly bill."""

    service: str
    what: str
    quantity: float
    price: Price

    @property
    def usd(self) -> float:
        """US dollars a month."""
        return self.quantity * self.price.usd


def cost(
    run_seconds: Sequence[float],
    crawl_seconds: Sequence[float],
    load_seconds: Sequence[float],
    stack: Stack,
) -> Cost:
    """The cost of these job runs, crawls and loads, assuming that every load wakes the warehouse."""
    run, crawl, wake = (
        prices.SHORTEST_RUN_SECONDS,
        prices.SHORTEST_CRAWL_SECONDS,
        prices.SHORTEST_WAKE_SECONDS,
    )
    return Cost(
        jobs=_hours(run_seconds, run) * stack.workers * prices.GLUE.usd,
        crawls=_hours(crawl_seconds, crawl) * CRAWL_DPUS * prices.GLUE.usd,
        warehouse=_hours(load_seconds, wake) * stack.rpus * prices.WAREHOUSE.usd,
    )


def monthly(stack: Stack, workload: Workload) -> list[Line]:
    """Estimate a month: good for comparing policies and for the order of magnitude.

    Without files it is the cost of an idle stack.
    """
    # A run publishes one batch, which is loaded once.
    runs, run_seconds = _runs_per_day(stack, workload)
    return [
        Line("Glue", "job runs", _hours_of(runs, run_seconds) * stack.workers, prices.GLUE),
        Line("Glue", "crawls", _crawl_hours(stack, runs) * CRAWL_DPUS, prices.GLUE),
        Line("Redshift", "loads and comparisons", _warehouse_hours(stack, workload, runs), prices.WAREHOUSE),
        *_requests(stack, workload, runs),
        *_storage(workload),
        Line("CloudWatch", "alarms", stack.alarms, prices.ALARM),
        Line("CloudWatch", "metrics of the sweep", stack.metrics, prices.METRIC),
        # A metric is billed for the hours in which it is written.
        Line("CloudWatch", "metrics of loads", stack.load_metrics * min(1.0, runs / 24), prices.METRIC),
        Line("Secrets Manager", "secrets", stack.secrets, prices.SECRET),
    ]


def per_load(stack: Stack) -> float:
    """US dollars for one load if nothing else keeps the warehouse awake: two wake-ups.

    One is for the load, the other for the sweep that compares the table with what was loaded.
    """
    return 2 * prices.SHORTEST_WAKE_SECONDS / 3600 * stack.rpus * prices.WAREHOUSE.usd


def _runs_per_day(stack: Stack, workload: Workload) -> tuple[float, float]:
    """Job runs a day of all datasets, and the seconds of each. One run at a time for each dataset."""
    if not workload.files_per_day:
        return 0.0, 0.0
    files = workload.files_per_day / stack.datasets
    megabytes = files * workload.megabytes_per_file
    # Files that arrive within one window are registered together and processed by one run.
    deliveries = min(workload.deliveries_per_day, files, _DAY_SECONDS / stack.arrival_window_seconds)
    runs = max(deliveries, megabytes / stack.max_batch_megabytes)
    # One of the workers is the driver.
    rate = MEGABYTES_PER_VCPU_SECOND * VCPUS_PER_DPU * max(1, stack.workers - 1)
    busy = megabytes / rate
    # Files that arrive during a run wait for the next one, which limits the number of runs.
    runs = min(runs, max(1.0, (_DAY_SECONDS - busy) / RUN_SECONDS))
    return runs * stack.datasets, RUN_SECONDS + busy / runs


def _hours_of(runs: float, seconds: float) -> float:
    return runs * max(seconds, prices.SHORTEST_RUN_SECONDS) / 3600 * DAYS


def _crawl_hours(stack: Stack, runs: float) -> float:
    # The first file of a day adds a partition.
    by_policy: dict[CrawlPolicy, float] = {
        "when-needed": min(runs, stack.datasets),
        "always": runs,
        "never": 0.0,
    }
    return by_policy[stack.crawl_policy] * prices.SHORTEST_CRAWL_SECONDS / 3600 * DAYS


def _warehouse_hours(stack: Stack, workload: Workload, loads: float) -> float:
    if not loads:
        return 0.0
    megabytes = workload.files_per_day * workload.megabytes_per_file / loads
    load = max(prices.SHORTEST_WAKE_SECONDS, LOAD_SECONDS + megabytes / MEGABYTES_LOADED_PER_SECOND)
    # The next sweep compares: at most one comparison for each sweep, and at most a whole day.
    comparisons = min(loads, stack.datasets * _DAY_SECONDS / stack.sweep_seconds)
    awake = min(_DAY_SECONDS, loads * load + comparisons * prices.SHORTEST_WAKE_SECONDS)
    return awake / 3600 * stack.rpus * DAYS


def _requests(stack: Stack, workload: Workload, runs: float) -> list[Line]:
    looks = 2 * _DAY_SECONDS / stack.sweep_seconds
    admits = min(workload.files_per_day, _DAY_SECONDS / stack.arrival_window_seconds)
    arriving = admits + 3 * runs
    writes = workload.files_per_day * _FILE_WRITES + runs * _BATCH_WRITES
    puts = 2 * workload.files_per_day + runs * _BATCH_PUTS
    reads = 2 * (looks * stack.datasets * _LOOK_READS + writes)
    return [
        Line("Lambda", "time", (looks + arriving) * DAYS * FUNCTION_GB_SECONDS, prices.LAMBDA_TIME),
        Line("Lambda", "requests", (looks + arriving) * DAYS, prices.LAMBDA_REQUEST),
        Line("SQS", "polling", _POLLS_PER_DAY * DAYS, prices.QUEUE_REQUEST),
        Line("EventBridge", "S3 events", workload.files_per_day * DAYS, prices.EVENT),
        Line("DynamoDB", "writes of the ledger", writes * DAYS, prices.LEDGER_WRITE),
        Line("DynamoDB", "reads of the ledger", reads * DAYS, prices.LEDGER_READ),
        Line("S3", "writes", puts * DAYS, prices.OBJECT_WRITE),
        Line("S3", "reads", 2 * puts * DAYS, prices.OBJECT_READ),
    ]


def _storage(workload: Workload) -> list[Line]:
    """Storage of one month's files for a month; every month adds as much."""
    gigabytes = workload.files_per_day * workload.megabytes_per_file * DAYS / 1000
    return [
        Line("S3", "a month's files, raw and curated", gigabytes * _COPIES_IN_LAKE, prices.OBJECT_STORAGE),
        Line("Redshift", "a month's rows", gigabytes * (_COPIES_IN_LAKE - 1), prices.WAREHOUSE_STORAGE),
    ]


def _hours(seconds: Sequence[float], shortest: float) -> float:
    return sum(max(one, shortest) for one in seconds) / 3600
