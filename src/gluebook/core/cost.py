"""What a day like this would cost on AWS, by list prices of us-east-1 (USD, without discounts or free tiers).

Prices as published by AWS in 2026: Glue $0.44 per DPU-hour with a minute at least per run and ten minutes at
least per crawl; Redshift Serverless $0.375 per RPU-hour with a minute at least per wake-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_DPU_HOUR = 0.44
_RPU_HOUR = 0.375
_RUN_DPUS = 2
_CRAWL_DPUS = 2
_WAREHOUSE_RPUS = 8
_SHORTEST_RUN_SECONDS = 60.0
_SHORTEST_CRAWL_SECONDS = 600.0
_SHORTEST_WAKE_SECONDS = 60.0


@dataclass(frozen=True)
class Cost:
    """US dollars by service. Lambda, SQS, DynamoDB and S3 requests come to less than a cent at this size."""

    jobs: float
    crawls: float
    warehouse: float

    @property
    def total(self) -> float:
        """All together."""
        return self.jobs + self.crawls + self.warehouse


def cost(run_seconds: Sequence[float], crawl_seconds: Sequence[float], load_seconds: Sequence[float]) -> Cost:
    """The cost of these job runs, crawls and loads; every load is taken to wake the warehouse up."""
    return Cost(
        jobs=_hours(run_seconds, _SHORTEST_RUN_SECONDS) * _RUN_DPUS * _DPU_HOUR,
        crawls=_hours(crawl_seconds, _SHORTEST_CRAWL_SECONDS) * _CRAWL_DPUS * _DPU_HOUR,
        warehouse=_hours(load_seconds, _SHORTEST_WAKE_SECONDS) * _WAREHOUSE_RPUS * _RPU_HOUR,
    )


def _hours(seconds: Sequence[float], shortest: float) -> float:
    return sum(max(one, shortest) for one in seconds) / 3600
