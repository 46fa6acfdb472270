"""The limits that the simulation watches: AWS's, and those of the template."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.simulation.deployed import Deployed
from gluebook.errors import ConfigurationError


@dataclass(frozen=True)
class Limit:
    """The most of something, who says so, and what to change when it is reached."""

    most: float
    unit: str
    source: str
    change: str


AWS = {
    "events": Limit(
        18_750,
        "events/s",
        "EventBridge quotas, invocations, us-east-1",
        "spread the arrivals, or ask for more",
    ),
    "raw puts": Limit(
        3_500,
        "PUT/s of a prefix",
        "S3 guide, Optimizing performance",
        "spread the keys over sources and dates",
    ),
    "raw gets": Limit(
        5_500,
        "GET/s of a prefix",
        "S3 guide, Optimizing performance",
        "spread the keys over sources and dates",
    ),
    "ledger writes": Limit(
        4_000,
        "WCU",
        "DynamoDB guide, initial throughput of an on-demand table",
        "warm throughput of the table",
    ),
    "ledger reads": Limit(
        12_000,
        "RCU",
        "DynamoDB guide, initial throughput of an on-demand table",
        "warm throughput of the table",
    ),
    "partition writes": Limit(
        1_000,
        "WCU of a partition",
        "DynamoDB guide, partition limits",
        "nothing in the template: the ledger's keys",
    ),
    "partition reads": Limit(
        3_000,
        "RCU of a partition",
        "DynamoDB guide, partition limits",
        "nothing in the template: the ledger's keys",
    ),
    "functions": Limit(1_000, "invocations at once", "Lambda quotas, concurrent executions", "ask for more"),
    "delivery": Limit(6_144, "KB", "Lambda quotas, invocation payload", "`BatchSize` of AdmitArrivals"),
    "statements": Limit(
        500, "active", "Data API, quotas", "`BaseCapacity`; larger batches by `MaxBatchMegabytes`"
    ),
    "submitted": Limit(20, "batches/s", "Data API, quotas", "larger batches by `MaxBatchMegabytes`"),
    "statement size": Limit(100, "KB", "Data API, quotas", "fewer columns"),
    "statement parts": Limit(
        40, "statements", "BatchExecuteStatement API reference", "nothing: the load's SQL"
    ),
    "statement time": Limit(
        24, "hours", "Data API, quotas", "`BaseCapacity`; fewer statements by `MaxBatchMegabytes`"
    ),
}


def limits(deployed: Deployed, chosen: dict[str, float]) -> dict[str, Limit]:
    """Every limit by its name, with the values of `chosen` in place of AWS's or the template's.

    Raises ConfigurationError for a name that there is not.
    """
    here = "infra/pipeline.yaml"
    known = AWS | {
        "admits": Limit(
            deployed.concurrency, "invocations at once", here, "`MaximumConcurrency` of AdmitArrivals"
        ),
        "run time": Limit(deployed.job_timeout, "seconds", here, "`NumberOfWorkers`, or the job's `Timeout`"),
        **{
            f"{name} time": Limit(seconds, "seconds", here, f"`Timeout` of the {name} function")
            for name, seconds in deployed.timeouts.items()
        },
    }
    if unknown := sorted(chosen.keys() - known.keys()):
        raise ConfigurationError(f"there is no limit {', '.join(unknown)}; there are {', '.join(known)}")
    return {
        name: replace(limit, most=chosen[name], source="--limit") if name in chosen else limit
        for name, limit in known.items()
    }
