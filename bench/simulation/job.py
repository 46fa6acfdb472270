"""Job runs: the product's own claim, count and publish; the rows between them are a time and a number."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.simulation.arrivals import Parcel
from bench.simulation.deployed import Deployed
from bench.simulation.functions import LAKE
from bench.simulation.happenings import Happenings
from bench.simulation.ledger import SimulatedLedger
from bench.simulation.measured import measured
from bench.simulation.meter import Meter
from bench.simulation.options import Options
from bench.simulation.store import Store
from gluebook.contracts import contract
from gluebook.contracts.reasons import Reason
from gluebook.core.events import JobEnded
from gluebook.core.model import Batch, Counts
from gluebook.errors import Fenced
from gluebook.job.claim import Claimant
from gluebook.job.context import JobContext
from gluebook.job.counting import Checked, Written
from gluebook.job.curate import Curation, next_batch
from gluebook.quality.report import GateReport, Outcome

# Spark reads what is kept in parts of this size, and writes one file of each.
_PART_BYTES = 128 << 20
_PASSES = Outcome("simulated", "expect_table_row_count_to_be_between", "", {}, "critical", passed=True)


@dataclass(frozen=True)
class Ended:
    """A run that has ended: seconds, files and bytes; `died`: without completing its batch."""

    dataset: str
    seconds: float
    files: int
    size: int
    died: bool


@dataclass(frozen=True)
class _Run:
    dataset: str
    run_id: str
    started: float


class JobRuns:
    """Runs of all datasets. `curated` is told which keys a batch holds; `ended` of the end of a run."""

    def __init__(
        self,
        options: Options,
        deployed: Deployed,
        happenings: Happenings,
        meter: Meter,
        store: Store,
        ledger: Callable[[str], SimulatedLedger],
        parcels: Mapping[str, Parcel],
        files_of_each: int,
        chance: random.Random,
        curated: Callable[[str, list[Parcel]], None],
        ended: Callable[[JobEnded], None],
    ) -> None:
        self._options, self._deployed, self._happenings, self._meter = options, deployed, happenings, meter
        self._store, self._ledger, self._parcels = store, ledger, parcels
        self._files_of_each, self._chance = files_of_each, chance
        self._curated, self._ended = curated, ended
        self._measured = measured()
        self.runs: list[Ended] = []

    def start(self, dataset: str, run_id: str) -> None:
        """Start a run; it claims once it is up."""
        run = _Run(dataset, run_id, self._happenings.clock.time)
        self._happenings.after(self._options.start_up, lambda: self._claim(run))

    def _claim(self, run: _Run) -> None:
        ledger = self._ledger(run.run_id)
        context = JobContext(ledger, self._store, LAKE, self._happenings.clock)
        megabytes, lease = self._deployed.max_batch_megabytes, self._deployed.lease_seconds
        batch = next_batch(context, Claimant(run.dataset, run.run_id, megabytes << 20, lease))
        if batch is None:
            self._end(run, "SUCCEEDED", [])
            return
        curation = Curation(context, contract(run.dataset), batch)
        parcels = [self._parcels[file.key] for file in curation.files]
        curation.check({index: self._checked(index, parcel) for index, parcel in enumerate(parcels)})
        clock = self._happenings.clock
        seconds = self._seconds(parcels)
        files = len(parcels) * self._files_of_each
        self._store.reads["raw"] += files
        self._meter.observe("raw gets", files / max(1.0, seconds), clock.time, run.dataset)
        begins, ends, most = clock.time, clock.time + seconds, self._meter.limits["run time"].most
        late = self._meter.observe("run time", ends - run.started, min(ends, run.started + most), run.dataset)
        dies = begins + self._chance.random() * seconds if self._dies() else math.inf
        if late:
            dies = min(dies, max(begins, run.started + most))
        self._renew(ledger, batch, min(ends, dies))
        if dies < ends:
            state = "TIMEOUT" if late and dies >= run.started + most else "FAILED"
            self._happenings.at(dies, lambda: self._end(run, state, parcels))
        else:
            self._happenings.at(ends, lambda: self._publish(run, curation, ledger, parcels))

    def _dies(self) -> bool:
        return self._chance.random() < self._options.dead_runs

    def _seconds(self, parcels: list[Parcel]) -> float:
        options, vcpus = self._options, self._deployed.vcpus
        megabytes = sum(parcel.size for parcel in parcels) / 1e6
        files = len(parcels) * self._files_of_each
        return (megabytes / options.megabytes_per_vcpu + files * options.file_seconds) / vcpus

    def _checked(self, index: int, parcel: Parcel) -> Checked:
        if parcel.bad:
            return Checked(index, 0, bad=Reason.CORRUPT_GZIP.because("simulated"))
        return Checked(index, self._rows(parcel))

    def _rows(self, parcel: Parcel) -> int:
        return max(1, round(parcel.size / self._measured.record_bytes))

    def _renew(self, ledger: SimulatedLedger, batch: Batch, until: float) -> None:
        """As a run's own thread does, three times per lease."""
        clock, lease = self._happenings.clock, self._deployed.lease_seconds
        if clock.time + lease / 3 < until:

            def again() -> None:
                ledger.lease(batch, int(clock().timestamp()) + lease)
                self._renew(ledger, batch, until)

            self._happenings.after(lease / 3, again)

    def _publish(self, run: _Run, curation: Curation, ledger: SimulatedLedger, parcels: list[Parcel]) -> None:
        batch, clock = curation.batch, self._happenings.clock
        good = [parcel for parcel in parcels if not parcel.bad]
        self._stage(curation, good)
        rows = {(parcel.key, "1"): self._rows(parcel) for parcel in good}
        references = len(good) if contract(run.dataset).append else 0
        try:
            ledger.lease(batch, int(clock().timestamp()) + self._deployed.lease_seconds)
            curation.finish(Written(rows, {}, {}, references), lambda counts: self._gate(batch, counts))
        except Fenced:
            self._end(run, "FAILED", parcels)
            return
        self._curated(batch.batch_id, good)
        self._end(run, "SUCCEEDED", parcels)

    def _stage(self, curation: Curation, good: list[Parcel]) -> None:
        """What the run's Spark tasks have written."""
        size = int(sum(parcel.size for parcel in good) * self._measured.parquet_share)
        parts = max(1, math.ceil(size / _PART_BYTES))
        for number in range(parts if good else 0):
            dt = curation.files[0].dt
            self._store.stage(f"{curation.inbox}records-{number:05d}.parquet", size // parts)
            self._store.stage(f"{curation.data_prefix}dt={dt}/part-{number:05d}.parquet", size // parts)
        if contract(curation.batch.dataset).append:
            self._store.stage(f"{curation.row_references_prefix}part-00000.parquet", 1)

    def _gate(self, batch: Batch, counts: Counts) -> GateReport:
        clock = self._happenings.clock
        for key in (LAKE.quality, LAKE.quality_rows, LAKE.quality_manifest):
            self._store.put_json(LAKE.bucket, key(batch.dataset, batch.batch_id, batch.epoch), {})
        return GateReport(
            batch.dataset,
            batch.batch_id,
            batch.generation,
            "",
            counts.curated,
            batch.files,
            counts,
            clock(),
            (_PASSES,),
        )

    def _end(self, run: _Run, state: str, parcels: list[Parcel]) -> None:
        files, size = len(parcels) * self._files_of_each, sum(parcel.size for parcel in parcels)
        seconds = self._happenings.clock.time - run.started
        self.runs.append(Ended(run.dataset, seconds, files, size, state != "SUCCEEDED"))
        message = "" if state == "SUCCEEDED" else "simulated"
        event = JobEnded(run.dataset, run.run_id, state, message)
        self._happenings.after(0, lambda: self._ended(event))
