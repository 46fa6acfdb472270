"""A job notebook to the script that AWS Glue runs: deterministic to the byte."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path

from gluebook.errors import NotebookError
from gluebook.notebook.cells import Cell, read_cells
from gluebook.notebook.parameters import Parameter, parse_parameters

_WIDTH = 110


def export(notebook: Path, shown_as: str) -> str:
    """The job script of `notebook`, which the header calls `shown_as`. Raises NotebookError."""
    parameters: list[Parameter] | None = None
    body: list[str] = []
    heading: list[str] = []
    for cell in read_cells(notebook):
        where = f"{notebook.name}, cell {cell.number}"
        if cell.kind == "markdown":
            heading = _headings(cell)[-1:]
        elif cell.role == "parameters":
            if parameters is not None:
                raise NotebookError(f"{where}: a second parameters cell; there can be one")
            parameters = parse_parameters(cell.source, where, cell.line)
        elif cell.role == "job":
            _check_job_cell(cell, where)
            body += [*heading, cell.source]
            heading = []
    if parameters is None:
        raise NotebookError(f"{notebook.name} has no parameters cell")
    return "\n".join([*_header(shown_as), *_arguments(parameters)]) + "\n\n" + "\n\n".join(body) + "\n"


def drift(notebook: Path, script: Path, shown_as: str) -> str:
    """The difference between the committed script and what the notebook says; empty if there is none."""
    committed = script.read_text(encoding="utf-8") if script.exists() else ""
    return "".join(
        difflib.unified_diff(
            committed.splitlines(keepends=True),
            export(notebook, shown_as).splitlines(keepends=True),
            str(script),
            f"export of {shown_as}",
        )
    )


def _header(shown_as: str) -> list[str]:
    line = "# " + "=" * 98
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
        "from awsglue.utils import getResolvedOptions",
        "",
        "from gluebook.notebook.parameters import job_arguments",
        "",
        "_arguments = job_arguments(",
        "    sys.argv,",
        "    getResolvedOptions,",
        *(f"    {p.name}={p.default!r}," for p in parameters),
        ")",
        *(f'{p.name} = _arguments["{p.name}"]' for p in parameters),
    ]


def _headings(cell: Cell) -> list[str]:
    lines = (line.lstrip("# ").strip() for line in cell.source.splitlines() if line.startswith("#"))
    return [f"# --- {line} ".ljust(_WIDTH - 10, "-") for line in lines]


def _check_job_cell(cell: Cell, where: str) -> None:
    try:
        tree = ast.parse(cell.source)
        # What only a function may do (return, await) isn't found by parsing.
        compile(tree, where, "exec", dont_inherit=True)
    except SyntaxError as error:
        _refuse_magic(cell, where)
        raise NotebookError(f"{where}, line {(error.lineno or 1) + cell.line - 1}: {error.msg}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            raise NotebookError(
                f"{where}, line {node.lineno + cell.line - 1}: {node.name} is defined in a job cell; "
                "move it to src/gluebook"
            )


def _refuse_magic(cell: Cell, where: str) -> None:
    """Only once a cell is no Python: a line of a text, or of a longer expression, may begin with % as well."""
    for number, line in enumerate(cell.source.splitlines(), cell.line):
        if line.lstrip().startswith(("%", "!")):
            raise NotebookError(
                f"{where}, line {number}: {line.strip()!r} can't run in a job; give the cell another role"
            )
