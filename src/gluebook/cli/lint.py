"""`gluebook lint`: check notebooks without running them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gluebook.cli import screens
from gluebook.contracts import contract
from gluebook.deployment.build import project_root
from gluebook.errors import ConfigurationError, ContractError, NotebookError
from gluebook.notebook.cells import read_notebook
from gluebook.notebook.problems import Problem


def lint(
    notebooks: Annotated[
        list[Path], typer.Argument(help="Check these notebooks; the default is all of the project.")
    ] = [],  # noqa: B006
    fix: Annotated[
        bool, typer.Option("--fix", help="Remove the outputs and metadata that a run has left in them.")
    ] = False,
    plan: Annotated[
        bool,
        typer.Option(
            help="Let Spark plan the job notebooks on empty input, and Great Expectations check the suites, "
            "which takes some seconds."
        ),
    ] = True,
) -> None:
    """Check notebooks without running them: cells, names, outputs, the session against the template, Spark's plans.

    Example: gluebook lint notebooks/jobs/app_logs.ipynb --fix
    """
    from gluebook.notebook.lint import lint as problems_in
    from gluebook.notebook.lint import strip

    root = project_root()
    problems: list[Problem] = []
    jobs: list[Path] = []
    suites: list[Path] = []
    for path in notebooks or sorted((root / "notebooks").rglob("*.ipynb")):
        if fix and strip(path):
            screens.show(f"removed from {path.name} what a run had left in it")
        found = problems_in(path, root / "infra" / "pipeline.yaml")
        problems += found
        if not found and read_notebook(path).is_job:
            jobs.append(path)
        elif not found and read_notebook(path).of_role("suite"):
            suites.append(path)
    if plan and jobs:
        problems += _planned(jobs)
    if plan:
        problems += [problem for path in suites for problem in _refused(path)]
    for problem in problems:
        screens.show(str(problem), lines=True)
    if problems:
        screens.err.print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}")
        raise typer.Exit(1)


def _planned(jobs: list[Path]) -> list[Problem]:
    """The problems that Spark finds in the plans of these job notebooks."""
    from gluebook.job.runtime import spark_session
    from gluebook.notebook.planning import plan

    names = " and ".join(path.stem for path in jobs)
    screens.err.print(f"planning {names} on empty input; Spark takes some seconds to start", soft_wrap=True)
    spark = spark_session("gluebook lint")
    try:
        return [problem for path in jobs for problem in plan(path, spark)]
    finally:
        spark.stop()


def _refused(notebook: Path) -> list[Problem]:
    """Why the gate or Great Expectations refuses the suites of this notebook."""
    from gluebook.notebook.suites import export_suites
    from gluebook.quality.gx import as_gx

    try:
        for text in export_suites(notebook, contract(notebook.stem)).values():
            as_gx(json.loads(text))
    except (ConfigurationError, ContractError, NotebookError) as error:
        return [Problem(notebook.name, 0, 0, str(error).removeprefix(f"{notebook.name}: "))]
    return []
