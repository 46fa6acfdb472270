"""The job notebooks' own cells on records that didn't come through AWS: what is tested is what is deployed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from gluebook.contracts import Contract
from gluebook.notebook.planning import run_job_cells
from gluebook.sources.model import Source
from gluebook.transforms.frames import Part, Records

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks" / "jobs"


@dataclass
class FakeRun:
    """Stands in for `BatchRun`: gives records that are there already, keeps what `finish` is handed."""

    spark: SparkSession
    contract: Contract
    batch: Records
    pseudonym_key: str = "a key"
    kept: DataFrame | None = None
    rejects: DataFrame | None = None

    def records(self) -> Records:
        return self.batch

    def keep(self, df: DataFrame) -> DataFrame:
        # As the real one does: what is computed already stays out of the plans of what follows.
        return df.cache()

    def finish(self, kept: DataFrame, rejects: DataFrame) -> str:
        self.kept, self.rejects = kept.cache(), rejects.cache()
        return "finished"


def run_notebook(spark: SparkSession, source: Source, records: DataFrame) -> FakeRun:
    """Execute the job cells of the notebook of `source`'s dataset, in order, on `records` of that source."""
    dataset = source.contract.name
    run = FakeRun(spark, source.contract, Records(source.contract, (Part.of(source, records),)))

    run_job_cells(NOTEBOOKS / f"{dataset}.ipynb", run)
    return run
