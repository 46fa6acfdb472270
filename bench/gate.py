"""What the gate costs beside the job's own work on the same rows.

    python bench/gate.py [rows]

Runs on this machine: generated MongoDB records as the inbox holds them, the job notebook's own cells and the
writing of its Parquet; then the gate on that Parquet, the whole of it and its suite of rows without the search for
repeated keys. All cases run in turn in one process, several rounds; the figure of a case is the median. Prints a
Markdown table.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from gluebook.contracts.app_logs import APP_LOGS
from gluebook.core.model import Counts
from gluebook.job.runtime import spark_session
from gluebook.notebook.planning import run_job_cells
from gluebook.quality.expectation_types import UNIQUE
from gluebook.quality.gate import check_batch, check_rows
from gluebook.quality.numbers import batch_numbers
from gluebook.quality.suites import load_suites
from gluebook.sources.app_logs.mongod import SOURCE as MONGOD
from gluebook.transforms.frames import Batches, Part, Records, records_schema
from gluebook.transforms.verbs import conform

ROUNDS = 3
Work = Callable[[Batches], Batches]
NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "jobs" / "app_logs.ipynb"
ROWS_PER_FILE = 1_000_000


class Run:
    """Stands in for `BatchRun` where the notebook looks at it: gives the records, keeps what `finish` is handed."""

    def __init__(self, spark: SparkSession, records: DataFrame) -> None:
        self.spark, self.contract, self.pseudonym_key = spark, APP_LOGS, "a key"
        self._records = Records(APP_LOGS, (replace(Part.of(MONGOD, records), store=self._store),))
        self._kept: list[DataFrame] = []
        self.result: tuple[DataFrame, DataFrame] | None = None

    def records(self) -> Records:
        return self._records

    def _store(self, df: DataFrame, work: Work, schema: pa.Schema) -> DataFrame:
        self._kept.append(
            df.mapInArrow(lambda batches: work(iter(batches)), from_arrow_schema(schema)).persist()
        )
        return self._kept[-1]

    def finish(self, kept: DataFrame, rejects: DataFrame) -> str:
        self.result = (kept, rejects)
        return "finished"

    def close(self) -> None:
        for df in self._kept:
            df.unpersist()


def make_records(spark: SparkSession, rows: int, folder: Path) -> DataFrame:
    """Parsed records, as the inbox holds them."""
    columns = {
        "_source_record": "id",
        "_source_file": "'app_logs/mongod/dt=2026-01-05/generated.jsonl'",
        "_source_version": "'1'",
        "_batch_id": "'bench'",
        "dt": "'2026-01-05'",
        "_raw": "concat('a line of about two hundred characters, ', repeat('-', 150), id)",
        "_problem": "cast(null as string)",
        "t.$date": "date_format(timestamp_seconds(1767571200 + id), \"yyyy-MM-dd'T'HH:mm:ssXXX\")",
        "s": "element_at(array('I', 'I', 'I', 'W', 'E', 'D1'), cast(id % 6 + 1 as int))",
        "c": "'NETWORK'",
        "id": "'22943'",
        "ctx": "concat('conn', id % 997)",
        "msg": "concat('Connection accepted from client number ', id)",
        "attr": "to_json(named_struct('remote', concat('10.0.1.1:', id % 60000)))",
        "attr.durationMillis": "cast(id % 1000 as string)",
    }
    schema = records_schema(MONGOD)
    chosen = [f"{columns[name]} as `{name}`" for name in schema.names]
    spark.range(rows).selectExpr(*chosen).write.parquet(str(folder))
    return spark.read.schema(schema).parquet(str(folder))


def transform(spark: SparkSession, records: DataFrame, target: Path, rows: int) -> None:
    """The notebook's job cells, and what the run writes of them."""
    run = Run(spark, records)
    with redirect_stdout(io.StringIO()):
        run_job_cells(NOTEBOOK, run)
    assert run.result is not None
    kept, rejects = run.result
    spread = F.pmod(F.hash(*APP_LOGS.key), F.lit(1 + rows // ROWS_PER_FILE))
    curated = conform(kept.where("_copy = 1"), APP_LOGS).repartition("dt", spread)
    curated.write.mode("overwrite").partitionBy("dt").parquet(str(target))
    kept.where("_copy > 1").groupBy("_source_file").count().collect()
    rejects.groupBy("_problem").count().collect()
    run.close()


def gate(written: DataFrame, leave_out: str = "") -> None:
    """The suites of rows and of the batch's numbers, without expectations of the type `leave_out`."""
    suites = load_suites(APP_LOGS)
    kept = [one for one in suites.rows["expectations"] if one["type"] != leave_out]
    outcomes, newest = check_rows(written, APP_LOGS, {**suites.rows, "expectations": kept})
    numbers = batch_numbers(1, Counts(1, 1), newest, "2026-01-05")
    outcomes += check_batch(written.sparkSession, numbers, suites.batch)
    failed = [outcome for outcome in outcomes if not outcome.passed and outcome.severity == "critical"]
    assert not failed, failed


def timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main(rows: int) -> None:
    spark = spark_session("bench")
    with tempfile.TemporaryDirectory(prefix="gluebook-bench-") as folder:
        records = make_records(spark, rows, Path(folder) / "records")
        target = Path(folder) / "curated"
        transform(spark, records, target, rows)
        written = spark.read.parquet(str(target)).drop("dt")
        cases: dict[str, Callable[[], None]] = {
            "the job's own work": lambda: transform(spark, records, Path(folder) / "again", rows),
            "the gate": lambda: gate(written),
            "the gate without uniqueness": lambda: gate(written, UNIQUE),
        }
        seconds: dict[str, list[float]] = {name: [] for name in cases}
        for number in range(ROUNDS + 1):
            for name, work in cases.items():
                took = timed(work)
                if number:  # the first one warms up
                    seconds[name].append(took)
        print(report(rows, seconds))
    spark.stop()


def report(rows: int, seconds: dict[str, list[float]]) -> str:
    """The Markdown table; the ratio is to the first case."""
    own = statistics.median(next(iter(seconds.values())))
    lines = [
        f"{rows:,} log rows, medians of {ROUNDS} rounds on {sys.platform}:",
        "",
        "| | seconds | ratio |",
        "|---|---|---|",
    ]
    for name, found in seconds.items():
        middle = statistics.median(found)
        lines.append(f"| {name} | {middle:.1f} | {middle / own:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("rows", type=int, nargs="?", default=2_000_000)
    main(arguments.parse_args().rows)
