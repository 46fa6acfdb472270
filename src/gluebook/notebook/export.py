"""A job notebook to the script that AWS Glue runs: deterministic to the byte."""

from __future__ import annotations

import re
from pathlib import Path

from gluebook.notebook.cells import Cell, Notebook, read_notebook
from gluebook.notebook.checks import parameters_of, problems_of
from gluebook.notebook.parameters import Parameter
from gluebook.notebook.problems import Problem, refuse

_WIDTH = 100
_COMMIT = "_job.commit()"


def export(notebook: Path, shown_as: str) -> str:
    """The job script of `notebook`, which the header calls `shown_as`.

    Raises NotebookError with all problems that prevent it.
    """
    read = read_notebook(notebook)
    refuse(problems_of(read))
    if not read.is_job:
        what = "it has no job cell, so its script would do nothing"
        refuse([Problem(read.name, 0, 0, what, "give a cell the role `job`")])
    parts = [*_header(shown_as), *_arguments(parameters_of(read)), "", *_body(read), _COMMIT]
    return "\n".join(parts) + "\n"


def _body(notebook: Notebook) -> list[str]:
    """The job cells, each below the headings of the prose above it, with a blank line after each."""
    lines: list[str] = []
    headings: list[str] = []
    for cell in notebook.cells:
        if cell.kind == "markdown":
            headings = _headings(cell)[-1:] or headings
        elif cell.role == "job":
            lines += [*(text for heading in headings for text in (heading, "")), cell.source, ""]
        if cell.kind == "code":
            headings = []
    return lines


def _header(shown_as: str) -> list[str]:
    line = "# " + "=" * (_WIDTH - 2)
    return [
        line,
        f"# GENERATED from {shown_as} by `gluebook export`.",
        "# Do not edit: change the notebook and export it again. CI fails when the two differ.",
        line,
    ]


def _arguments(parameters: list[Parameter]) -> list[str]:
    return [
        "import sys",
        "",
        "from awsglue.context import GlueContext",
        "from awsglue.job import Job",
        "from awsglue.utils import getResolvedOptions",
        "",
        "from gluebook.notebook.parameters import job_arguments",
        "from gluebook.job.runtime import spark_session",
        "",
        "_arguments = job_arguments(",
        "    sys.argv,",
        "    getResolvedOptions,",
        *(f"    {p.name}={_literal(p.default)}," for p in parameters),
        ")",
        *(f'{p.name} = _arguments["{p.name}"]' for p in parameters),
        "",
        '_options = getResolvedOptions(sys.argv, ["JOB_NAME"])',
        '_job = Job(GlueContext(spark_session(_options["JOB_NAME"]).sparkContext))',
        '_job.init(_options["JOB_NAME"], _options)',
    ]


def _literal(value: object) -> str:
    """A literal as ruff formats it."""
    text = repr(value)
    if isinstance(value, str) and text.startswith("'") and '"' not in text:
        return '"' + text[1:-1].replace("\\'", "'") + '"'
    return text


def _headings(cell: Cell) -> list[str]:
    """The headings of a prose cell as comment lines; a # within a code block is not one."""
    lines, fenced = [], False
    for line in cell.source.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and (found := re.match(r"#{1,6}\s+(.*?)[#\s]*$", line)):
            lines.append(f"# --- {found[1]} ".ljust(_WIDTH, "-"))
    return lines
