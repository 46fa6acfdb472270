"""The API of a job notebook: one batch, from the claim to the published manifest.

run = BatchRun.start(dataset="app_logs", ...)      # claim, check the files, number their records
records = run.records()                            # of each source
...                                                # the notebook's transformations
run.finish(kept, rejects)                          # write, count, gate, publish
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial

from pyspark.sql import DataFrame, SparkSession

from gluebook.aws.ledger import Ledger
from gluebook.aws.objects import Objects
from gluebook.aws.services import read_secret
from gluebook.aws.structured_logs import configure
from gluebook.clock import Clock, utc_now
from gluebook.contracts import Contract, contract
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.job.check import check_files
from gluebook.job.claim import Claimant
from gluebook.job.context import JobContext
from gluebook.job.counting import Checked
from gluebook.job.curate import Curation, next_batch
from gluebook.job.gating import Gate
from gluebook.job.inbox import InboxReader, inbox_part, origins, source_inbox
from gluebook.job.lake_files import LakeFiles
from gluebook.job.lease import Lease
from gluebook.job.runtime import require, run_id, spark_session
from gluebook.job.self_check import self_check_unless_proven
from gluebook.job.stored_rows import StoredRows
from gluebook.job.writing import Staging, write_rows
from gluebook.quality.report import GateReport
from gluebook.sources import sources_of
from gluebook.sources.model import Source
from gluebook.transforms.frames import Part, Records, no_records

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunSummary:
    """The result of a run, for the notebook's last cell."""

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
    """One batch that one job run works on. Without a batch every step works on empty DataFrames."""

    def __init__(
        self,
        *,
        contract: Contract,
        spark: SparkSession,
        context: JobContext,
        pseudonym_key: str,
        batch: Batch | None,
        lease: Lease | None,
    ) -> None:
        self.contract = contract
        self.spark = spark
        self.pseudonym_key = pseudonym_key
        self.batch = batch
        self._context = context
        self._lease = lease
        self._curation = Curation(context, contract, batch) if batch else None
        self._lakefiles = LakeFiles(spark, context.objects, context.lake.bucket)
        self._kept = 0
        self._store = StoredRows(self._lakefiles, f"{self._curation.inbox}rows-") if self._curation else None

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
        """Claim pending files (or take over an abandoned batch) and check the files.

        Raises ConfigurationError for a missing parameter, SelfCheckFailed if no run has succeeded yet and the
        environment does not work.
        """
        names = {
            "ledger_table": ledger_table,
            "lake_bucket": lake_bucket,
            "pseudonym_secret": pseudonym_secret,
        }
        require(names)
        configure()
        owner = run_id()
        context = JobContext(Ledger(ledger_table, owner), Objects(), Lake(lake_bucket), clock)
        key = read_secret(pseudonym_secret)
        spark = spark_session(f"gluebook {dataset}")
        self_check_unless_proven(spark, context.ledger, context.objects, context.lake, dataset, owner)
        batch = next_batch(context, Claimant(dataset, owner, max_batch_mb << 20, lease_seconds))
        run = cls(
            contract=contract(dataset),
            spark=spark,
            context=context,
            pseudonym_key=key,
            batch=batch,
            lease=Lease(context.ledger, batch, lease_seconds, clock) if batch else None,
        )
        run._check()
        return run

    def _check(self) -> None:
        if self._curation is None:
            return
        files = self._curation.files
        _log.info("checking %d files of batch %s", len(files), self._curation.batch.batch_id)
        objects, lake = self._context.objects, self._context.lake
        self._curation.check(check_files(self.spark, objects, files, lake.bucket, self._curation.inbox))

    def records(self) -> Records:
        """The parsed records of the batch's readable files: those of each source that has some.

        Without any, none for each source. Columns: see `records_schema`.
        """
        sources = sources_of(self.contract.name)
        found = [(each, files) for each in sources if (files := self._readable(each.name))]
        if not found:
            return Records(self.contract, tuple(no_records(self.spark, each) for each in sources))
        return Records(self.contract, tuple(self._records(each, files) for each, files in found))

    def _records(self, of: Source, files: list[tuple[int, FileVersion, Checked]]) -> Part:
        assert self._curation is not None
        lake, inbox = self._context.lake, source_inbox(self._curation.inbox, of.name)
        keys = sorted(self._context.objects.sizes(lake.bucket, inbox))
        read = InboxReader(lake.bucket, keys, self._curation.batch.batch_id, origins(files))
        return replace(inbox_part(self.spark, of, read), store=self._store)

    def _readable(self, name: str) -> list[tuple[int, FileVersion, Checked]]:
        return self._curation.readable(name) if self._curation else []

    def keep(self, df: DataFrame) -> DataFrame:
        """Compute `df` once for several steps. It is written beside the inbox, and deleted with it."""
        if self._curation is None:
            return df
        self._kept += 1
        return self._lakefiles.keep(df, f"{self._curation.inbox}kept-{self._kept}/")

    def finish(self, kept: DataFrame, rejects: DataFrame) -> RunSummary:
        """Write the curated rows and the rejects, count, pass the gate, publish.

        `kept`: valid rows, as `mark_copies` leaves them. `rejects`: rows with
        `_problem`. Raises CountMismatch if a row is in neither or in both, Fenced if the lease was lost.
        """
        try:
            if self._curation is None:
                return RunSummary(None, "IDLE", Counts())
            curation = self._curation
            staging = Staging(curation.data_prefix, curation.rejects_prefix, curation.row_references_prefix)
            written = write_rows(
                self._lakefiles,
                self.contract,
                staging,
                kept,
                rejects,
                records=curation.records,
                files=curation.usable,
            )
            done, counts = curation.finish(written, partial(self._gate, curation))
            return RunSummary(done.batch_id, done.state.value, counts)
        finally:
            self.close()

    def _gate(self, curation: Curation, counts: Counts) -> GateReport:
        context, files = self._context, curation.read
        gate = Gate(self.contract, context.objects, context.lake, self._lakefiles, context.clock)
        arrived = max((file.dt for file in files), default=None)
        return gate(curation.batch, curation.data_prefix, len(files), counts, arrived)

    def close(self) -> None:
        """Stop renewing the lease, and remove local files."""
        if self._lease is not None:
            self._lease.stop()
        self._lakefiles.close()
