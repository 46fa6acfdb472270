"""What a batch costs when many have been loaded before it, and what they leave in the memory of `gluebook up`.

    python -m bench.batches [batches] [records]

Batches of equal size go through the deployed chain on a laptop, one after the other, onto tables that grow. Prints a
Markdown table of medians: the first ten after the very first, which starts cold, beside the last ten.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import psutil

from bench.contenders.gluebook_cold import deployed, measured
from bench.inputs import INPUTS, REAL_DATA, log_lines
from bench.running import a_task
from localaws.iam import Authorizer
from localaws.patches import Patches, around

_INPUT = "mongod"
_AT_EACH_END = 10
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Batch:
    """One batch: seconds, requests to AWS and their megabytes, and the megabytes of this process afterwards."""

    seconds: float
    until_the_job_starts: float
    job: float
    load: float
    requests: float
    read: float
    written: float
    resident: float


@dataclass
class Traffic:
    """All requests to the laptop's AWS since the last `reset`, and the bytes of their bodies."""

    requests: int = 0
    read: int = 0
    written: int = 0
    counting: bool = True
    patches: Patches = field(init=False)

    def __post_init__(self) -> None:
        self.patches = Patches(around(Authorizer, "__call__", self._count))

    def reset(self) -> None:
        """Count from nothing."""
        self.requests = self.read = self.written = 0
        self.counting = True

    def stop(self) -> None:
        """Count no more until the next `reset`."""
        self.counting = False

    def _count(self, original: Any, authorizer: Any, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.requests += self.counting
        self.written += self.counting * int(environ.get("CONTENT_LENGTH") or 0)
        answer = original(authorizer, environ, start)
        try:
            for part in answer:
                self.read += self.counting * len(part)
                yield part
        finally:
            if hasattr(answer, "close"):
                answer.close()


def files(records: int, folder: Path) -> Iterator[Path]:
    """Endless files of so many records each, no record of one in another."""
    with gzip.open(REAL_DATA / INPUTS[_INPUT].real) as file:
        lines = log_lines(file.read().splitlines())
    number = 0
    while True:
        number += 1
        path = folder / f"mongod-{number:04d}.jsonl"
        with path.open("wb") as file:
            file.writelines(line + b"\n" for line in islice(lines, records))
        yield path
        path.unlink()


def in_a_row(count: int, records: int) -> Iterator[Batch]:
    """The batches, in order."""
    traffic, process = Traffic(), psutil.Process()
    with (
        tempfile.TemporaryDirectory(prefix="gluebook-bench-") as folder,
        traffic.patches,
        deployed(cold=False) as running,
    ):
        for path in islice(files(records, Path(folder)), count):
            task = a_task(_INPUT, (path,), path.parent, "")
            traffic.reset()
            found = measured(running, task, traffic.stop)
            yield Batch(
                seconds=found.total,
                until_the_job_starts=found.details["until the job starts"],
                job=found.job,
                load=found.load,
                requests=traffic.requests,
                read=traffic.read / _MEGABYTE,
                written=traffic.written / _MEGABYTE,
                resident=process.memory_info().rss / _MEGABYTE,
            )


def report(batches: list[Batch], records: int) -> str:
    """The Markdown table of medians, and what a batch adds to the memory."""
    # The first batch starts what the others find warm.
    warm = batches[1:] or batches
    ends = warm[:_AT_EACH_END], warm[-_AT_EACH_END:]
    head = f"first {len(ends[0])} | last {len(ends[1])} | last / first"
    lines = [
        f"| {len(batches)} batches of {records:,} records | {head} |",
        "|---|---:|---:|---:|",
    ]
    for name in asdict(batches[0]):
        first, last = (statistics.median(getattr(each, name) for each in end) for end in ends)
        lines.append(f"| {name.replace('_', ' ')} | {first:,.1f} | {last:,.1f} | {last / first:.2f} |")
    grown = (warm[-1].resident - warm[0].resident) / max(len(warm) - 1, 1)
    return "\n".join([*lines, f"\nA batch adds {grown:.2f} MB to the memory of the laptop's process."])


def main() -> None:
    """Measure, and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("batches", type=int, nargs="?", default=60)
    arguments.add_argument("records", type=int, nargs="?", default=100_000)
    given = arguments.parse_args()
    found: list[Batch] = []
    for batch in in_a_row(given.batches, given.records):
        found.append(batch)
        print(f"{len(found)}: {batch.seconds:.1f} s, {batch.resident:.0f} MB", flush=True)
    print(report(found, given.records))


if __name__ == "__main__":
    main()
