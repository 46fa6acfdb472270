"""Stages of a long command: how long each takes, and which one is under way."""

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
        """The stage under way is over, `stage` begins."""
        self.end()
        self._stage, self._since = stage, time.monotonic()

    def end(self) -> None:
        """The stage under way is over."""
        if self._stage is not None:
            spent = time.monotonic() - self._since
            self.seconds[self._stage] = round(self.seconds.get(self._stage, 0.0) + spent, 3)
        self._stage = None


class StageProgress:
    """A bar of settled files with the stage under way; nothing at all where stderr is no terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def tell(self, stage: str) -> None:
        """`stage`, by its name or in words of its own, begins."""
        self._progress.update(self._task, description=screens.STAGES.get(stage, stage))

    def expect(self, files: int) -> None:
        """How many files there are to settle."""
        self._progress.update(self._task, total=files, completed=0)

    def watch(self, stage: str, seen: Overview) -> None:
        """How far the files are."""
        self.tell(stage)
        done = sum(file.state in SETTLED for file in seen.files)
        self._progress.update(self._task, completed=done)


@contextmanager
def stage_progress() -> Iterator[StageProgress]:
    """Progress on stderr, gone when it is over."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = screens.err
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield StageProgress(progress)


class Stages:
    """A stopwatch and what people see of it."""

    def __init__(self, progress: StageProgress) -> None:
        self.clock = Stopwatch()
        self.progress = progress

    def begin(self, stage: str) -> None:
        """`stage` begins."""
        self.clock.begin(stage)
        self.progress.tell(stage)


@contextmanager
def stages() -> Iterator[Stages]:
    """The frame of a command with stages; the last one ends with it."""
    with stage_progress() as progress:
        running = Stages(progress)
        try:
            yield running
        finally:
            running.clock.end()
