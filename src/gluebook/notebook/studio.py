"""The copy of a job notebook for AWS Glue Studio."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gluebook.errors import NotebookError
from gluebook.notebook.cells import INJECTED, load, read_notebook
from gluebook.notebook.checks import parameters_of, problems_of
from gluebook.notebook.parameters import Parameter, convert
from gluebook.notebook.problems import refuse

# As Glue Studio's own notebooks name their kernel.
_KERNEL = {"display_name": "Glue PySpark", "language": "python", "name": "glue_pyspark"}
_LANGUAGE = {
    "codemirror_mode": {"name": "python", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "Python_Glue_Session",
    "pygments_lexer": "python3",
}
# Argument of a job: magic of a session.
_MAGICS = {
    "--extra-py-files": "extra_py_files",
    "--additional-python-modules": "additional_python_modules",
    "--extra-jars": "extra_jars",
    "--conf": "spark_conf",
}
# An argument of a job for which there is no magic of its own.
_CONFIGURED = ("--python-modules-installer-option",)


def studio_copy(path: Path, job: Mapping[str, Any], region: str) -> dict[str, Any]:
    """The notebook at `path` for Glue Studio, configured like the deployed `job` (as GetJob returns it).

    Its session has the job's role, package and modules; its parameters have the values that the job is given. It
    holds nothing that running it has left. Raises NotebookError if it can't become a job, ConfigurationError if
    the job is given a value of another type.
    """
    read = read_notebook(path)
    refuse(problems_of(read))
    sessions = read.of_role("glue-session")
    if not read.is_job or not sessions:
        raise NotebookError(f"{path.name} is not a job notebook with a glue-session cell")
    arguments: Mapping[str, str] = job.get("DefaultArguments", {})
    parameters = parameters_of(read)
    given = {f"--{p.name}": p for p in parameters if f"--{p.name}" in arguments}
    values = {p.name: convert(p, arguments[flag]) for flag, p in given.items()}
    sources = {
        sessions[0].number: ["#| glue-session", *_session(job, arguments, region), sessions[0].source],
        read.of_role("parameters")[0].number: [
            "#| parameters",
            *(_parameter(p, values.get(p.name, p.default)) for p in parameters),
        ],
    }
    notebook = copy.deepcopy(load(path))
    cells = [
        _cell(raw, sources.get(number))
        for number, raw in enumerate(notebook["cells"], 1)
        if INJECTED not in raw.get("metadata", {}).get("tags", [])
    ]
    cells[sessions[0].number - 1 : sessions[0].number - 1] = _configure(arguments)
    return {**notebook, "cells": cells, "metadata": {"kernelspec": _KERNEL, "language_info": _LANGUAGE}}


def _session(job: Mapping[str, Any], arguments: Mapping[str, str], region: str) -> list[str]:
    lines = [f"%region {region}", f"%iam_role {job['Role']}"]
    return [
        *lines,
        *(f"%{magic} {arguments[flag]}" for flag, magic in _MAGICS.items() if arguments.get(flag)),
    ]


def _configure(arguments: Mapping[str, str]) -> list[dict[str, Any]]:
    """A cell for options that only %%configure sets, which must begin a cell; none without such options."""
    given = {flag: arguments[flag] for flag in _CONFIGURED if arguments.get(flag)}
    head = {"cell_type": "code", "id": "configure", "metadata": {"tags": ["glue-session"]}}
    return [_cell(head, ["%%configure", repr(given)])] if given else []


def _parameter(parameter: Parameter, value: object) -> str:
    return f"{parameter.name}: {parameter.type.__name__} = {value!r}"


def _cell(raw: dict[str, Any], source: list[str] | None) -> dict[str, Any]:
    cell = {**raw, "metadata": {"tags": raw.get("metadata", {}).get("tags", [])}}
    if source is not None:
        cell["source"] = "\n".join(source).splitlines(keepends=True)
    if cell["cell_type"] == "code":
        cell |= {"outputs": [], "execution_count": None}
    return cell
