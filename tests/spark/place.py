"""The deployed notebooks on a lasting Spark session, the load on PostgreSQL; S3, ledger and queue in memory."""

from __future__ import annotations

import io
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from chaos.redshift import Redshift
from chaos.warehouse import OK, ChaosWarehouse
from fakes.checking import check_here
from fakes.pipeline import RAW, Pipeline, job_ended
from gluebook.aws.ports import ObjectsPort
from gluebook.contracts import contract
from gluebook.core.events import StatementEnded
from gluebook.core.keys import file_id
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import BatchState
from gluebook.core.versions import order_of_event
from gluebook.job.counting import Checked
from gluebook.job.curate import next_batch
from gluebook.job.inbox import InboxReader
from gluebook.job.run import BatchRun
from gluebook.notebook.planning import run_job_cells
from gluebook.sources.model import Source
from gluebook.transforms.frames import Part, records_schema
from spark.pipelines import NOTEBOOKS

JOBS = {"app_logs": "job-logs", "support_tickets": "job-tickets"}


class ParquetWarehouse(ChaosWarehouse):
    """COPY reads what Spark has written."""

    def _copied(self, uri: str) -> list[list[Any]]:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        rows: list[list[Any]] = []
        for entry in self._objects.get_json(bucket, key)["entries"]:
            body = self._objects.body(bucket, entry["url"].removeprefix(f"s3://{bucket}/"))
            assert body is not None and len(body) == entry["meta"]["content_length"]
            table = pq.read_table(io.BytesIO(body))
            rows += [list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]
        return rows


@dataclass
class Place:
    """Files arrive, runs work on them, loads bring them into the warehouse."""

    spark: SparkSession
    redshift: Redshift

    def __post_init__(self) -> None:
        self.empty()

    def empty(self) -> None:
        """From the beginning, without a file and without a row."""
        self.redshift.empty()
        self.pipeline = Pipeline()
        self.warehouse = ParquetWarehouse(self.redshift, self.pipeline.objects, lambda submitted: None)
        self.pipeline.warehouse = self.warehouse  # type: ignore[assignment]

    def arrive(self, dataset: str, source: str, dt: str, name: str, body: bytes) -> str:
        """A file is registered; its key."""
        key = f"{dataset}/{source}/dt={dt}/{name}"
        version = self.pipeline.objects.put(RAW, key, body)
        at = "2026-01-05T10:00:00.000Z"
        file = FileVersion(
            file_id=file_id(RAW, key, version),
            bucket=RAW,
            key=key,
            version_id=version,
            size=len(body),
            order=order_of_event("0A"),
            dataset=dataset,
            source=source,
            dt=dt,
            registered_at=at,
            waiting_since=at,
        )
        self.pipeline.ledger.register(file, "test")
        return key

    def run(self, dataset: str) -> Batch:
        """One job run, the exported cells and all, and the load of what it published; the batch as it is then."""
        batch_id = self._curate(dataset)
        self.pipeline.handle(job_ended(job=JOBS[dataset]))
        while self.warehouse.waiting:
            submitted = self.warehouse.waiting[0]
            self.warehouse.play(submitted, OK)
            self.pipeline.handle(StatementEnded(submitted.statement_id, submitted.name, "FINISHED"))
        found = self.pipeline.ledger.batch(batch_id)
        assert found is not None and found.state is BatchState.LOADED, found
        assert self.pipeline.ledger.verdicts(dataset) == []
        return found

    def _curate(self, dataset: str) -> str:
        context = self.pipeline.job_context
        batch = next_batch(context, self.pipeline.claimant("jr_0", dataset))
        assert batch is not None
        run = BatchRun(
            contract=contract(dataset),
            spark=self.spark,
            context=context,
            pseudonym_key="a key",
            batch=batch,
            lease=None,
        )
        with files_here(), patch("gluebook.job.check.Objects", lambda: self.pipeline.objects):
            run._check()
            with patch("gluebook.job.inbox.Objects", lambda: self.pipeline.objects):
                run_job_cells(NOTEBOOKS / f"{dataset}.ipynb", run)
        return batch.batch_id


def files_here() -> ExitStack:
    """Files are checked and the inbox is read in this process, which alone knows where its objects are."""

    def check_files(
        spark: SparkSession, objects: ObjectsPort, files: list[FileVersion], bucket: str, inbox: str
    ) -> dict[int, Checked]:
        return check_here(objects, files, bucket, inbox)

    def inbox_part(spark: SparkSession, of: Source, read: InboxReader) -> Part:
        places = pa.RecordBatch.from_pydict({"id": range(len(read.keys))})
        rows = [tuple(row.values()) for batch in read([places]) for row in batch.to_pylist()]
        return Part.of(of, spark.createDataFrame(rows, records_schema(of)))

    stack = ExitStack()
    stack.enter_context(patch("gluebook.job.run.check_files", check_files))
    stack.enter_context(patch("gluebook.job.run.inbox_part", inbox_part))
    return stack
