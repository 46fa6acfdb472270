"""What people see: tables and progress, on stderr where a machine may read stdout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from gluebook.aws.services import Rows
from gluebook.status import SETTLED, TROUBLED, FileStatus, Overview

out = Console()
err = Console(stderr=True)

_STYLE = {"LOADED": "green", "EMPTY": "yellow", "FAILED": "red", "REJECTED": "red"}
_STAGES = {
    "build": "Building the wheel and the layer",
    "start": "Starting AWS on this machine",
    "deploy": "Deploying infra/pipeline.yaml",
    "generate": "Making up tickets and logs",
    "upload": "Uploading",
    "admit": "S3 ▸ EventBridge ▸ SQS ▸ Lambda: registering what arrived",
    "curate": "Glue: cleaning, checking, publishing",
    "load": "Redshift: copying and merging",
    "catalog": "Crawler: filling the Data Catalog",
    "query": "Asking the warehouse",
    "stop": "Stopping",
}


class StageProgress:
    """A bar of settled files with the stage under way; nothing at all where stderr is no terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def tell(self, stage: str) -> None:
        """`stage` begins."""
        self._progress.update(self._task, description=_STAGES.get(stage, stage))

    def expect(self, files: int) -> None:
        """How many files there are to settle."""
        self._progress.update(self._task, total=files, completed=0)

    def watch(self, stage: str, seen: Overview) -> None:
        """How far the files are."""
        done = sum(file.state in SETTLED for file in seen.files)
        self._progress.update(self._task, description=_STAGES[stage], completed=done)


@contextmanager
def stage_progress() -> Iterator[StageProgress]:
    """Progress on stderr, gone when it is over."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield StageProgress(progress)


def files_table(files: tuple[FileStatus, ...], title: str) -> Table:
    """One line per file version, totals below."""
    table = Table(title=title, title_justify="left", show_footer=len(files) > 1)
    table.add_column("file", "all", overflow="fold")
    table.add_column("state")
    for name in ("read", "curated", "duplicates", "rejected"):
        table.add_column(name, f"{sum(getattr(f.counts, name) for f in files):,}", justify="right")
    table.add_column("loaded", f"{sum(f.loaded for f in files):,}", justify="right")
    table.add_column("why", overflow="fold")
    for file in files:
        c = file.counts
        style = _STYLE.get(file.state, "cyan")
        numbers = [f"{count:,}" for count in (c.read, c.curated, c.duplicates, c.rejected, file.loaded)]
        table.add_row(file.key, f"[{style}]{file.state}[/]", *numbers, _why(file))
    return table


def _why(file: FileStatus) -> str:
    rejects = ", ".join(f"{count} x {reason}" for reason, count in file.reject_reasons.items())
    return "; ".join(part for part in (file.reason, rejects) if part)


def rows_table(title: str, rows: Rows) -> Table:
    """A query's result."""
    table = Table(title=title, title_justify="left")
    for name in rows.columns:
        table.add_column(name)
    for row in rows.rows:
        table.add_row(
            *(
                ""
                if value is None
                else f"{value:,}"
                if isinstance(value, int) and not isinstance(value, bool)
                else str(value)
                for value in row
            )
        )
    return table


def stages_table(stages: dict[str, float]) -> Table:
    """Where the time went."""
    table = Table(title="time", title_justify="left")
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    for stage, seconds in stages.items():
        table.add_row(_STAGES.get(stage, stage), f"{seconds:.1f}")
    return table


def troubled(files: tuple[FileStatus, ...]) -> tuple[FileStatus, ...]:
    """Those that a person should look at."""
    return tuple(file for file in files if file.state in TROUBLED or file.counts.rejected)
