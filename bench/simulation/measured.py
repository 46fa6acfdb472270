"""What bench/results says of a job's throughput; docs/performance.md shows the same runs."""

from __future__ import annotations

from dataclasses import dataclass

from bench import results

_WARM = "ours-warm"


@dataclass(frozen=True)
class Measured:
    """Of the largest run: megabytes of raw file a vCPU takes in a second, bytes of a raw record, Parquet's share."""

    megabytes_per_vcpu: float
    record_bytes: float
    parquet_share: float
    run: str


def measured() -> Measured:
    """From the largest kept result. The job is the second one of its process: its start-up is counted by itself."""
    found = [each for each in map(results.read, results.FOLDER.glob("*.json")) if _WARM in each.figures]
    largest = max(found, key=lambda each: each.raw_bytes)
    own = largest.figures[_WARM]
    return Measured(
        megabytes_per_vcpu=round(largest.raw_bytes / 1e6 / own.job / largest.machine.cores, 2),
        record_bytes=largest.raw_bytes / largest.records,
        parquet_share=own.parquet_bytes / largest.raw_bytes,
        run=f"{largest.input}, {largest.records:,} records",
    )
