"""Check a notebook without running it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from gluebook.errors import ConfigurationError, NotebookError
from gluebook.notebook.cells import INJECTED, Cell, Notebook, load, read_notebook
from gluebook.notebook.checks import parameters_of, problems_of, unusable
from gluebook.notebook.magics import parse
from gluebook.notebook.parameters import Parameter, convert
from gluebook.notebook.problems import Problem
from gluebook.notebook.template import JobResource, job_resource

_STRIP = "`gluebook lint --fix` removes it"


def lint(path: Path, template: Path) -> list[Problem]:
    """All problems of the notebook at `path`, in order; a job notebook must agree with `template`.

    Raises NotebookError if there is no notebook, ConfigurationError if there is no template.
    """
    notebook = read_notebook(path)
    found = [*_first_cell(notebook), *_leftovers(notebook, path), *problems_of(notebook)]
    if notebook.is_job:
        job = job_resource(template, f"{path.stem}.py")
        where = f"{template.parent.name}/{template.name}"
        found += _session(notebook, job, where)
        found += _arguments(notebook, job, where)
    return sorted(found)


def strip(path: Path) -> bool:
    """Remove from the notebook what a run has left in it; return whether there was anything.

    That is outputs, execution counts and times, papermill's marks and injected parameters; ids and tags stay.
    """
    notebook = load(path)
    before = json.dumps(notebook)
    notebook["cells"] = [
        cell for cell in notebook["cells"] if INJECTED not in cell.get("metadata", {}).get("tags", [])
    ]
    notebook.get("metadata", {}).pop("papermill", None)
    for cell in notebook["cells"]:
        for left in ("execution", "papermill", "collapsed", "scrolled"):
            cell.get("metadata", {}).pop(left, None)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    if json.dumps(notebook) == before:
        return False
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return True


def _first_cell(notebook: Notebook) -> Iterator[Problem]:
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.kind != "markdown" or not first.source.strip():
        yield Problem(
            notebook.name, 1, 0, "a notebook begins with prose", "explain its purpose in a markdown cell"
        )


def _leftovers(notebook: Notebook, path: Path) -> Iterator[Problem]:
    for cell in notebook.cells:
        if cell.executed:
            yield Problem(notebook.name, cell.number, 0, "it contains outputs of a run", _STRIP)
    for number, raw in enumerate(load(path)["cells"], 1):
        if INJECTED in raw.get("metadata", {}).get("tags", []):
            yield Problem(notebook.name, number, 0, "papermill has injected parameters here", _STRIP)


def _session(notebook: Notebook, job: JobResource | None, where: str) -> Iterator[Problem]:
    """The first code that runs creates the session, so its configuration must be above that."""
    cells = notebook.of_role("glue-session")
    if not cells:
        yield Problem(
            notebook.name, 0, 0, "it has no glue-session cell", "configure the AWS Glue session there"
        )
    first = min((c.number for c in notebook.cells if c.role not in (None, "glue-session")), default=0)
    for cell in cells:
        if cell.number > first:
            what = f"the first code that runs, cell {first}, creates the session"
            yield Problem(notebook.name, cell.number, 0, what, "move this cell above it")
        yield from _magics(notebook, cell, job, where)


def _magics(notebook: Notebook, cell: Cell, job: JobResource | None, where: str) -> Iterator[Problem]:
    try:
        tree, magics = parse(cell.source)
    except SyntaxError as error:
        yield Problem(notebook.name, cell.number, (error.lineno or 1) + cell.line - 1, error.msg)
        return
    if len(tree.body) > len(magics):
        yield Problem(notebook.name, cell.number, 0, "a glue-session cell holds only magics", "move the rest")
    for magic in magics:
        line = magic.line + cell.line - 1
        if what := unusable(magic):
            yield Problem(notebook.name, cell.number, line, *what)
            continue
        wanted = job.session.get(magic.name) if job else None
        if wanted is not None and magic.arguments.strip().strip("\"'") != wanted:
            message = f"{str(magic)!r} is not what {where} gives the job, which is {wanted}"
            yield Problem(notebook.name, cell.number, line, message, "make them agree")


def _arguments(notebook: Notebook, job: JobResource | None, where: str) -> Iterator[Problem]:
    """The job's DefaultArguments are the notebook's parameters, with equal defaults."""
    try:
        parameters = {parameter.name: parameter for parameter in parameters_of(notebook)}
    except NotebookError:
        return  # already a problem
    if job is None:
        cure = "write its contract and run `gluebook export`, which adds the job of each contract"
        yield Problem(notebook.name, 0, 0, f"{where} has no job for it", cure)
        return
    number = next((cell.number for cell in notebook.of_role("parameters")), 0)
    for name in job.arguments.keys() - parameters.keys():
        what = f"{where} gives the job --{name}, which is not a parameter of the notebook"
        yield Problem(
            notebook.name, number, 0, what, "declare it, or remove it from infra/dataset.yaml and export"
        )
    for parameter in parameters.values():
        yield from _argument(notebook, number, parameter, job, where)


def _argument(
    notebook: Notebook, number: int, parameter: Parameter, job: JobResource, where: str
) -> Iterator[Problem]:
    if parameter.name not in job.arguments:
        what = f"{where} does not give --{parameter.name} to the job"
        yield Problem(
            notebook.name, number, 0, what, "add it to DefaultArguments in infra/dataset.yaml and export"
        )
        return
    value = job.arguments[parameter.name]
    if value is None:
        return
    try:
        given = convert(parameter, value)
    except ConfigurationError as error:
        yield Problem(notebook.name, number, 0, f"{where}: {error}", "make them agree")
        return
    if given != parameter.default and parameter.default != "":
        what = f"the default of {parameter.name} is {parameter.default!r}, but {where} gives the job {value}"
        yield Problem(notebook.name, number, 0, what, "make them agree")
