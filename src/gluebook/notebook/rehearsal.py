"""`python -m gluebook.notebook.rehearsal --dataset NAME ...`: let a Java do once what a job run will do.

A laptop AWS runs this with a job's arguments before the job's first run, which then finds classes loaded and plans
compiled. The notebook's own cells, the writing and the gate work on generated records in a folder; there is no AWS.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from gluebook.contracts import Contract, contract
from gluebook.core.keys import raw_key
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.states import BatchState
from gluebook.deployment.build import project_root
from gluebook.job.counting import Written
from gluebook.job.lake_files import LakeFiles
from gluebook.job.runtime import spark_session
from gluebook.job.stored_rows import StoredRows
from gluebook.job.writing import Staging, write_rows
from gluebook.notebook.planning import run_job_cells
from gluebook.quality.gate import run_gate
from gluebook.quality.suites import load_suites
from gluebook.sample import Request, generate
from gluebook.sources import sources_of
from gluebook.sources.framing import Framer
from gluebook.sources.model import Source
from gluebook.sources.reading import ParsedRecord, parsed
from gluebook.transforms.frames import Part, Records, records_schema

_AT = "2026-01-05T10:00:00.000Z"
_RECORDS = 50


def rehearse(dataset: str, notebook: Path, spark: SparkSession) -> dict[str, Written]:
    """Run the job notebook once for each source of the dataset; what was written, by source.

    Raises what the notebook raises.
    """
    done: dict[str, Written] = {}
    for source in sources_of(dataset):
        with tempfile.TemporaryDirectory(prefix="gluebook-rehearsal-") as folder:
            run = _Rehearsal(spark, source, Path(folder))
            with closing(run), redirect_stdout(io.StringIO()):
                run_job_cells(notebook, run)
            done[source.name] = run.written
    return done


class _Rehearsal:
    """Stands in for the `BatchRun` that a notebook drives: one file of one source, a folder instead of S3."""

    def __init__(self, spark: SparkSession, source: Source, folder: Path) -> None:
        self.contract: Contract = source.contract
        self.spark = spark
        self.pseudonym_key = "no key"
        self._source = source
        self._file = _file(source)
        self._lake = LakeFiles(spark, _Folder(folder), "lake")
        self._records = _records(source, self._file)
        self._kept = 0
        self.written = Written({}, {}, {})

    def records(self) -> Records:
        """The plan of a batch with one object in its inbox."""
        stored = StoredRows(self._lake, "rows-")
        part = Part(self._source, self.spark.range(0, 1, 1, 1), _Given(self._records), store=stored)
        return Records(self.contract, (part,))

    def keep(self, df: DataFrame) -> DataFrame:
        self._kept += 1
        return self._lake.keep(df, f"kept-{self._kept}/")

    def finish(self, kept: DataFrame, rejects: DataFrame) -> str:
        """Write, count and validate; what comes out is no matter."""
        staging = Staging("data/", "rejects/", "row-references/")
        count = self._records.num_rows
        self.written = write_rows(
            self._lake, self.contract, staging, kept, rejects, records=count, files=[self._file]
        )
        curated = sum(self.written.curated.values())
        run_gate(
            self.spark,
            self._lake.read(staging.data).drop("dt") if curated else None,
            self.contract,
            load_suites(self.contract),
            batch=Batch("rehearsal", self.contract.name, BatchState.CLAIMED, "rehearsal", 1, 0, 1, _AT),
            files=1,
            counts=Counts(count, curated, 0, count - curated),
            arrived=self._file.dt,
            at=_AT,
        )
        return "rehearsed"

    def close(self) -> None:
        self._lake.close()


@dataclass(frozen=True)
class _Folder:
    """S3, as far as the lake's Parquet goes."""

    root: Path

    def sizes(self, bucket: str, prefix: str) -> dict[str, int]:
        files = (path for path in (self.root / bucket / prefix).rglob("*") if path.is_file())
        return {path.relative_to(self.root / bucket).as_posix(): path.stat().st_size for path in files}

    def upload(self, path: Path, bucket: str, key: str) -> None:
        target = self.root / bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)

    def download(self, bucket: str, key: str, path: Path) -> None:
        shutil.copy(self.root / bucket / key, path)


@dataclass(frozen=True)
class _Given:
    """What reads the inbox in a job run: these records, whatever it is asked for."""

    records: pa.RecordBatch

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield self.records


def _file(source: Source) -> FileVersion:
    dataset, dt = source.contract.name, _AT[:10]
    key = raw_key(dataset, source.name, date.fromisoformat(dt), "rehearsal")
    return FileVersion("rehearsal", "raw", key, "1", 1, "1", dataset, source.name, dt, _AT)


def _records(source: Source, file: FileVersion) -> pa.RecordBatch:
    """Generated records of a source, if there are any, and what gives a copy and a reject."""
    sample = generate(Request(tickets=_RECORDS, log_lines=_RECORDS, days=1)).files
    bodies = (one.body for one in sample if (one.dataset, one.source) == (file.dataset, file.source))
    body = next(bodies, b"")
    found = list(parsed(Framer(io.BytesIO(body), source.layout), source)) if body else []
    rows = [
        {
            "_source_record": record.number,
            "_source_file": file.key,
            "_source_version": file.version_id,
            "_batch_id": "rehearsal",
            "dt": file.dt,
            "_raw": record.raw,
            "_problem": record.problem,
            **record.fields,
        }
        # One is there twice and one lacks everything: copies and rejects have steps of their own.
        for record in (*found, *found[:1], ParsedRecord(0, "", None, {}))
    ]
    return pa.RecordBatch.from_pylist(rows, to_arrow_schema(records_schema(source)))


def main() -> None:
    """Rehearse the job whose arguments these are."""
    dataset = sys.argv[sys.argv.index("--dataset") + 1]
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    notebook = project_root() / "notebooks" / "jobs" / f"{contract(dataset).name}.ipynb"
    rehearse(dataset, notebook, spark_session(f"rehearsal of {dataset}"))


if __name__ == "__main__":
    main()
