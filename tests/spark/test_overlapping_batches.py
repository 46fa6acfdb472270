"""Files that overlap, one a batch: what a batch's duplicates would be is what its load supersedes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from chain.kit import real
from chaos.redshift import Redshift, open_redshift
from chaos.warehouse import OK, ChaosWarehouse
from fakes.pipeline import RAW, Pipeline, job_ended
from gluebook.core.events import StatementEnded
from gluebook.core.keys import file_id
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.states import BatchState
from gluebook.core.versions import order_of_event
from gluebook.datasets import APP_LOGS
from gluebook.job import BatchRun
from gluebook.notebook.cells import read_cells
from gluebook.steps import check
from gluebook.steps.counting import Checked
from gluebook.steps.curate import next_batch
from spark.pipelines import NOTEBOOKS

# Minutes whose files overlap, and the records of each. All of the second stand in the first.
MINUTES = {"2023-01-29/08_52": 5_381, "2023-01-29/08_53": 1_473}
REPEATS = 1_473


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
    """The job on a Spark session that lasts, the load step on PostgreSQL; S3, the ledger and the queue in memory."""

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

    def arrive(self, minute: str, source: str = "containers") -> None:
        """The file of a minute is registered."""
        day, _, name = minute.partition("/")
        body = real(f"logs/containers/{minute}_log.csv.gz").read_bytes()
        key = f"app_logs/{source}/dt={day}/{name}_log.csv.gz"
        version = self.pipeline.objects.put(RAW, key, body)
        at = "2026-01-05T10:00:00.000Z"
        file = FileVersion(
            file_id=file_id(RAW, key, version),
            bucket=RAW,
            key=key,
            version_id=version,
            size=len(body),
            order=order_of_event("0A"),
            dataset="app_logs",
            source=source,
            dt=day,
            registered_at=at,
            waiting_since=at,
        )
        self.pipeline.ledger.register(file, "test")

    def run(self) -> Batch:
        """One job run, the exported cells and all, and the load of what it published; the batch as it is then."""
        batch_id = self._curate()
        self.pipeline.handle(job_ended())
        [submitted] = self.warehouse.waiting
        self.warehouse.play(submitted, OK)
        self.pipeline.handle(StatementEnded(submitted.statement_id, submitted.name, "FINISHED"))
        found = self.pipeline.ledger.batch(batch_id)
        assert found is not None and found.state is BatchState.LOADED, found
        return found

    def contents(self) -> list[tuple[Any, ...]]:
        """What is in the table, whichever batch brought it; and which files vouch for it."""
        return self.warehouse.rows(
            "select log_id, level, service, message, occurred_at from app_logs order by 1"
        ) + self.warehouse.rows(
            "select log_id, _source_file from app_logs union all "
            "select log_id, _source_file from app_logs_echoes order by 1, 2"
        )

    def _curate(self) -> str:
        shop = self.pipeline.shop
        batch = next_batch(shop, self.pipeline.claimant("jr_0"))
        assert batch is not None
        run = BatchRun(
            contract=APP_LOGS, spark=self.spark, shop=shop, pseudonym_key="a key", batch=batch, lease=None
        )
        with self._checked_here():
            run._check()
        names: dict[str, object] = {}
        with patch("gluebook.job.BatchRun.start", lambda **_: run):
            for cell in read_cells(NOTEBOOKS / "app_logs.ipynb"):
                if cell.role in ("parameters", "job"):
                    exec(compile(cell.source, f"app_logs cell {cell.number}", "exec"), names)
        return batch.batch_id

    def _checked_here(self) -> Any:
        """Files are checked in this process, which alone knows the objects in memory."""
        objects = self.pipeline.objects

        def check_files(
            spark: SparkSession, files: list[FileVersion], bucket: str, inbox: str
        ) -> dict[int, Checked]:
            with patch.object(check, "Objects", lambda: objects):
                found = check._check_task((0, list(enumerate(files)), bucket, inbox))
            return {checked.index: checked for checked in found}

        return patch("gluebook.job.check_files", check_files)


@pytest.fixture(scope="module")
def redshift() -> Iterator[Redshift]:
    with open_redshift() as opened:
        yield opened


@pytest.fixture
def place(spark: SparkSession, redshift: Redshift) -> Place:
    return Place(spark, redshift)


def test_repeats_are_duplicates_within_a_batch_and_superseded_across_batches(place: Place) -> None:
    for minute in MINUTES:
        place.arrive(minute)
    together = place.run()
    read = sum(MINUTES.values())
    assert together.counts == Counts(read, read - REPEATS, REPEATS, 0)
    assert (together.merged, together.superseded) == (read - REPEATS, 0)
    before = place.contents()

    place.empty()
    batches = []
    for minute, records in MINUTES.items():
        place.arrive(minute)
        batches.append(place.run())
        assert batches[-1].counts == Counts(records, records, 0, 0)
    assert sum(batch.superseded for batch in batches) == REPEATS
    assert batches[1].merged == 0
    assert place.contents() == before
