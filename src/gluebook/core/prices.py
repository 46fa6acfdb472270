"""List prices in us-east-1 in US dollars, without discounts and free tiers, each with its date and source."""

from __future__ import annotations

from dataclasses import dataclass

REGION = "us-east-1"


@dataclass(frozen=True)
class Price:
    """The price of one `unit`, as `source` (a page of aws.amazon.com) stated it in the month `as_of`."""

    usd: float
    unit: str
    as_of: str
    source: str


_MILLION = 1_000_000

GLUE = Price(0.44, "DPU-hour", "2026-11", "/glue/pricing")
WAREHOUSE = Price(0.375, "RPU-hour", "2026-11", "/redshift/pricing")
WAREHOUSE_STORAGE = Price(0.024, "GB-month", "2026-11", "/redshift/pricing")
LAMBDA_REQUEST = Price(0.20 / _MILLION, "request", "2026-11", "/lambda/pricing")
LAMBDA_TIME = Price(0.0000166667, "GB-second", "2026-11", "/lambda/pricing")
QUEUE_REQUEST = Price(0.40 / _MILLION, "request", "2026-11", "/sqs/pricing")
EVENT = Price(1.00 / _MILLION, "event", "2026-11", "/eventbridge/pricing")
LEDGER_WRITE = Price(0.625 / _MILLION, "write", "2026-11", "/dynamodb/pricing/on-demand")
LEDGER_READ = Price(0.125 / _MILLION, "read", "2026-11", "/dynamodb/pricing/on-demand")
OBJECT_WRITE = Price(0.005 / 1000, "request", "2026-11", "/s3/pricing")
OBJECT_READ = Price(0.0004 / 1000, "request", "2026-11", "/s3/pricing")
OBJECT_STORAGE = Price(0.023, "GB-month", "2026-11", "/s3/pricing")
METRIC = Price(0.30, "metric-month", "2026-11", "/cloudwatch/pricing")
ALARM = Price(0.10, "alarm-month", "2026-11", "/cloudwatch/pricing")
SECRET = Price(0.40, "secret-month", "2026-11", "/secrets-manager/pricing")

# Billing minimums in seconds: of a job run, a crawl, and the warehouse when it wakes up.
SHORTEST_RUN_SECONDS = 60.0
SHORTEST_CRAWL_SECONDS = 600.0
SHORTEST_WAKE_SECONDS = 60.0
