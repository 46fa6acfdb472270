"""The figures of a simulated day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.simulation.arrivals import DAY
from bench.simulation.measured import measured
from bench.simulation.warehouse import Ran
from bench.simulation.world import World
from gluebook.core import prices
from gluebook.core.cost import DAYS, Workload, cost, monthly
from gluebook.core.loading import batch_of_statement

_PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
_AT_REST = Workload(0, 0, 0)
# Requests to the queue for each message: it is sent, and received and deleted with nine others.
_QUEUE_REQUESTS = 1.2


@dataclass(frozen=True)
class Watched:
    """A limit, its use, and the second in which it was reached; None: it was not.

    held   seconds for which requests were held back at it, if that is what happens there
    """

    name: str
    most: float
    unit: str
    peak: float
    share: float
    where: str
    reached_at: float | None
    held: float
    source: str
    change: str


@dataclass(frozen=True)
class Figures:
    """Seconds, files, megabytes and US dollars.

    latency      from a file's arrival to the commit of its load; nothing if none was loaded
    files        arrived, loaded, failed, and waiting when the simulation ended
    runs         number, those that died, and files, megabytes and seconds of those that had files
    busy         share of the time that each stage was at work: 1 can't be exceeded
    slowest      the stage that was at work most
    first        the limit that was reached first
    days         until the last file was settled, or the simulation ended
    """

    files: dict[str, int]
    files_of_each: int
    days: float
    latency: dict[str, float]
    runs: dict[str, float]
    queue: dict[str, int]
    functions: dict[str, dict[str, float]]
    ledger: dict[str, int]
    store: dict[str, dict[str, int]]
    statements: dict[str, float]
    busy: dict[str, float]
    slowest: str
    limits: list[Watched]
    first: str | None
    usd: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @property
    def accounted(self) -> bool:
        """Whether every file that arrived is loaded, failed or waiting."""
        return self.files["arrived"] == sum(self.files[name] for name in ("loaded", "failed", "waiting"))


def figures(world: World) -> Figures:
    """Of a world that was played."""
    busy = _busy(world)
    return Figures(
        files=_files(world),
        files_of_each=world.of_each,
        days=round(world.clock.now / DAY, 2),
        latency=_latency(world),
        runs=_runs(world),
        queue={"sent": world.queue.sent, "deepest": world.queue.deepest},
        functions={
            name: {"invocations": number, "seconds": round(world.functions.seconds[name], 1)}
            for name, number in sorted(world.functions.invocations.items())
        },
        ledger={"requests": world.dynamo.requests, **world.dynamo.units},
        store={
            "reads": dict(sorted(world.store.reads.items())),
            "writes": dict(sorted(world.store.writes.items())),
        },
        statements=_statements(world),
        busy=busy,
        slowest=max(busy, key=lambda stage: busy[stage]),
        limits=_watched(world),
        first=world.meter.first(),
        usd=_usd(world),
    )


def _files(world: World) -> dict[str, int]:
    """By the ledger's own account; what it does not have waits in the queue."""
    states, each = world.states(), world.of_each
    assert states["LOADED"] == len(world.loaded), "the ledger and the warehouse differ"
    assert states["FAILED"] == len(world.failed), "the ledger and the runs differ"
    arrived = sum(parcel.arrives <= world.clock.now for parcel in world.parcels.values())
    loaded, failed = states["LOADED"], states["FAILED"]
    others = sum(states.values()) - loaded - failed
    queued = arrived - sum(states.values())
    found = {"arrived": arrived, "loaded": loaded, "failed": failed, "waiting": others + queued}
    return {name: number * each for name, number in found.items()}


def _latency(world: World) -> dict[str, float]:
    waited = sorted(at - world.parcels[key].arrives for key, at in world.loaded.items())
    return (
        {name: round(percentile(waited, share), 1) for name, share in _PERCENTILES.items()} if waited else {}
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that `share` of them do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _runs(world: World) -> dict[str, float]:
    runs = world.runs.runs
    working = [run for run in runs if run.files] or runs
    number = max(1, len(working))
    return {
        "number": len(runs),
        "died": sum(run.died for run in runs),
        "files": round(sum(run.files for run in working) / number, 1),
        "megabytes": round(sum(run.size for run in working) / number / 1e6, 1),
        "seconds": round(sum(run.seconds for run in working) / number, 1),
    }


def _loads(world: World) -> list[Ran]:
    return [ran for ran in world.warehouse.statements.values() if batch_of_statement(ran.name)]


def _statements(world: World) -> dict[str, float]:
    loads = _loads(world)
    waits = sorted(ran.begins - ran.submitted for ran in loads)
    return {
        "number": len(world.warehouse.statements),
        "loads": len(loads),
        "failed": sum(ran.status != "FINISHED" for ran in loads),
        "longest_wait": round(waits[-1], 1) if waits else 0.0,
    }


def _busy(world: World) -> dict[str, float]:
    until = world.clock.now
    jobs = {
        name: sum(r.seconds for r in world.runs.runs if r.dataset == name) for name in world.options.datasets
    }
    # All loads lock one table, so they run one after the other.
    loads = sum(max(0.0, min(ran.ends, until) - min(ran.begins, until)) for ran in _loads(world))
    shares = {
        "admit function": world.queue.busy_seconds / world.deployed.concurrency,
        **{f"job of {name}": seconds / world.deployed.runs_at_once for name, seconds in jobs.items()},
        "loads": loads,
    }
    return {stage: round(min(1.0, seconds / until), 3) for stage, seconds in shares.items()}


def _watched(world: World) -> list[Watched]:
    found = []
    for name, limit in world.meter.limits.items():
        use = world.meter.used[name]
        at = None if use.reached_at is None else round(use.reached_at, 1)
        found.append(
            Watched(
                name,
                limit.most,
                limit.unit,
                round(use.peak, 2),
                round(use.peak / limit.most, 3),
                use.where,
                at,
                round(use.held, 1),
                limit.source,
                limit.change,
            )
        )
    return sorted(found, key=lambda each: (each.reached_at is None, each.reached_at or 0, -each.share))


def _usd(world: World) -> dict[str, float]:
    """Of the day's files, however long they took; list prices."""
    stack, days = world.deployed.stack, world.clock.now / DAY
    runs = [run.seconds for run in world.runs.runs]
    spent = cost(runs, world.crawls, _awake(world), stack)
    gb_seconds = sum(world.functions.seconds[name] * gb for name, gb in world.deployed.memory_gb.items())
    invocations = sum(world.functions.invocations.values())
    store = world.store
    # Writing the raw files is their sender's.
    puts = sum(number for top, number in store.writes.items() if top != "raw")
    standing = sum(
        line.usd for line in monthly(stack, _AT_REST) if line.service in ("CloudWatch", "Secrets Manager")
    )
    found = {
        "Glue jobs": spent.jobs,
        "Glue crawls": spent.crawls,
        "Redshift": spent.warehouse,
        "DynamoDB": world.dynamo.units["writes"] * prices.LEDGER_WRITE.usd
        + world.dynamo.units["reads"] * prices.LEDGER_READ.usd,
        "S3 requests": puts * prices.OBJECT_WRITE.usd + store.reads.total() * prices.OBJECT_READ.usd,
        "Lambda": gb_seconds * prices.LAMBDA_TIME.usd + invocations * prices.LAMBDA_REQUEST.usd,
        "EventBridge, SQS": world.queue.sent
        * (prices.EVENT.usd + _QUEUE_REQUESTS * prices.QUEUE_REQUEST.usd),
        "alarms, metrics, secrets": standing / DAYS * days,
    }
    return {name: round(usd, 2) for name, usd in found.items()} | {"total": round(sum(found.values()), 2)}


def _awake(world: World) -> list[float]:
    """How long the warehouse was awake each time: statements that overlap keep it awake once."""
    spans: list[list[float]] = []
    for ran in sorted(world.warehouse.statements.values(), key=lambda ran: ran.submitted):
        until = min(ran.ends, world.clock.now)
        if spans and ran.submitted <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], until)
        else:
            spans.append([ran.submitted, until])
    return [end - begin for begin, end in spans]


def source_of_rates() -> str:
    """Which run the job's throughput is from."""
    return measured().run
