"""A job notebook's cells and their roles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gluebook.errors import NotebookError

ROLES = ("parameters", "glue-session", "job", "check", "explore", "report")
# Put there by papermill on execution; never part of the source.
_INJECTED = "injected-parameters"
_MARK = "#| "


@dataclass(frozen=True)
class Cell:
    """One cell; `number` counts from 1 as people do. `role` is None for prose.

    `line` is the line of the cell on which `source` begins, once role and blank lines have been left out.
    """

    number: int
    kind: str
    role: str | None
    source: str
    line: int = 1


def read_cells(path: Path) -> list[Cell]:
    """The cells of a notebook, without outputs. Raises NotebookError naming notebook and cell."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotebookError(f"there is no notebook {path}") from None
    except ValueError as error:
        raise NotebookError(f"{path.name} is no notebook: {error}") from None
    if not isinstance(notebook, dict):
        raise NotebookError(f"{path.name} is no notebook: it holds no cells")
    cells = []
    for number, cell in enumerate(notebook.get("cells", []), 1):
        tags = set(cell.get("metadata", {}).get("tags", []))
        if _INJECTED not in tags:
            cells.append(_cell(path.name, number, cell, tags))
    return cells


def _cell(notebook: str, number: int, cell: dict[str, Any], tags: set[str]) -> Cell:
    text = cell["source"]
    whole = text if isinstance(text, str) else "".join(text)
    source = whole.strip("\n")
    if cell["cell_type"] != "code" or not source.strip():
        return Cell(number, cell["cell_type"], None, source)
    first, _, rest = source.partition("\n")
    roles = tags & set(ROLES)
    if first.startswith(_MARK):
        roles |= {first.removeprefix(_MARK).strip()}
        source = rest.strip("\n")
    where = f"{notebook}, cell {number}"
    unknown = roles - set(ROLES)
    if unknown:
        raise NotebookError(f"{where}: no role {', '.join(unknown)}; there are {', '.join(ROLES)}")
    if len(roles) != 1:
        found = f"has roles {', '.join(sorted(roles))}" if roles else "has no role"
        raise NotebookError(f"{where} {found}; give it one, as a tag or as a first line `#| job`")
    return Cell(number, "code", roles.pop(), source, 1 + whole[: whole.rindex(source)].count("\n"))
