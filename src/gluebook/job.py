"""What a job notebook drives: one batch, from the claim to the published manifest.

run = BatchRun.start(dataset="app_logs", ...)      # claim, check the files, number their records
records = run.records("mongod")                    # DataFrame of raw records
...                                                # the notebook's transformations
run.finish(kept, rejects)                          # write, count, gate, publish
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from gluebook.aws.ledger import Ledger
from gluebook.aws.objects import Objects
from gluebook.aws.services import read_secret
from gluebook.clock import Clock, stamp, utc_now
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.plan import PublishPlan, plan_files, reconcile
from gluebook.core.states import BatchState
from gluebook.datasets import Contract, contract
from gluebook.lakefiles import LakeFiles
from gluebook.logs import configure
from gluebook.quality.gate import run_gate
from gluebook.quality.suites import load_suite
from gluebook.runtime import require, run_id, spark_session
from gluebook.steps.check import INBOX_SCHEMA, Checked, check_files
from gluebook.steps.claim import take_up
from gluebook.steps.counting import Written, file_results, reasons_per_file, rows_per_file, settlement
from gluebook.steps.lease import Lease
from gluebook.steps.publish import (
    begin_publishing,
    close_without_rows,
    finish_publishing,
    keep_rejects,
    sweep_up,
    write_results,
)
from gluebook.transforms.verbs import conform, rejects_table

_log = logging.getLogger(__name__)
# Parquet files of 64 to 256 MB suit Redshift best; this many rows of ours come to about that.
_ROWS_PER_FILE = 1_000_000


@dataclass(frozen=True)
class RunSummary:
    """What a run came to; for the notebook's last cell."""

    batch_id: str | None
    state: str
    counts: Counts

    def __str__(self) -> str:
        if self.batch_id is None:
            return "nothing was pending"
        c = self.counts
        return (
            f"batch {self.batch_id} is {self.state}: read {c.read:,} = curated {c.curated:,} "
            f"+ duplicates {c.duplicates:,} + rejected {c.rejected:,}"
        )


class BatchRun:
    """One batch in the hands of one job run. Without a batch every step works on empty DataFrames."""

    def __init__(
        self,
        *,
        contract: Contract,
        spark: SparkSession,
        ledger: Ledger,
        objects: Objects,
        lake: Lake,
        pseudonym_key: str,
        batch: Batch | None,
        lease: Lease | None,
        clock: Clock,
    ) -> None:
        self.contract = contract
        self.spark = spark
        self.pseudonym_key = pseudonym_key
        self.batch = batch
        self._ledger = ledger
        self._objects = objects
        self._lake = lake
        self._lease = lease
        self._clock = clock
        self._lakefiles = LakeFiles(spark, objects, lake.bucket)
        self._files: list[FileVersion] = ledger.batch_files(batch.batch_id) if batch else []
        self._checked: dict[int, Checked] = {}
        self._kept: list[DataFrame] = []

    @classmethod
    def start(
        cls,
        *,
        dataset: str,
        ledger_table: str,
        lake_bucket: str,
        pseudonym_secret: str,
        max_batch_mb: int = 4096,
        lease_seconds: int = 600,
        clock: Clock = utc_now,
    ) -> BatchRun:
        """Claim what is pending (or take over what was left) and check its files.

        Raises ConfigurationError for a parameter that is missing.
        """
        names = {
            "ledger_table": ledger_table,
            "lake_bucket": lake_bucket,
            "pseudonym_secret": pseudonym_secret,
        }
        require(names)
        configure()
        owner = run_id()
        ledger, objects, lake = Ledger(ledger_table, owner), Objects(), Lake(lake_bucket)
        key = read_secret(pseudonym_secret)
        spark = spark_session(f"gluebook {dataset}")

        def next_batch() -> Batch | None:
            most = max_batch_mb << 20
            return take_up(ledger, dataset, owner, most_bytes=most, lease_seconds=lease_seconds, clock=clock)

        batch = next_batch()
        while batch is not None and batch.state is BatchState.PUBLISHING:
            sweep_up(objects, lake, finish_publishing(ledger, objects, lake, batch, clock))
            batch = next_batch()
        run = cls(
            contract=contract(dataset),
            spark=spark,
            ledger=ledger,
            objects=objects,
            lake=lake,
            pseudonym_key=key,
            batch=batch,
            lease=Lease(ledger, batch, lease_seconds, clock) if batch else None,
            clock=clock,
        )
        run._check()
        return run

    def _check(self) -> None:
        if self.batch is None:
            return
        inbox = self._lake.inbox(self.batch.batch_id, self.batch.epoch)
        _log.info("checking %d files of batch %s", len(self._files), self.batch.batch_id)
        self._checked = check_files(self.spark, self._files, self._lake.bucket, inbox)
        for index, file in enumerate(self._files):
            settled = settlement(file, self._checked[index])
            if settled is not None:
                _log.warning("%s is %s: %s", file.key, *settled)
                self._ledger.settle_file(self.batch, file, *settled, at=stamp(self._clock()))

    def headers(self, source: str) -> list[str]:
        """The distinct CSV headers of the batch's readable files of `source`."""
        found = {checked.header for _, checked in self._readable(source)}
        return sorted(header for header in found if header is not None)

    def records(self, source: str) -> DataFrame:
        """The raw records of the batch's readable files of `source`, numbered.

        Columns: _source_file, _source_version, _source_record, _batch_id, dt (arrival date), _header (of its
        CSV file), _raw (text), _problem (null, or what framing found wrong).
        """
        readable = self._readable(source)
        batch_id, epoch = (self.batch.batch_id, self.batch.epoch) if self.batch else ("", 0)
        about = self.spark.createDataFrame(
            [(i, f.key, f.version_id, f.dt, c.header) for (i, f), c in readable],
            "file int, _source_file string, _source_version string, dt string, _header string",
        )
        raw = (
            self._lakefiles.read(self._lake.inbox(batch_id, epoch), INBOX_SCHEMA)
            if readable
            else self.spark.createDataFrame([], INBOX_SCHEMA)
        )
        return raw.join(F.broadcast(about), "file", "inner").select(
            "_source_file",
            "_source_version",
            F.col("record").alias("_source_record"),
            F.lit(batch_id).alias("_batch_id"),
            "dt",
            "_header",
            F.col("raw").alias("_raw"),
            F.col("problem").alias("_problem"),
        )

    def _readable(self, source: str) -> list[tuple[tuple[int, FileVersion], Checked]]:
        return [
            ((index, file), self._checked[index])
            for index, file in enumerate(self._files)
            if file.source == source and settlement(file, self._checked[index]) is None
        ]

    def keep(self, df: DataFrame) -> DataFrame:
        """Compute `df` once, though several steps use it; spills to disk, freed by `finish`."""
        kept = df.persist(StorageLevel.MEMORY_AND_DISK)
        self._kept.append(kept)
        return kept

    def finish(self, kept: DataFrame, rejects: DataFrame) -> RunSummary:
        """Write the curated rows and the rejects, count, pass the gate, publish.

        `kept`: valid rows with `_copy` (1 for the row that stays, more for its repeats). `rejects`: rows with
        `_problem`. Raises CountMismatch if a row is in neither or in both, Fenced if the lease was lost.
        """
        try:
            return self._finish(kept, rejects)
        finally:
            self.close()

    def _finish(self, kept: DataFrame, rejects: DataFrame) -> RunSummary:
        if self.batch is None:
            return RunSummary(None, "IDLE", Counts())
        batch, lake = self.batch, self._lake
        written, staged = self._write(batch, kept, rejects)
        _log.info("wrote batch %s", batch.batch_id)
        results = file_results(self._files, self._checked, written)
        counts = reconcile(results, batch.batch_id)
        if counts.curated == 0:
            done = close_without_rows(self._ledger, self._objects, lake, batch, results, counts, self._clock)
        elif not self._passes_gate(batch, staged):
            write_results(self._objects, lake, batch, results)
            done = self._reject(batch, counts)
        else:
            prefix = self._data_prefix(batch)
            sizes = self._objects.sizes(lake.bucket, prefix)
            parquet = {key: size for key, size in sizes.items() if key.endswith(".parquet")}
            files, partitions = plan_files(parquet, prefix, lake, batch.dataset, batch.batch_id)
            plan = PublishPlan(files, results, partitions, counts)
            going = begin_publishing(self._ledger, self._objects, lake, batch, plan, self._clock)
            done = finish_publishing(self._ledger, self._objects, lake, going, self._clock)
        sweep_up(self._objects, lake, done)
        return RunSummary(done.batch_id, done.state.value, counts)

    def _data_prefix(self, batch: Batch) -> str:
        return f"{self._lake.staging(batch.batch_id, batch.epoch)}data/"

    def _write(self, batch: Batch, kept: DataFrame, rejects: DataFrame) -> tuple[Written, DataFrame]:
        curated = conform(kept.where("_copy = 1"), self.contract)
        slices = 1 + sum(checked.records for checked in self._checked.values()) // _ROWS_PER_FILE
        spread = F.pmod(F.hash(*self.contract.key), F.lit(slices))
        self._lakefiles.write(curated.repartition("dt", spread), self._data_prefix(batch), partition_by="dt")
        _log.info("wrote the curated rows of batch %s", batch.batch_id)
        aside = f"{self._lake.staging(batch.batch_id, batch.epoch)}rejects/"
        self._lakefiles.write(rejects_table(rejects, batch.dataset).coalesce(1), aside)
        staged = self._lakefiles.read(
            self._data_prefix(batch),
            ", ".join([*(f"`{c.name}` {c.spark_type}" for c in self.contract.columns), "dt string"]),
        )
        counted = Written(
            curated=rows_per_file(staged),
            duplicates=rows_per_file(kept.where("_copy > 1")),
            rejects=reasons_per_file(self._lakefiles.read(aside)),
        )
        self._ledger.confirm(batch)
        if counted.rejects:
            keep_rejects(self._objects, self._lake, batch, aside)
        return counted, staged

    def _passes_gate(self, batch: Batch, staged: DataFrame) -> bool:
        report = run_gate(staged, load_suite(self.contract))
        _log.info("gate has looked at batch %s: %d rows", batch.batch_id, report.rows)
        key = self._lake.quality(batch.dataset, batch.batch_id)
        value = {**asdict(report), "passed": report.passed, "batch_id": batch.batch_id}
        self._objects.put_json(self._lake.bucket, key, value)
        self._gate_summary = report.summary()
        if report.failed:
            _log.warning("batch %s: %s", batch.batch_id, self._gate_summary)
        return report.passed

    def _reject(self, batch: Batch, counts: Counts) -> Batch:
        rejected = replace(
            batch, state=BatchState.REJECTED, counts=counts, reason=f"gate: {self._gate_summary}"
        )
        return self._ledger.advance(batch, rejected, stamp(self._clock()), "gate failed")

    def close(self) -> None:
        """Let go of the lease's heartbeat, of what was kept, and of local files."""
        if self._lease is not None:
            self._lease.stop()
        for df in self._kept:
            df.unpersist()
        self._lakefiles.close()
