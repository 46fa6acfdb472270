"""The checks that a notebook passes before it becomes a job script and means the same in every runtime.

The rules prevent hidden state: a cell that works only because another one ran before it, which is further down or not
in the script.
"""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Iterator

from gluebook.errors import NotebookError
from gluebook.notebook.cells import ROLES, Cell, Notebook
from gluebook.notebook.glue_magics import CELL_MAGICS, COMMON_MAGICS, LINE_MAGICS, SHOWING_MAGICS, wrong_value
from gluebook.notebook.magics import Magic, parse
from gluebook.notebook.names import Names, names_in
from gluebook.notebook.parameters import Parameter, parse_parameters
from gluebook.notebook.problems import Problem

_MOVE_DEFINITION = "move it to src/gluebook"
_OTHER_ROLE = "give the cell another role"
# Names that IPython and a Glue session provide in every cell; a job script has none of them.
_GIVEN = ("display", "get_ipython", "In", "Out", "_", "__name__", "spark", "sc")
# The cells that are code of the notebook's own.
_READ = tuple(role for role in ROLES if role not in ("parameters", "glue-session"))
_BUILTINS = frozenset({*dir(builtins), "__name__"})


def parameters_of(notebook: Notebook) -> list[Parameter]:
    """The parameters of the parameters cell; none without such a cell. Raises NotebookError."""
    cells = notebook.of_role("parameters")
    if len(cells) > 1:
        raise NotebookError(
            f"{notebook.name}, cell {cells[1].number}: a second parameters cell; there can be one"
        )
    return [
        parameter
        for cell in cells
        for parameter in parse_parameters(cell.source, f"{notebook.name}, cell {cell.number}", cell.line)
    ]


def problems_of(notebook: Notebook) -> list[Problem]:
    """All problems of the cells of `notebook`, in order."""
    found = list(notebook.problems)
    try:
        parameters = parameters_of(notebook)
    except NotebookError as error:
        # Without them the origin of names is unknown.
        return [*found, _as_problem(notebook.name, str(error))]
    if not notebook.of_role("parameters") and notebook.is_job:
        found.append(
            Problem(notebook.name, 0, 0, "it has no parameters cell", "add one, if only to hold `dataset`")
        )
    return [*found, *_Reader(notebook, parameters).problems()]


def _as_problem(notebook: str, text: str) -> Problem:
    """A problem from the text of an error, which names its place."""
    place, _, what = text.partition(": ")
    numbers = dict(part.split(" ") for part in place.split(", ")[1:])
    return Problem(notebook, int(numbers.get("cell", 0)), int(numbers.get("line", 0)), what)


def unusable(magic: Magic) -> tuple[str, str] | None:
    """Why a magic does not work in every runtime, and the fix; None if it does."""
    if magic.name == "!":
        return f"{str(magic)!r} is a shell call, which a Glue session lacks", "use Python"
    known = CELL_MAGICS if magic.whole_cell else LINE_MAGICS | SHOWING_MAGICS | COMMON_MAGICS
    if magic.name not in known:
        near = difflib.get_close_matches(magic.name, sorted(known), 1)
        return f"AWS Glue has no magic {str(magic)!r}", f"did you mean {near[0]}?" if near else "use Python"
    if wrong := wrong_value(magic.name, magic.arguments, magic.cell):
        return f"{str(magic)!r}: {wrong}", "give it another value"
    return None


class _Reader:
    """Walks the cells in order, as *Run all* does, and records which cell assigns which name."""

    def __init__(self, notebook: Notebook, parameters: list[Parameter]) -> None:
        self._notebook = notebook
        self._parsed: dict[int, Names] = {}
        first = notebook.of_role("parameters")
        self._script = {p.name: first[0].number for p in parameters}
        self._beside: dict[str, int] = {}

    def problems(self) -> Iterator[Problem]:
        """The problems within each cell, then those between cells."""
        for cell in self._notebook.of_role(*_READ):
            yield from self._read(cell)
        for cell in self._notebook.of_role(*_READ):
            if cell.number in self._parsed:
                yield from self._job_names(cell) if cell.role == "job" else self._other_names(cell)

    def _problem(self, cell: Cell, line: int, what: str, cure: str = "") -> Problem:
        return Problem(self._notebook.name, cell.number, line + cell.line - 1, what, cure)

    def _read(self, cell: Cell) -> Iterator[Problem]:
        try:
            tree, magics = parse(cell.source)
            if not magics and cell.role == "job":
                # Parsing does not find what only a function may do (return, await).
                compile(tree, "cell", "exec", dont_inherit=True)
        except SyntaxError as error:
            yield self._problem(cell, error.lineno or 1, error.msg)
            return
        if cell.role == "job":
            yield from self._job_only(cell, tree, magics)
        else:
            for magic in magics:
                if what := unusable(magic):
                    yield self._problem(cell, magic.line, *what)
        self._parsed[cell.number] = names = names_in(tree)
        for line in names.stars:
            yield self._problem(cell, line, "it is unknown what `import *` assigns", "name what is imported")

    def _job_only(self, cell: Cell, tree: ast.Module, magics: list[Magic]) -> Iterator[Problem]:
        for magic in magics:
            yield self._problem(cell, magic.line, f"{str(magic)!r} can't run in a job", _OTHER_ROLE)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield self._problem(
                    cell, node.lineno, f"{node.name} is defined in a job cell", _MOVE_DEFINITION
                )

    def _job_names(self, cell: Cell) -> Iterator[Problem]:
        names = self._parsed[cell.number]
        for name, line in names.needed.items():
            if name not in self._script and name not in _BUILTINS:
                yield self._problem(cell, line, *self._why_missing(name, cell))
        for name, line in names.assigned.items():
            if name in self._script:
                what = f"{name} is assigned in cell {self._script[name]} already"
                yield self._problem(cell, line, what, "give this one a name of its own")
            else:
                self._script[name] = cell.number

    def _why_missing(self, name: str, cell: Cell) -> tuple[str, str]:
        if name in self._beside:
            role = next(c.role for c in self._notebook.cells if c.number == self._beside[name])
            return (
                f"{name} comes from cell {self._beside[name]}, whose role is {role}: the job script lacks it",
                "assign it in a job cell",
            )
        if name in _GIVEN:
            return f"{name} exists in notebooks only", "in a job script take it from `run`, as in run.spark"
        return self._later(name, cell) or (
            f"nothing assigns {name}",
            "import or assign it in a job cell above",
        )

    def _later(self, name: str, cell: Cell) -> tuple[str, str] | None:
        for number, names in self._parsed.items():
            if number > cell.number and name in names.assigned:
                return f"{name} is assigned further down, in cell {number}", "move that cell above this one"
        return None

    def _other_names(self, cell: Cell) -> Iterator[Problem]:
        names = self._parsed[cell.number]
        known = {*self._script, *self._beside, *_BUILTINS, *_GIVEN}
        for name, line in names.needed.items():
            if name not in known:
                missing = f"nothing assigns {name}", "import or assign it in a cell above"
                yield self._problem(cell, line, *(self._later(name, cell) or missing))
        for name, line in names.assigned.items():
            if name in self._script:
                what = f"{name} belongs to cell {self._script[name]} and is assigned again by a cell for {cell.role}"
                cure = "give it another name; otherwise notebook and script differ in its value"
                yield self._problem(cell, line, what, cure)
            else:
                self._beside[name] = cell.number
