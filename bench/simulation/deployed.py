"""What infra/pipeline.yaml deploys, as far as it bounds or delays anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from bench.running import ROOT
from gluebook.cli.cost import stack_of
from gluebook.core.cost import VCPUS_PER_DPU, Stack
from gluebook.core.loading import CrawlPolicy
from gluebook.deployment.template import parse_template
from gluebook.errors import ConfigurationError

_FUNCTIONS = ("Admit", "Load", "Sweep")


@dataclass(frozen=True)
class Deployed:
    """Seconds, megabytes (of 2**20 bytes) and numbers; `timeouts` and `memory_gb` by function.

    rpu_factor   how much larger the warehouse is than by default
    """

    stack: Stack
    workers: int
    max_batch_megabytes: int
    lease_seconds: int
    window_seconds: float
    start_retry_seconds: int
    load_retry_seconds: int
    sweep_seconds: float
    batch_size: int
    concurrency: int
    job_timeout: float
    runs_at_once: int
    timeouts: Mapping[str, float]
    memory_gb: Mapping[str, float]
    crawl_policy: CrawlPolicy
    rpu_factor: float

    @property
    def vcpus(self) -> int:
        """Of a job run's executors: one of the workers is the driver."""
        return VCPUS_PER_DPU * max(1, self.stack.workers - 1)


def deployed(chosen: Mapping[str, str], **resources: int | None) -> Deployed:
    """What the template deploys with `chosen` parameters.

    `resources`: `batch_size` and `concurrency` of the queue's delivery, if others than the template's. Raises
    ConfigurationError for a parameter that the template lacks, or an invalid value.
    """
    template = parse_template(ROOT / "infra" / "pipeline.yaml")
    stack = stack_of(template, chosen)
    defaults = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()}
    values = defaults | dict(chosen)
    made = template["Resources"]

    def number(value: Any) -> float:
        name = value["Ref"] if isinstance(value, dict) else "a property"
        given = values[name] if isinstance(value, dict) else value
        try:
            found = float(given)
        except ValueError:
            raise ConfigurationError(f"{name} is a number, not {given!r}") from None
        least = template["Parameters"].get(name, {}).get("MinValue", 0)
        if not least <= found < float("inf"):
            raise ConfigurationError(f"{name} is at least {least}, not {given}")
        return found

    mapping = made["AdmitArrivals"]["Properties"]
    [job, *_] = [each["Properties"] for each in made.values() if each["Type"] == "AWS::Glue::Job"]
    admit = made["Admit"]["Properties"]["Environment"]["Variables"]
    load = made["Load"]["Properties"]["Environment"]["Variables"]
    arguments = job["DefaultArguments"]
    return Deployed(
        stack=stack,
        workers=int(number(job["NumberOfWorkers"])),
        max_batch_megabytes=int(number(arguments["--max_batch_mb"])),
        lease_seconds=int(number(arguments["--lease_seconds"])),
        window_seconds=number(mapping["MaximumBatchingWindowInSeconds"]),
        start_retry_seconds=int(number(admit["START_RETRY_SECONDS"])),
        load_retry_seconds=int(number(load["LOAD_RETRY_SECONDS"])),
        sweep_seconds=stack.sweep_seconds,
        batch_size=resources.get("batch_size") or int(mapping["BatchSize"]),
        concurrency=resources.get("concurrency") or int(mapping["ScalingConfig"]["MaximumConcurrency"]),
        job_timeout=60 * number(job["Timeout"]),
        runs_at_once=int(job["ExecutionProperty"]["MaxConcurrentRuns"]),
        timeouts={name.lower(): float(made[name]["Properties"]["Timeout"]) for name in _FUNCTIONS},
        memory_gb={name.lower(): made[name]["Properties"]["MemorySize"] / 1024 for name in _FUNCTIONS},
        crawl_policy=cast(CrawlPolicy, values["CrawlPolicy"]),
        rpu_factor=stack.rpus / float(defaults["BaseCapacity"]),
    )
