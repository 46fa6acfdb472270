"""A problem of a notebook: the thing, the place and the fix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gluebook.errors import NotebookError


@dataclass(frozen=True, order=True)
class Problem:
    """One problem. `cell` and `line` count from 1; 0 means none in particular."""

    notebook: str
    cell: int
    line: int
    what: str
    cure: str = ""

    def __str__(self) -> str:
        place = self.notebook
        if self.cell:
            place += f", cell {self.cell}"
        if self.line:
            place += f", line {self.line}"
        return f"{place}: {self.what}" + (f"; {self.cure}" if self.cure else "")


def refuse(problems: Sequence[Problem]) -> None:
    """Raise NotebookError with all `problems`, one per line; do nothing if there are none."""
    if problems:
        raise NotebookError("\n".join(str(problem) for problem in sorted(problems)))
