"""Job notebooks, planned by Spark on no records: columns, types and SQL fit together before there is a file.

Spark starts for this, and nothing is read or written.
"""

from __future__ import annotations

import builtins
import io
import traceback
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from gluebook.contracts import Contract, contract
from gluebook.job.row_references import row_references
from gluebook.notebook.cells import read_notebook
from gluebook.notebook.problems import Problem
from gluebook.sources import sources_of
from gluebook.transforms.frames import Part, Records, records_schema
from gluebook.transforms.verbs import conform, rejects_table


def plan(path: Path, spark: SparkSession) -> list[Problem]:
    """The first thing that Spark refuses of the job notebook at `path`, or of what it hands to `run.finish`."""
    try:
        run = _NoRecords(contract(path.stem), spark)
        try:
            with redirect_stdout(io.StringIO()):
                run_job_cells(path, run)
        finally:
            for frame in run.kept:
                frame.unpersist()
    except Exception as error:  # noqa: BLE001 - a source that can't be, a cell that fails, whatever Spark says
        return [_problem(path.name, error)]
    if not run.finished:
        return [
            Problem(path.name, 0, 0, "no job cell calls run.finish(kept, rejects)", "let the last one do so")
        ]
    return []


def run_job_cells(path: Path, run: object) -> None:
    """Run the parameters and job cells of the notebook at `path`, whose `BatchRun.start` gives `run`."""
    names: dict[str, Any] = {"__builtins__": {**vars(builtins), "__import__": _importing(run)}}
    for cell in read_notebook(path).of_role("parameters", "job"):
        source = "\n" * (cell.line - 1) + cell.source
        exec(compile(source, f"{path.name}, cell {cell.number}", "exec"), names)  # noqa: S102 - as the job does


@dataclass
class _NoRecords:
    """Stands in for the `BatchRun` that a notebook drives: every source has records, of which there are none."""

    contract: Contract
    spark: SparkSession
    pseudonym_key: str = "no key"
    finished: bool = False
    kept: list[DataFrame] = field(default_factory=list)

    def records(self) -> Records:
        """Empty frames. Spark doesn't know that when it plans, or it would leave everything out."""
        sources = sources_of(self.contract.name)
        parts = (Part.of(each, self.spark.createDataFrame([], records_schema(each))) for each in sources)
        return Records(self.contract, tuple(parts))

    def keep(self, df: DataFrame) -> DataFrame:
        """A frame that ends a plan, as in the job: what follows would multiply what it takes to plan it."""
        self.kept.append(df.persist())
        return self.kept[-1]

    def finish(self, kept: DataFrame, rejects: DataFrame) -> str:
        """Plan what the job would write."""
        conform(kept.where("_copy = 1"), self.contract).explain()
        rejects_table(rejects, self.contract.name).explain()
        if self.contract.append:
            row_references(self.spark, self.contract, [], kept).explain()
        self.finished = True
        return "planned"


def _importing(run: object) -> Any:
    """An `import` for which `gluebook.job.run` is a module whose `BatchRun.start` gives `run`."""
    stand_in = SimpleNamespace(BatchRun=SimpleNamespace(start=lambda **_: run))

    def importing(
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        names: Sequence[str] = (),
        level: int = 0,
    ) -> Any:
        if name == "gluebook.job.run":
            return stand_in
        return builtins.__import__(name, globals_, locals_, names, level)

    return importing


def _problem(notebook: str, error: Exception) -> Problem:
    """The error, at the last line of the notebook's own that it came through."""
    told = str(error).strip() or type(error).__name__
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(f"{notebook}, cell ")
    ]
    what = f"planned on no records, it fails: {told.splitlines()[0]}"
    if not frames:
        return Problem(notebook, 0, 0, what)
    return Problem(notebook, int(frames[-1].filename.rpartition(" ")[2]), frames[-1].lineno or 0, what)
