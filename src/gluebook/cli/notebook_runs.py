"""Running a notebook, once or for each day of a range, and keeping the executed copies."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from gluebook.aws.objects import Objects
from gluebook.errors import ConfigurationError, NotebookError
from gluebook.notebook.execute import declared, execute
from gluebook.notebook.html import render
from gluebook.notebook.parameters import Value, assignments

# The parameter over which a range of days runs.
_DAY = "day"


@dataclass(frozen=True)
class Result:
    """One run: where its artefacts are, and what went wrong, if so. `day` is "" for a run without a range."""

    day: str
    places: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True)
class Destination:
    """Where executed notebooks go: `folder` is a local one or an s3:// prefix, ending in a slash.

    `name`: what one run's is called, without .ipynb; a range adds the day to it.
    """

    folder: str
    name: str

    @classmethod
    def of(cls, output: str | None, notebook: Path, otherwise: Path, now: datetime) -> Destination:
        """By what was asked for; else a file of its own in the folder `otherwise`, called by the time `now`.

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
        """(the local file to write, a list that holds afterwards where it and what is beside it have gone)."""
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
    """Run the notebook once, or once for each day; each result as it is there. A day that fails stops no other.

    Raises ConfigurationError before anything is run, if the parameters aren't the notebook's.
    """
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
    error = ""
    with destination.file(day) as (path, places):
        try:
            execute(notebook, values, path, kernel=kernel, progress=progress)
        except NotebookError as failure:
            error = str(failure)
        if html and path.exists():
            render(path)
    return Result(day, tuple(places), error)
