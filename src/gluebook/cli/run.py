"""`gluebook run`: run a notebook, once or for each day of a range, and keep the executed copies."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperCommand

from gluebook.aws.objects import Objects
from gluebook.cli import options, screens
from gluebook.deployment.build import project_root
from gluebook.errors import ConfigurationError, NotebookError

if TYPE_CHECKING:
    from gluebook.notebook.parameters import Value

# The parameter over which a range of days runs.
_DAY = "day"


class WithParameters(TyperCommand):
    """A command whose help lists the parameters of the notebook on its command line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the notebook: --help is answered before arguments are parsed."""
        self._notebook = next((Path(word) for word in args if word.endswith(".ipynb")), None)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The usual help, then the notebook's parameters if one is named."""
        super().format_help(ctx, formatter)
        if self._notebook is not None:
            screens.out.print(_parameters_table(self._notebook))


COMMAND_CLASS = WithParameters


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


def run(
    notebook: Annotated[
        Path, typer.Argument(help="Run this notebook; --help after its name lists its parameters.")
    ],
    parameters: Annotated[
        list[str],
        typer.Option(
            "-p", "--parameter", metavar="NAME=VALUE", help="Set a parameter; repeat the option for more."
        ),
    ] = [],  # noqa: B006
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="Write the executed notebook to this file, folder/ or s3:// place; the default is in build/runs/.",
        ),
    ] = None,
    html: Annotated[
        bool, typer.Option("--html", help="Write the executed notebook as a self-contained HTML page too.")
    ] = False,
    first: Annotated[
        datetime | None, options.day("--from", text="Run the notebook for each day from this one on.")
    ] = None,
    last: Annotated[
        datetime | None,
        options.day("--to", text="Run it up to and including this day, which is its parameter `day`."),
    ] = None,
    kernel: options.KERNEL = "gluebook",
) -> None:
    """Run a notebook with parameters and keep the executed copy; exits with 1 if a run fails.

    Example: gluebook run notebooks/reports/data_quality.ipynb -p day=2026-01-05 --html
    """
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
            screens.show_error(f"{label}{result.error}")
        for place in result.places:
            screens.show(f"{label}{place}")
    if failed:
        raise typer.Exit(1)


def _date(given: datetime | None) -> date | None:
    return given.date() if given else None


@dataclass(frozen=True)
class Result:
    """One run: the places of its artefacts, and the error if it failed. `day` is "" for a run without a range."""

    day: str
    places: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True)
class Destination:
    """Where executed notebooks go: `folder` is a local one or an s3:// prefix, ending in a slash.

    `name`: of the notebook without .ipynb; a range appends the day.
    """

    folder: str
    name: str

    @classmethod
    def of(cls, output: str | None, notebook: Path, otherwise: Path, now: datetime) -> Destination:
        """The destination that `output` names; else a new file in the folder `otherwise`, named by the time `now`.

        Raises ConfigurationError for an output that is neither a folder nor a notebook.
        """
        if output is None:
            return cls(f"{otherwise}/", f"{notebook.stem}-{now:%Y%m%dT%H%M%SZ}")
        if output.endswith(".ipynb"):
            folder, _, name = output.rpartition("/")
            return cls(f"{folder or '.'}/", name.removesuffix(".ipynb"))
        if output.endswith("/") or (not output.startswith("s3://") and Path(output).is_dir()):
            return cls(f"{output.rstrip('/')}/", notebook.stem)
        raise ConfigurationError(f"output {output}: a file .ipynb, or a folder or s3:// prefix ending in /")

    @contextmanager
    def file(self, day: str) -> Iterator[tuple[Path, list[str]]]:
        """(the local file to write, a list that is filled with the places of it and its HTML page)."""
        name = f"{self.name}-{day}.ipynb" if day else f"{self.name}.ipynb"
        places: list[str] = []
        if not self.folder.startswith("s3://"):
            path = Path(self.folder) / name
            try:
                yield path, places
            finally:
                places += [str(one) for one in (path, path.with_suffix(".html")) if one.exists()]
            return
        with tempfile.TemporaryDirectory(prefix="gluebook-run-") as folder:
            path = Path(folder) / name
            try:
                yield path, places
            finally:
                places += [self._upload(one) for one in sorted(Path(folder).iterdir())]

    def _upload(self, path: Path) -> str:
        bucket, _, prefix = self.folder.removeprefix("s3://").partition("/")
        Objects().upload(path, bucket, prefix + path.name)
        return f"{self.folder}{path.name}"


def days(first: date | None, last: date | None) -> list[date]:
    """All days from `first` to `last`, both included; none if neither is given. Raises ConfigurationError."""
    if first is None and last is None:
        return []
    if first is None or last is None or first > last:
        raise ConfigurationError("a range needs both --from and --to, and --from is not after --to")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def run_all(
    notebook: Path,
    texts: Sequence[str],
    over: Sequence[date],
    destination: Destination,
    *,
    html: bool,
    kernel: str,
    progress: bool,
) -> Iterator[Result]:
    """Run the notebook once, or once for each day, and yield each result. A day that fails stops no other.

    Raises ConfigurationError before the first run if the notebook has no such parameters.
    """
    from gluebook.notebook.execute import declared
    from gluebook.notebook.parameters import assignments

    parameters = declared(notebook)
    values = assignments(parameters, texts, notebook.name)
    if over and (_DAY, str) not in {(p.name, p.type) for p in parameters}:
        raise ConfigurationError(f"{notebook.name} has no parameter `{_DAY}: str`, over which a range runs")
    if over and _DAY in values:
        raise ConfigurationError(f"parameter {_DAY} is given by --from and --to already")
    for day in [one.isoformat() for one in over] or [""]:
        yield _run(
            notebook, {**values, _DAY: day} if day else values, day, destination, html, kernel, progress
        )


def _run(
    notebook: Path,
    values: dict[str, Value],
    day: str,
    destination: Destination,
    html: bool,
    kernel: str,
    progress: bool,
) -> Result:
    from gluebook.notebook.execute import execute
    from gluebook.notebook.html import render

    error = ""
    with destination.file(day) as (path, places):
        try:
            execute(notebook, values, path, kernel=kernel, progress=progress)
        except NotebookError as failure:
            error = str(failure)
        if html and path.exists():
            render(path)
    return Result(day, tuple(places), error)
