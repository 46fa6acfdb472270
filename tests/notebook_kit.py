"""Small notebooks for tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gluebook.notebook import cells as notebook_cells
from gluebook.notebook.problems import refuse

Cell = dict[str, Any]
_PERCENT = re.compile(r"^# %%(?: \[(markdown)\])?\n", re.MULTILINE)


def code(source: str | list[str], *tags: str, **more: Any) -> Cell:
    """A code cell as an editor saves it."""
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": [],
        "execution_count": None,
        **more,
    }


def prose(source: str, kind: str = "markdown") -> Cell:
    """A cell that holds no code."""
    return {"cell_type": kind, "metadata": {}, "source": source}


def write(path: Path, *cells: Cell, indent: int | None = 1) -> Path:
    """Save these cells as a notebook; its path."""
    numbered = [{"id": f"cell-{number:02}", **cell} for number, cell in enumerate(cells, 1)]
    notebook = {"cells": numbered, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook, indent=indent) + "\n", encoding="utf-8")
    return path


def cells(text: str) -> Iterator[Cell]:
    """The cells of a notebook in the percent format: `# %%` begins one of code, `# %% [markdown]` one of prose."""
    before, *parts = _PERCENT.split(text)
    assert not before, f"not in a cell: {before}"
    for kind, source in zip(parts[::2], parts[1::2], strict=True):
        lines = source.rstrip("\n").splitlines()
        if kind:
            yield prose("\n".join(line.removeprefix("#").removeprefix(" ") for line in lines))
        else:
            yield code("\n".join(lines))


def read_cells(path: Path) -> list[notebook_cells.Cell]:
    """The cells of a notebook, each with its role. Raises NotebookError naming cells whose role is unclear."""
    notebook = notebook_cells.read_notebook(path)
    refuse(notebook.problems)
    return list(notebook.cells)
