"""Run a notebook from top to bottom with papermill, and verify that all of it ran."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gluebook.errors import ConfigurationError, NotebookError
from gluebook.notebook.cells import INJECTED, load, read_notebook, text_of
from gluebook.notebook.checks import parameters_of
from gluebook.notebook.parameters import Parameter, Value, unknown
from gluebook.notebook.problems import Problem, refuse

KERNEL = "gluebook"
_ADDED = frozenset({INJECTED, "papermill-error-cell-tag", "papermill-error-cell-tag-top"})
# What IPython prints for a magic that failed, without failing itself.
_FAILED_MAGIC = "UsageError:"


def declared(path: Path) -> list[Parameter]:
    """The parameters of the notebook at `path`. Raises NotebookError."""
    notebook = read_notebook(path)
    refuse(notebook.problems)
    return parameters_of(notebook)


def execute(
    path: Path,
    parameters: Mapping[str, Value],
    output: Path,
    *,
    kernel: str = KERNEL,
    progress: bool = False,
) -> None:
    """Run the notebook at `path` with `parameters`, in its own folder; `output` is the executed copy.

    `output` is written cell by cell, also when one fails. Raises ConfigurationError for a parameter that the
    notebook lacks or of another type, or if there is no such kernel; NotebookError if a cell failed, did not run, or
    has a magic that failed.
    """
    _check(path, parameters)
    import nbformat  # slow to import, as papermill is
    from nbclient.exceptions import DeadKernelError
    from papermill import PapermillExecutionError, execute_notebook
    from papermill.exceptions import PapermillException

    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gluebook-run-") as folder:
        tagged = Path(folder) / path.name
        nbformat.write(nbformat.from_dict(_tagged(path)), tagged)
        try:
            execute_notebook(
                str(tagged),
                str(output.absolute()),
                dict(parameters),
                kernel_name=_existing_kernel(kernel),
                language="python",
                progress_bar=progress,
                cwd=str(path.absolute().parent),
            )
        except PapermillExecutionError as error:
            refuse([*_failures(path.name, output)] or [Problem(path.name, 0, 0, str(error))])
        except DeadKernelError:
            refuse([Problem(path.name, 0, 0, "its kernel died"), *_failures(path.name, output)])
        except PapermillException as error:
            raise NotebookError(f"{path.name} was not run: {error}") from None
    refuse([*_failures(path.name, output)])


def _check(path: Path, parameters: Mapping[str, Value]) -> None:
    known = {parameter.name: parameter for parameter in declared(path)}
    for name, value in parameters.items():
        if name not in known:
            raise ConfigurationError(unknown(name, known, path.name))
        if type(value) is not known[name].type:
            raise ConfigurationError(
                f"parameter {name}: {value!r} is not of type {known[name].type.__name__}"
            )


def _existing_kernel(name: str) -> str:
    from jupyter_client.kernelspec import KernelSpecManager

    found = KernelSpecManager().find_kernel_specs()
    if name not in found:
        raise ConfigurationError(
            f"Jupyter has no kernel {name!r}, only {', '.join(sorted(found)) or 'none'}; "
            "`make kernel` installs the project's own"
        )
    return name


def _tagged(path: Path) -> dict[str, Any]:
    """The notebook with roles as tags: papermill finds the parameters cell by its tag."""
    notebook = load(path)
    roles = {cell.number: cell.role for cell in read_notebook(path).cells}
    kept = {number: cell for number, cell in enumerate(notebook["cells"], 1) if number in roles}
    for number, cell in kept.items():
        tags = cell.setdefault("metadata", {}).setdefault("tags", [])
        if roles[number] and roles[number] not in tags:
            tags.append(roles[number])
    notebook["cells"] = list(kept.values())
    return notebook


def _failures(name: str, output: Path) -> Iterator[Problem]:
    """The failures in an executed notebook; cells are numbered as in its source."""
    cells = [
        cell for cell in load(output)["cells"] if not _ADDED & set(cell.get("metadata", {}).get("tags", []))
    ]
    failed = False
    for number, cell in enumerate(cells, 1):
        if cell["cell_type"] != "code" or not text_of(cell).strip():
            continue
        for what in _said(cell):
            failed = True
            yield Problem(name, number, 0, what, f"see {output}")
        if cell.get("execution_count") is None and not failed:
            failed = True
            yield Problem(name, number, 0, "it was not run", f"see {output}")


def _said(cell: dict[str, Any]) -> Iterator[str]:
    """The failures in a cell's outputs."""
    for output in cell.get("outputs", []):
        if output["output_type"] == "error":
            yield f"{output['ename']}: {output['evalue']}"
        elif output.get("name") == "stderr":
            text = "".join(output["text"])
            if text.lstrip().startswith(_FAILED_MAGIC):
                yield f"a magic failed: {text.strip().splitlines()[0].removeprefix(_FAILED_MAGIC).strip()}"
