"""Stages of a long command: the current one, and the time that each takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gluebook.cli import screens
from gluebook.core.states import SETTLED
from gluebook.operations.status import Overview


class Stopwatch:
    """Seconds by stage, in the order in which the stages began."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stage: str | None = None
        self._since = 0.0

    def begin(self, stage: str) -> None:
        """End the current stage and begin `stage`."""
        self.end()
        self._stage, self._since = stage, time.monotonic()

    def end(self) -> None:
        """End the current stage."""
        if self._stage is not None:
            spent = time.monotonic() - self._since
            self.seconds[self._stage] = round(self.seconds.get(self._stage, 0.0) + spent, 3)
        self._stage = None


class StageProgress:
    """A bar of settled files with the current stage; nothing where stderr is not a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def show(self, stage: str) -> None:
        """Show `stage`: a name of STAGES, or any text."""
        self._progress.update(self._task, description=screens.STAGES.get(stage, stage))

    def expect(self, files: int) -> None:
        """Set the number of files to settle."""
        self._progress.update(self._task, total=files, completed=0)

    def watch(self, stage: str, seen: Overview) -> None:
        """Show how many files are settled."""
        self.show(stage)
        done = sum(file.state in SETTLED for file in seen.files)
        self._progress.update(self._task, completed=done)


@contextmanager
def stage_progress() -> Iterator[StageProgress]:
    """Progress on stderr, removed at the end."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = screens.err
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield StageProgress(progress)


class Stages:
    """A stopwatch with its progress."""

    def __init__(self, progress: StageProgress) -> None:
        self.clock = Stopwatch()
        self.progress = progress

    def begin(self, stage: str) -> None:
        """Begin `stage`."""
        self.clock.begin(stage)
        self.progress.show(stage)


@contextmanager
def stages() -> Iterator[Stages]:
    """The stages of a command; the last one ends with the block."""
    with stage_progress() as progress:
        running = Stages(progress)
        try:
            yield running
        finally:
            running.clock.end()
