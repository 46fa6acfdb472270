"""What a notebook shows, and what of it the page takes over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.errors import NotebookError
from gluebook.notebook.deployed import filled, notebook_defaults, report_defaults
from gluebook.notebook.execute import declared
from gluebook.report.history import Summary
from gluebook.report.outputs import SectionOutput, SummaryOutput, executed
from notebook_kit import Cell, code, prose, write

ROOT = Path(__file__).parents[2]
SUMMARY = Summary(
    "2026-01-05", "yes", "", "2026-01-05T18:30:00Z", ("all is well",), 3, batches=(("app_logs", "b"),)
)


def showing(*shown: dict[str, Any], tag: str = "report") -> Cell:
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}} for data in shown]
    return {**code("x", tag), "outputs": outputs, "execution_count": 1}


def test_sections_tables_and_pictures_come_over_in_their_order(tmp_path: Path) -> None:
    notebook = write(
        tmp_path / "a.ipynb",
        prose("# A title"),
        showing(SectionOutput("<section>one</section>")._repr_mimebundle_()),
        showing({"text/html": ["<table>", "<tr><td>two</td></tr></table><script>x()</script>"]}),
        showing({"image/png": "AA==\n", "text/plain": "a figure"}),
        showing({"text/html": "<p>not for the page</p>"}, tag="explore"),
        showing({"text/plain": "neither is this"}),
        showing(SummaryOutput(SUMMARY)._repr_mimebundle_()),
    )
    done = executed(notebook)
    assert done.summary == SUMMARY
    assert [part[:49] for part in done.parts] == [
        "<section>one</section>",
        '<div class="scroll"><table><tr><td>two</td></tr><',
        '<figure><img alt="A picture from the notebook" sr',
    ]
    assert "script" not in done.parts[1]


def test_a_notebook_shows_a_section_as_the_page_will() -> None:
    html = SectionOutput("<section>one</section>")._repr_mimebundle_()["text/html"]
    assert html.startswith("<style>") and html.endswith('<div class="gb"><section>one</section></div>')


def test_a_notebook_that_does_not_sum_up_the_day_is_refused_with_the_way_out(tmp_path: Path) -> None:
    notebook = write(tmp_path / "a.ipynb", showing(SectionOutput("one")._repr_mimebundle_()))
    with pytest.raises(NotebookError, match=r"end it with SummaryOutput\(summary\(data, verdict\)\)"):
        executed(notebook)


class NoJobs:
    """Glue that gives every job the same two arguments."""

    def get_job(self, JobName: str) -> dict[str, Any]:  # noqa: N803
        return {"Job": {"DefaultArguments": {"--lake_bucket": "lake", "--ledger_table": "ledger"}}}


def test_the_reports_parameters_are_filled_from_the_stack() -> None:
    outputs = {
        "LakeBucket": "lake",
        "LedgerTable": "ledger",
        "Workgroup": "group",
        "WarehouseDatabase": "db",
        **dict.fromkeys(JOB_OUTPUTS.values(), "job"),
    }
    parameters = declared(ROOT / "notebooks" / "reports" / "data_quality.ipynb")
    assert [parameter.name for parameter in parameters] == ["day", *report_defaults(outputs)]
    found = filled(
        parameters, dict.fromkeys((p.name for p in parameters), ""), notebook_defaults(NoJobs(), outputs, "")
    )
    assert found == {
        "lake_bucket": "lake",
        "ledger_table": "ledger",
        "workgroup": "group",
        "warehouse_database": "db",
    }
    assert "workgroup" not in report_defaults({"LakeBucket": "lake"})
