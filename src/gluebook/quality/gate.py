"""The gate: Great Expectations suites on the written Parquet, before anything of it is published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from gluebook.contracts import Contract
from gluebook.core.model import Batch, Counts
from gluebook.quality.engine import Engine, run_suite
from gluebook.quality.numbers import batch_numbers
from gluebook.quality.report import MOST_EXAMPLES, Example, GateReport, Outcome
from gluebook.quality.suites import Suites, columns_of
from gluebook.quality.violations import violation

# Below both a batch is checked with pandas, because Spark would take longer to plan than to run. Rows, and bytes of
# Parquet, which take about ten times as much memory.
SMALL_ROWS = 200_000
SMALL_BYTES = 64 << 20
_LONGEST_EXAMPLE = 200


class Staged:
    """The rows of a batch as they were written, with the columns and types of the files.

    `spark`: as Spark reads them. `files`: local copies of a small batch, which pandas reads.
    """

    def __init__(self, spark: DataFrame, contract: Contract, files: Sequence[Path] = ()) -> None:
        self.spark = spark
        self.contract = contract
        self.engine: Engine = "pandas" if files else "spark"
        self._files = files

    def check(self, suites: Suites) -> tuple[list[Outcome], datetime | None]:
        """The outcomes of the suite of rows, with examples of what fails, and the time of the newest row."""
        frame = self._pandas() if self.engine == "pandas" else self.spark
        outcomes = run_suite(frame, suites.rows, self.engine)
        return [self._with_examples(outcome) for outcome in outcomes], self._newest(frame)

    def _pandas(self) -> Any:
        from gluebook.quality.frames import read_frame  # slow to import

        return read_frame(self._files)

    def _newest(self, frame: Any) -> datetime | None:
        name = self.contract.moment
        if name not in frame.columns:
            return None  # an expectation reports it
        if self.engine == "spark":
            found = frame.agg(F.max(name).cast("timestamp")).first()[0]
            return found if isinstance(found, datetime) else None
        newest = frame[name].max()
        return newest.to_pydatetime() if hasattr(newest, "to_pydatetime") and newest == newest else None

    def _with_examples(self, outcome: Outcome) -> Outcome:
        condition = violation({"type": outcome.expectation, "kwargs": dict(outcome.kwargs)})
        if outcome.passed or condition is None or not outcome.unexpected_rows:
            return outcome
        return replace(outcome, examples=tuple(self._examples(condition, columns_of(dict(outcome.kwargs)))))

    def _examples(self, condition: str, columns: Iterable[str]) -> Iterable[Example]:
        """The first examples by file and record, so that the same batch shows the same rows."""
        place = ("_source_file", "_source_version", "_source_record")
        shown = [n for n in dict.fromkeys((*self.contract.key, *columns, *place)) if n in self.spark.columns]
        breaking = self.spark.withColumn("_breaks", F.expr(condition)).where("_breaks")
        texts = (
            breaking.orderBy(*(n for n in place if n in shown))
            .limit(MOST_EXAMPLES)
            .select(
                *(F.substring(F.col(f"`{n}`").cast("string"), 1, _LONGEST_EXAMPLE).alias(n) for n in shown)
            )
        )
        return [row.asDict() for row in texts.collect()]


def run_gate(
    staged: Staged | None,
    suites: Suites,
    *,
    batch: Batch,
    files: int,
    counts: Counts,
    arrived: str | None,
    at: str,
) -> GateReport:
    """Run both suites on a batch.

    `staged`: None if there is no curated row; then only the batch's numbers are checked. `files`: the number of files
    that were read; `arrived`: their last date of arrival, YYYY-MM-DD. Raises ContractError.
    """
    import pandas as pd

    outcomes, newest = staged.check(suites) if staged else ([], None)
    numbers = pd.DataFrame([batch_numbers(files, counts, newest, arrived)])
    return GateReport(
        dataset=batch.dataset,
        batch_id=batch.batch_id,
        generation=batch.generation,
        engine=staged.engine if staged else "none",
        checked_at=at,
        rows=counts.curated,
        files=files,
        counts=counts,
        newest_at=newest,
        outcomes=(*outcomes, *run_suite(numbers, suites.batch, "pandas")),
    )
