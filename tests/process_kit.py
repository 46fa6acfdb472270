"""Processes that tests start, as scripts and people do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil


def deaf(command: Sequence[str]) -> list[str]:
    """`command` as a script starts it that ignores SIGINT and SIGTERM: with `&`, under nohup, in many CI runners."""
    return ["/bin/sh", "-c", "trap '' INT TERM; exec \"$@\"", "sh", *command]


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], cwd: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process whose stdout can be read. If the block fails it is killed with all that it has started."""
    with subprocess.Popen(command, env=environment, cwd=cwd, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        except BaseException:
            # Else leaving the block would wait for an end that nobody asks for any more.
            for one in [*psutil.Process(process.pid).children(recursive=True), process]:
                one.kill()
            raise
