"""What the pipeline reads though it may be missing: under the deployed roles it is missing, never forbidden.

S3 answers a missing key with AccessDenied unless the caller may list it. These tests run the real steps with the real
adapters under the real template's policies; only the work on rows, which needs Spark, is left out.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from fakes import a_report
from fakes.checking import check_here
from gluebook.aws.ledger import Ledger
from gluebook.aws.objects import Objects
from gluebook.clock import utc_now
from gluebook.contracts import CONTRACTS, contract
from gluebook.core.keys import Lake, raw_key
from gluebook.core.loading import loaded
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import BatchState
from gluebook.core.timestamps import utc_timestamp
from gluebook.job.claim import Claimant
from gluebook.job.context import JobContext
from gluebook.job.counting import Written
from gluebook.job.curate import Curation, next_batch
from gluebook.operations.register import new_file_version, register
from gluebook.operations.status import overview
from gluebook.sources import source_names
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW
from infra.roles_kit import Pipeline, pipeline

__all__ = ["pipeline"]
DATASETS = sorted(CONTRACTS)
ROLES = {dataset: f"job-{dataset.replace('_', '-')}" for dataset in DATASETS}
SOURCES = {"app_logs": "mongod", "support_tickets": "servicenow"}
# A file of each dataset's source that holds one record.
BODIES = {
    "app_logs": b'{"msg": "one"}\n',
    "support_tickets": f"{','.join(SERVICENOW.columns)}\n{','.join(SERVICENOW.columns)}\n".encode(),
}


class Life:
    """One dataset's file versions on their way through job runs and loads, each step under its own role."""

    def __init__(self, pipeline: Pipeline, dataset: str) -> None:
        self.pipeline, self.dataset = pipeline, dataset
        self.lake = Lake(pipeline.lake)
        self.operator = self._ledger("deployer")

    def _ledger(self, actor: str) -> Ledger:
        return Ledger(self.pipeline.outputs["LedgerTable"], actor)

    def send(self, name: str) -> FileVersion:
        """An object in the raw bucket, registered."""
        key = raw_key(self.dataset, SOURCES[self.dataset], utc_now().date(), name)
        body = BODIES[self.dataset]
        put = self.pipeline.client("s3").put_object(Bucket=self.pipeline.raw, Key=key, Body=body)
        file = new_file_version(self.pipeline.raw, key, put["VersionId"], len(body), "1", utc_now())
        with self.pipeline.acting("admit"):
            register(file, self._ledger("admit"), "test")
        return file

    def delete_version(self, file: FileVersion) -> None:
        self.pipeline.client("s3").delete_object(Bucket=file.bucket, Key=file.key, VersionId=file.version_id)

    def run(self) -> Batch:
        """A job run on what waits, up to the published batch."""
        with self.pipeline.acting(ROLES[self.dataset]):
            objects = Objects()
            context = JobContext(self._ledger("jr_1"), objects, self.lake, utc_now)
            batch = next_batch(context, Claimant(self.dataset, "jr_1", most_bytes=10**9, lease_seconds=600))
            assert batch is not None
            work = Curation(context, contract(self.dataset), batch)
            work.check(check_here(objects, work.files, self.pipeline.lake, work.inbox))
            names = source_names(self.dataset)
            readable = [file for name in names for _, file, _ in work.readable(name)]
            for prefix in (
                f"{work.data_prefix}dt=2026-01-05/",
                work.rejects_prefix,
                work.row_references_prefix,
            ):
                objects.put_text(self.lake.bucket, f"{prefix}part-0.parquet", "rows", "text/plain")
            written = Written({(file.key, file.version_id): 1 for file in readable}, {}, {})
            done, _ = work.finish(written, lambda counts: a_report())
            return done

    def load(self, batch: Batch) -> None:
        """What the load function notes once the warehouse has the batch."""
        with self.pipeline.acting("load"):
            ledger, at = self._ledger("load"), utc_timestamp(utc_now())
            loading = ledger.advance(
                batch, replace(batch, state=BatchState.LOADING, load_attempts=1), at, "load"
            )
            ledger.advance(loading, loaded(loading, loading.counts.curated, 0, 0), at, "loaded")

    def states(self) -> dict[str, tuple[str, str]]:
        """State and reason of each file, by its name, as an operator sees them."""
        seen = overview(self.operator, Objects(), self.lake)
        mine = [file for file in seen.files if file.dataset == self.dataset]
        return {
            file.key.rpartition("/")[2]: (file.state, (file.reason or "").partition(":")[0]) for file in mine
        }


@pytest.fixture(autouse=True)
def _operator(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in pipeline.aws.endpoint.environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_replay_of_files_of_which_one_was_deleted_loads_the_others(
    pipeline: Pipeline, dataset: str
) -> None:
    life = Life(pipeline, dataset)
    files = [life.send(name) for name in ("one", "two", "three")]
    batch = life.run()
    life.load(batch)
    assert set(life.states().values()) == {("LOADED", "")}
    life.delete_version(files[1])
    at = utc_timestamp(utc_now())
    reopened = life.operator.reopen(life.operator.confirm(batch_now(life, batch)), at, "replay")
    assert reopened is not None
    again = life.run()
    assert (again.state, again.generation) == (BatchState.CURATED, 2)
    life.load(again)
    assert life.states() == {
        "one": ("LOADED", ""),
        "two": ("FAILED", "version_gone"),
        "three": ("LOADED", ""),
    }
    assert pipeline.denied(ROLES[dataset]) == set()


def batch_now(life: Life, batch: Batch) -> Batch:
    found = life.operator.batch(batch.batch_id)
    assert found is not None
    return found


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_batch_that_is_divided_or_whose_plan_is_gone_is_brought_to_its_end(
    pipeline: Pipeline, dataset: str
) -> None:
    life = Life(pipeline, dataset)
    life.send("four"), life.send("five")
    with pipeline.acting(ROLES[dataset]):
        objects, ledger = Objects(), life._ledger("jr_1")
        context = JobContext(ledger, objects, life.lake, utc_now)
        who = Claimant(dataset, "jr_1", most_bytes=10**9, lease_seconds=0)
        batch = next_batch(context, who)
        assert batch is not None
        plan = f"{life.lake.staging(batch.batch_id, batch.epoch)}plan.json"
        planned = replace(batch, state=BatchState.PUBLISHING, plan=plan)
        ledger.advance(batch, planned, utc_timestamp(utc_now()), "its plan is gone")
        # The run that follows finds no plan, divides the batch, and takes up one of the halves.
        half = next_batch(context, Claimant(dataset, "jr_2", most_bytes=10**9, lease_seconds=600))
    assert batch_now(life, batch).state is BatchState.DIVIDED
    assert half is not None
    assert (half.parent, half.files) == (batch.batch_id, 1)
    assert pipeline.denied(ROLES[dataset]) == set()


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_single_read_of_what_may_be_missing_says_so(pipeline: Pipeline, dataset: str) -> None:
    life, batch = Life(pipeline, dataset), f"{dataset}-20260105-none"
    only, first, last = life.send("only"), life.send("several"), life.send("several")
    life.delete_version(only)
    life.delete_version(first)
    lake = life.lake
    with pipeline.acting(ROLES[dataset]):
        objects = Objects()
        for key in (
            f"{lake.staging(batch, 1)}plan.json",
            *(
                place(dataset, batch, n)
                for n in (1, 2)
                for place in (lake.manifest, lake.row_references_manifest)
            ),
        ):
            assert objects.get_json(lake.bucket, key) is None
        for prefix in (lake.inbox(batch, 1), lake.staging(batch, 1), lake.quarantine(dataset, batch)):
            assert objects.sizes(lake.bucket, prefix) == {}
        for place in ("inbox/", "staging/"):
            assert f"{place}{batch}" not in objects.folders(lake.bucket, f"{place}{dataset}-")
        for file in (only, first):
            with pytest.raises(FileNotFoundError):
                objects.open_version(file.bucket, file.key, file.version_id)
        assert objects.open_version(last.bucket, last.key, last.version_id).read() == BODIES[dataset]
        # A staged file that whoever took the batch over has swept up.
        with pytest.raises(ClientError) as gone:
            objects.copy(
                lake.bucket, f"{lake.staging(batch, 1)}data/a", lake.curated_file(dataset, "x", batch, 0)
            )
        assert gone.value.response["Error"]["Code"] == "404"
    assert pipeline.denied(ROLES[dataset]) == set()


@pytest.mark.parametrize("dataset", DATASETS)
def test_what_spark_asks_of_s3_on_aws_while_it_writes_and_reads_is_answered(
    pipeline: Pipeline, dataset: str
) -> None:
    """AWS Glue 5.1 reads and writes s3:// by Hadoop's S3A ("Migrating AWS Glue for Spark jobs to AWS Glue 5.1").

    The requests are those of S3AFileSystem's getFileStatus (HEAD, then a listing), mkdirs, delete and of Spark's
    FileStreamSink (`_spark_metadata`). What S3A asks of the ancestors above a batch's own folder may be refused:
    MkdirOperation skips its checks then.
    """
    s3 = pipeline.client("s3", ROLES[dataset])
    folder = f"staging/{dataset}-20260105-spark/1/data"

    def head(key: str) -> str:
        try:
            s3.head_object(Bucket=pipeline.lake, Key=key)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "200"

    def listed(folder: str) -> int:
        found = s3.list_objects_v2(Bucket=pipeline.lake, Prefix=f"{folder}/", MaxKeys=2, Delimiter="/")
        return int(found["KeyCount"])

    ancestors = [folder, folder.rpartition("/")[0], folder.rpartition("/")[0].rpartition("/")[0]]
    probes = [*ancestors, f"{folder}/_temporary/0", f"{folder}/_spark_metadata", f"{folder}/dt=2026-01-05"]
    assert {(head(probe), listed(probe)) for probe in probes} == {("404", 0)}
    marker, part = f"{folder}/_temporary/0/", f"{folder}/_temporary/0/part-00000.parquet"
    s3.put_object(Bucket=pipeline.lake, Key=marker, Body=b"")
    s3.put_object(Bucket=pipeline.lake, Key=part, Body=b"rows")
    s3.copy_object(
        Bucket=pipeline.lake,
        Key=f"{folder}/part-00000.parquet",
        CopySource={"Bucket": pipeline.lake, "Key": part},
    )
    gone = s3.delete_objects(
        Bucket=pipeline.lake, Delete={"Objects": [{"Key": key} for key in (marker, part)], "Quiet": True}
    )
    assert gone.get("Errors", []) == []
    assert (head(f"{folder}/part-00000.parquet"), listed(folder)) == ("200", 1)
    assert pipeline.denied(ROLES[dataset]) == set()
