"""`gluebook lint` lets Spark plan the job notebooks: what would fail in the first run is told before."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from gluebook.contracts import CONTRACTS
from gluebook.notebook.planning import plan
from spark.pipelines import NOTEBOOKS


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_the_projects_notebooks_can_be_planned_and_say_nothing(
    spark: SparkSession, capsys: pytest.CaptureFixture[str], dataset: str
) -> None:
    assert plan(NOTEBOOKS / f"{dataset}.ipynb", spark) == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "case when resolved_at >= opened_at",
            "case when resolved_at >= openend_at",
            "cell 23, line 2: planned on no records, it fails: [UNRESOLVED_COLUMN.WITH_SUGGESTION]",
        ),
        (
            "end as minutes_to_resolve",
            "end as minutes",
            "cell 32, line 1: planned on no records, it fails: [UNRESOLVED_COLUMN.WITH_SUGGESTION]",
        ),
        (
            "typed = renamed.apply(verbs.normalise_types)",
            "typed = renamed.apply(verbs.normalise_type)",
            "cell 16, line 1: planned on no records, it fails: module 'gluebook.transforms.verbs' has no attribute",
        ),
        ("summary = run.finish(kept, rejects)", "summary = 'nothing'", "no job cell calls run.finish"),
    ],
)
def test_what_does_not_fit_is_told_with_cell_and_line(
    spark: SparkSession, tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = (NOTEBOOKS / "support_tickets.ipynb").read_text(encoding="utf-8")
    assert text.count(old) == 1
    copy = tmp_path / "support_tickets.ipynb"
    copy.write_text(text.replace(old, new), encoding="utf-8")
    [problem] = plan(copy, spark)
    assert told in str(problem)


def test_a_notebook_of_no_dataset_is_told_so(spark: SparkSession, tmp_path: Path) -> None:
    copy = tmp_path / "invoices.ipynb"
    copy.write_bytes((NOTEBOOKS / "app_logs.ipynb").read_bytes())
    [problem] = plan(copy, spark)
    assert "no dataset 'invoices'" in str(problem)
