"""What may be varied, with its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.simulation.measured import measured
from gluebook.contracts import CONTRACTS
from gluebook.core import cost

_MEASURED = measured()


@dataclass(frozen=True)
class Options:
    """A day, and what AWS takes for it. Rates are shares between 0 and 1, other times seconds.

    size                megabytes (of 10**6 bytes) of raw files a day
    start_up            of a job run, before its first file and after its last
    megabytes_per_vcpu  of raw file a second, of each vCPU of the executors
    file_seconds        of a vCPU, for each file beside its bytes
    statement_seconds   of a statement, beside its bytes
    load_megabytes      of raw file a second that a load takes, with the template's BaseCapacity; more with more
    event_seconds       from something that happens to the function or queue that is told
    ledger_seconds      of a request to DynamoDB;  store_seconds: to S3
    dead_runs           of job runs; failed_loads: of load statements; lost_events: of Glue and of the Data API
    bad_files           of files, which no run can read
    parcels             most file versions that are simulated; with more files, each stands for several
    """

    files: int = 1_000_000
    size: float = 10_000_000
    arrivals: str = "even"
    datasets: tuple[str, ...] = tuple(CONTRACTS)
    start_up: float = cost.RUN_SECONDS
    megabytes_per_vcpu: float = _MEASURED.megabytes_per_vcpu
    file_seconds: float = 0.06
    statement_seconds: float = cost.LOAD_SECONDS
    load_megabytes: float = cost.MEGABYTES_LOADED_PER_SECOND
    event_seconds: float = 1.0
    ledger_seconds: float = 0.01
    store_seconds: float = 0.05
    dead_runs: float = 0.01
    failed_loads: float = 0.01
    lost_events: float = 0.001
    bad_files: float = 0.001
    seed: int = 1
    parcels: int = 20_000
    most_days: float = 3.0
    parameters: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    batch_size: int | None = None
    concurrency: int | None = None
