"""The load and sweep steps and a job run without Spark, with fakes around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fakes.ledger import FakeLedger
from fakes.objects import FakeObjects
from fakes.services import FakeCatalog, FakeJobs, FakeWarehouse
from fakes.values import FakeClock, a_batch, a_file, a_report
from gluebook.contracts import CONTRACTS, contract
from gluebook.contracts.reasons import ReasonText
from gluebook.core.events import Event, JobEnded, StatementEnded
from gluebook.core.keys import Lake
from gluebook.core.loading import CrawlPolicy, loaded, statement_name
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.plan import keys_in_manifest
from gluebook.core.sql.schema import WarehouseUsers
from gluebook.core.states import BatchState, FileState
from gluebook.core.timestamps import utc_timestamp
from gluebook.functions.context import LoadContext, SweepContext, WarehouseAdmin
from gluebook.functions.load import handle
from gluebook.job.claim import Claimant
from gluebook.job.context import JobContext
from gluebook.job.counting import Checked, Written
from gluebook.job.curate import Curation
from gluebook.quality.report import GateReport
from gluebook.sources import source_names

DATASET = "app_logs"
RAW = "raw"
_WAYS = {
    BatchState.CLAIMED: (),
    BatchState.PUBLISHING: (BatchState.PUBLISHING,),
    BatchState.CURATED: (BatchState.PUBLISHING, BatchState.CURATED),
    BatchState.REJECTED: (BatchState.PUBLISHING, BatchState.REJECTED),
    BatchState.DIVIDING: (BatchState.DIVIDING,),
    BatchState.LOADING: (BatchState.PUBLISHING, BatchState.CURATED, BatchState.LOADING),
    BatchState.LOADED: (BatchState.PUBLISHING, BatchState.CURATED, BatchState.LOADING, BatchState.LOADED),
}


def job_ended(run_id: str = "jr_0", state: str = "SUCCEEDED", job: str = "job-logs") -> JobEnded:
    return JobEnded(job, run_id, state, "")


def statement_ended(batch: Batch, attempt: int = 1, state: str = "FINISHED") -> StatementEnded:
    return StatementEnded("some-id", statement_name(replace(batch, load_attempts=attempt)), state)


class Pipeline:
    """All steps around one ledger; the catalog is up to date. `ledger` and `objects` may be proxies."""

    def __init__(
        self,
        policy: CrawlPolicy = "when-needed",
        ledger: FakeLedger | None = None,
        objects: FakeObjects | None = None,
    ) -> None:
        self.ledger, self.objects = ledger or FakeLedger(), objects or FakeObjects()
        self.jobs, self.warehouse = FakeJobs(), FakeWarehouse()
        self.catalog, self.clock, self.lake = FakeCatalog(), FakeClock(), Lake("lake")
        self.policy = policy
        for dataset, each in CONTRACTS.items():
            self.catalog.known[dataset] = {"2026-01-05"}
            self.catalog.known_columns[dataset] = each.names

    @property
    def work(self) -> LoadContext:
        return LoadContext(
            ledger=self.ledger,
            jobs=self.jobs,
            warehouse=self.warehouse,
            catalog=self.catalog,
            lake=self.lake,
            job_names={"app_logs": "job-logs", "support_tickets": "job-tickets"},
            crawlers={"app_logs": "crawl-logs", "support_tickets": "crawl-tickets"},
            copy_role_arn="arn:copy",
            crawl_policy=self.policy,
            clock=self.clock,
            namespace="Gluebook",
            admin=WarehouseAdmin(lambda: self.warehouse, WarehouseUsers(("IAMR:load",), ("IAMR:sweep",))),
        )

    @property
    def sweeping(self) -> SweepContext:
        return SweepContext(self.work, self.objects, RAW)

    @property
    def job_context(self) -> JobContext:
        return JobContext(self.ledger, self.objects, self.lake, self.clock)

    def claimant(self, run: str, dataset: str = DATASET) -> Claimant:
        return Claimant(dataset, run, most_bytes=10**9, lease_seconds=600)

    def handle(self, *events: Event) -> None:
        for event in events:
            handle(event, self.work)

    # -- batches in their states -----------------------------------------------------------------------

    def carried(
        self, *files: FileVersion, owner: str = "jr_0", dataset: str = DATASET, batch_id: str = ""
    ) -> Batch:
        """A claimed and sealed batch of `files`."""
        for file in files:
            self.ledger.register(file, "test")
        batch = replace(a_batch(batch_id, owner=owner, dataset=dataset), lease_until=self.clock.seconds + 600)
        self.ledger.open_batch(batch)
        claimed = self.ledger.claim(batch, list(files))
        sealed = replace(batch, files=len(claimed), size=sum(file.size for file in claimed))
        return self.ledger.advance(batch, sealed, utc_timestamp(self.clock()), "sealed")

    def batch(
        self,
        state: BatchState,
        owner: str = "jr_0",
        partitions: tuple[str, ...] = ("2026-01-05",),
        files: Sequence[FileVersion] = (),
        dataset: str = DATASET,
    ) -> Batch:
        """A batch of one file, or of `files`, advanced to `state` by its normal transitions."""
        batch = self.carried(*(files or [a_file(dataset=dataset)]), owner=owner, dataset=dataset)
        return self.advanced(batch, state, partitions)

    def advanced(self, batch: Batch, state: BatchState, partitions: tuple[str, ...] = ()) -> Batch:
        """A claimed batch advanced to `state` by its normal transitions."""
        for step in _WAYS[state]:
            loads = 1 if step in (BatchState.LOADING, BatchState.LOADED) else 0
            counted = replace(
                batch,
                state=step,
                counts=Counts(10, 7, 2, 1),
                partitions=partitions,
                load_attempts=loads,
            )
            batch = self.ledger.advance(batch, counted, utc_timestamp(self.clock()), "test")
        assert batch.state is state
        return batch

    def again(self, batch: Batch, *superseded: FileVersion) -> Batch:
        """A loaded batch, reopened and taken over by the run `jr_again`."""
        at = utc_timestamp(self.clock())
        opened = self.ledger.reopen(batch, at, "replay", self.ledger.files_now(superseded))
        assert opened is not None
        taken = self.ledger.take_over(opened, "jr_again", self.clock.seconds + 600, self.clock.seconds, at)
        assert taken is not None
        return taken

    def load(self, batch: Batch) -> Batch:
        """Load a curated batch."""
        at = utc_timestamp(self.clock())
        loading = self.ledger.advance(
            batch, replace(batch, state=BatchState.LOADING, load_attempts=1), at, "load 1"
        )
        done = loaded(loading, loading.counts.curated, 0, 0)
        return self.ledger.advance(loading, done, at, "loaded")

    def now(self, batch: Batch) -> Batch:
        found = self.ledger.batch(batch.batch_id)
        assert found is not None
        return found

    def state_of(self, file: FileVersion) -> FileState:
        [found] = self.ledger.files_now([file])
        return found.state

    def submitted(self, dataset: str = DATASET) -> Batch:
        """A batch whose load is running."""
        batch = self.batch(BatchState.CURATED, dataset=dataset)
        self.handle(job_ended(job="job-logs" if dataset == DATASET else "job-tickets"))
        assert self.now(batch).state is BatchState.LOADING
        return self.now(batch)

    # -- a job run's work on rows, without Spark -------------------------------------------------------

    def curate(
        self,
        batch: Batch,
        rows: Mapping[str, int] | int = 1,
        bad: Mapping[str, str] | None = None,
        verdict: GateReport | None = None,
    ) -> Batch:
        """Curate a claimed batch like a run; returns it in its new state.

        Each file holds `rows` records, given by key or one number for all; each record is curated; those in `bad` are
        unreadable. The staged Parquet contains only the file's identity.
        """
        curation = Curation(self.job_context, contract(batch.dataset), batch)
        reasons = {key: ReasonText(reason) for key, reason in (bad or {}).items()}
        counts = {f.key: rows if isinstance(rows, int) else rows.get(f.key, 0) for f in curation.files}
        curation.check(
            {
                number: Checked(number, 0 if f.key in reasons else counts[f.key], bad=reasons.get(f.key))
                for number, f in enumerate(curation.files)
            }
        )
        readable = [f for source in source_names(batch.dataset) for _, f, _ in curation.readable(source)]
        for file in readable:
            name = f"{curation.data_prefix}dt={file.dt}/part-{file.file_id}.parquet"
            self.objects.put(self.lake.bucket, name, f"{file.version_id} {counts[file.key]}".encode())
        # Spark writes a file even without rows.
        self.objects.put(self.lake.bucket, f"{curation.rejects_prefix}part-0.parquet", b"rejects")
        append = contract(batch.dataset).append
        if append:
            name = f"{curation.row_references_prefix}part-0.parquet"
            self.objects.put(self.lake.bucket, name, f"{len(curation.usable)} row references".encode())
        written = Written(
            curated={(f.key, f.version_id): counts[f.key] for f in readable},
            duplicates={},
            rejects={},
            row_references=len(curation.usable) if append else 0,
        )
        return curation.finish(written, lambda counts: verdict or a_report())[0]

    # -- what is in the lake ---------------------------------------------------------------------------

    def left(self) -> set[str]:
        """The keys of all objects in the lake except withdrawn manifests, which name no file."""
        bucket = self.lake.bucket
        return {
            key
            for key in self.objects.sizes(bucket, "")
            if not is_manifest(key) or self.objects.get_json(bucket, key)["entries"]
        }

    def visible(self) -> dict[str, bytes | None]:
        """The published objects by key: curated files, manifests that name files, row references."""
        keys = sorted(key for key in self.left() if key.startswith(("curated/", "manifests/", "vouchers/")))
        return {key: self.objects.body(self.lake.bucket, key) for key in keys}

    def by_manifest(self) -> dict[str, dict[str, bytes | None]]:
        """The files by key of each manifest that names any; None for a missing file."""
        bucket = self.lake.bucket
        manifests = sorted(filter(is_manifest, self.left()))
        return {
            manifest: {
                key: self.objects.body(bucket, key)
                for key in keys_in_manifest(self.objects.get_json(bucket, manifest), self.lake)
            }
            for manifest in manifests
        }

    def withdrawn(self, manifest: str) -> list[str] | None:
        """The keys that a withdrawn manifest named; None for another manifest."""
        stored = self.objects.get_json(self.lake.bucket, manifest)
        if stored is None or stored["entries"]:
            return None
        keys: list[str] = stored["withdrawn"]
        return keys


def is_manifest(key: str) -> bool:
    """Whether an object of the lake is a manifest, of rows or of row references."""
    return key.startswith(("manifests/", "vouchers/")) and key.endswith(".json")
