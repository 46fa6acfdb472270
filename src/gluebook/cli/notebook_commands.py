"""Commands for notebooks: lint, run, studio, kernel."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from rich.table import Table
from typer.core import TyperCommand

from gluebook.cli import screens
from gluebook.cli.notebook_runs import Destination, days, run_all
from gluebook.deployment.build import project_root
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.errors import ConfigurationError, NotebookError
from gluebook.notebook.cells import read_notebook
from gluebook.notebook.problems import Problem

_NOTEBOOKS = Annotated[list[Path], typer.Argument(help="Notebooks; all of the project if not given.")]
_DAY = {"formats": ["%Y-%m-%d"], "metavar": "YYYY-MM-DD"}


class WithParameters(TyperCommand):
    """A command whose help tells the parameters of the notebook that stands on its command line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Remember the notebook, since --help is answered before arguments are looked at."""
        self._notebook = next((Path(word) for word in args if word.endswith(".ipynb")), None)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The usual help; and the notebook's parameters, if one is named."""
        super().format_help(ctx, formatter)
        if self._notebook is not None:
            screens.out.print(_parameters_table(self._notebook))


def _parameters_table(notebook: Path) -> Table | str:
    from gluebook.notebook.execute import declared

    try:
        parameters = declared(notebook)
    except NotebookError as error:
        return f"[red]{screens.plain(str(error), lines=True)}[/]"
    table = Table(title=f"parameters of {notebook.name}", title_justify="left")
    for name in ("-p name=value", "type", "default"):
        table.add_column(name)
    for parameter in parameters:
        table.add_row(parameter.name, parameter.type.__name__, screens.plain(repr(parameter.default)))
    return table


def lint(
    notebooks: _NOTEBOOKS = [],  # noqa: B006
    fix: Annotated[
        bool, typer.Option("--fix", help="Take out what running a notebook has left in it.")
    ] = False,
    plan: Annotated[
        bool, typer.Option(help="Let Spark plan the job notebooks on no records; takes some seconds.")
    ] = True,
) -> None:
    """Check notebooks without running them: roles, parameters, names, outputs, session against template, plans."""
    from gluebook.notebook.lint import lint as problems_in
    from gluebook.notebook.lint import strip

    root = project_root()
    problems, jobs = [], []
    for path in notebooks or sorted((root / "notebooks").rglob("*.ipynb")):
        if fix and strip(path):
            screens.out.print(f"took out of {path.name} what running it had left there", soft_wrap=True)
        found = problems_in(path, root / "infra" / "pipeline.yaml")
        problems += found
        if not found and read_notebook(path).is_job:
            jobs.append(path)
    if plan and jobs:
        problems += _planned(jobs)
    for problem in problems:
        screens.out.print(screens.plain(str(problem), lines=True), soft_wrap=True, highlight=False)
    if problems:
        screens.err.print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}")
        raise typer.Exit(1)


def _planned(jobs: list[Path]) -> list[Problem]:
    """What Spark refuses of these job notebooks."""
    from gluebook.job.runtime import spark_session
    from gluebook.notebook.planning import plan

    names = " and ".join(path.stem for path in jobs)
    screens.err.print(f"planning {names} on no records; Spark takes some seconds to start", soft_wrap=True)
    spark = spark_session("gluebook lint")
    try:
        return [problem for path in jobs for problem in plan(path, spark)]
    finally:
        spark.stop()


def run(
    notebook: Annotated[Path, typer.Argument(help="The notebook; --help after it tells its parameters.")],
    parameters: Annotated[
        list[str], typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="May be repeated.")
    ] = [],  # noqa: B006
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", help="File, folder/ or s3:// place of the executed notebook; build/runs/ else."
        ),
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="Also as a page that needs no network.")] = False,
    first: Annotated[
        datetime | None, typer.Option("--from", help="Run it for each day from here on,", **_DAY)
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", help="up to and with this one: its parameter `day`.", **_DAY)
    ] = None,
    kernel: Annotated[str, typer.Option(help="The Jupyter kernel.")] = "gluebook",
) -> None:
    """Run a notebook with parameters, and keep it with what it put out."""
    destination = Destination.of(output, notebook, project_root() / "build" / "runs", datetime.now(UTC))
    done = run_all(
        notebook,
        parameters,
        days(_date(first), _date(last)),
        destination,
        html=html,
        kernel=kernel,
        progress=screens.err.is_terminal,
    )
    failed = 0
    for result in done:
        label = f"{result.day}: " if result.day else ""
        if result.error:
            failed += 1
            screens.err.print(f"{label}[red]{screens.plain(result.error, lines=True)}[/]", soft_wrap=True)
        for place in result.places:
            screens.out.print(f"{label}{place}", soft_wrap=True, highlight=False)
    if failed:
        raise typer.Exit(1)


def studio(
    notebook: Annotated[Path, typer.Argument(help="A job notebook.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; build/studio/ if not given.")
    ] = None,
) -> None:
    """Write the copy of a job notebook to upload to AWS Glue Studio, set up like the job that is deployed."""
    from gluebook.cli.deployment import connect
    from gluebook.notebook.studio import studio_copy

    if notebook.stem not in JOB_OUTPUTS:
        raise ConfigurationError(f"{notebook.name} is no job's notebook; there are {', '.join(JOB_OUTPUTS)}")
    name = connect().output(JOB_OUTPUTS[notebook.stem])
    glue = boto3.session.Session().client("glue")
    job = glue.get_job(JobName=name)["Job"]
    made = studio_copy(notebook, job, glue.meta.region_name)
    target = output or project_root() / "build" / "studio" / notebook.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    screens.out.print(str(target), soft_wrap=True, highlight=False)


def kernel() -> None:
    """Let the Jupyter of this environment know the project's kernel."""
    from gluebook.notebook.kernelspec import DISPLAY_NAME, install

    folder = install()
    screens.out.print(f"{DISPLAY_NAME}: {folder}", soft_wrap=True, highlight=False)


def _date(given: datetime | None) -> date | None:
    return given.date() if given else None
