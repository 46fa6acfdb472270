"""A notebook's cells and their roles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gluebook.errors import NotebookError
from gluebook.notebook.problems import Problem

# Each role, with what it is for and what becomes of it in the Glue script, both in Markdown.
ROLES = {
    "parameters": ("the notebook's parameters, and nothing else", "yes, as job arguments"),
    "glue-session": (
        "the AWS Glue session: `%glue_version`, `%worker_type`, ...",
        "no; the template has the job's",
    ),
    "job": ("the work", "yes"),
    "suite": (
        "`row_rules: list = [...]` or `batch_rules: list = [...]`: literals, which `gluebook export` writes to "
        "`expectations/`",
        "no",
    ),
    "check": ("a look at intermediate data: a count, a few rows", "no"),
    "explore": ("trying things out, plots", "no"),
    "report": ("what readers of the result see", "no"),
}
# Added by papermill on execution; never part of the source.
INJECTED = "injected-parameters"
_MARK = "#| "


@dataclass(frozen=True)
class Cell:
    """One cell; `number` counts from 1. `role` is None for prose, and if it is unclear.

    `line` is the line of the cell on which `source` begins, once role and blank lines have been left out.
    `executed`: it keeps outputs or an execution count.
    """

    number: int
    kind: str
    role: str | None
    source: str
    line: int = 1
    executed: bool = False


@dataclass(frozen=True)
class Notebook:
    """The source of a notebook, without outputs; `problems`: cells whose role is unclear."""

    name: str
    cells: tuple[Cell, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def is_job(self) -> bool:
        """Whether it is the source of a job script: it has a job cell."""
        return any(cell.role == "job" for cell in self.cells)

    def of_role(self, *roles: str) -> list[Cell]:
        """The cells with one of these roles, in order."""
        return [cell for cell in self.cells if cell.role in roles]


def read_notebook(path: Path) -> Notebook:
    """The notebook at `path`. Raises NotebookError if there is none."""
    cells, problems = [], []
    for number, raw in enumerate(load(path)["cells"], 1):
        tags = set(raw.get("metadata", {}).get("tags", []))
        if INJECTED not in tags:
            cell, what = _cell(number, raw, tags)
            cells.append(cell)
            problems += [Problem(path.name, number, 0, *what)] if what else []
    return Notebook(path.name, tuple(cells), tuple(problems))


def load(path: Path) -> dict[str, Any]:
    """The JSON of a notebook. Raises NotebookError if there is no such file, or it has no cells."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotebookError(f"there is no notebook {path}") from None
    except ValueError as error:
        raise NotebookError(f"{path.name} is not a notebook: {error}") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise NotebookError(f"{path.name} is not a notebook: it has no cells")
    return notebook


def text_of(cell: dict[str, Any]) -> str:
    """A cell's source as one text; in a file it may be a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _cell(number: int, raw: dict[str, Any], tags: set[str]) -> tuple[Cell, tuple[str, str] | None]:
    """The cell, with the problem of its role and the fix."""
    whole = text_of(raw)
    source = whole.strip("\n")
    executed = bool(raw.get("outputs")) or raw.get("execution_count") is not None
    if raw["cell_type"] != "code" or not source.strip():
        return Cell(number, raw["cell_type"], None, source, executed=executed), None
    first, _, rest = source.partition("\n")
    roles = tags & set(ROLES)
    if first.startswith(_MARK):
        roles |= {first.removeprefix(_MARK).strip()}
        source = rest.strip("\n")
    line = 1 + whole[: whole.rindex(source)].count("\n")
    what = _role_problem(roles)
    role = None if what else next(iter(roles))
    return Cell(number, "code", role, source, line, executed), what


def _role_problem(roles: set[str]) -> tuple[str, str] | None:
    if unknown := sorted(roles - set(ROLES)):
        return f"no role {', '.join(unknown)}", f"there are {', '.join(ROLES)}"
    if len(roles) != 1:
        found = f"has roles {', '.join(sorted(roles))}" if roles else "has no role"
        return found, "give it one, as a tag or as a first line `#| job`"
    return None
