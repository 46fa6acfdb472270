"""A second batch of Gluebook on one Java: classes are loaded, and what the first batch needed is compiled.

AWS Glue doesn't offer that; a long-running worker would. Else it is the run of `gluebook_cold`.
"""

from __future__ import annotations

from dataclasses import replace

from bench.contenders.gluebook_cold import deployed, measured, upload, wait_until_loaded
from bench.task import Outcome, Task

_FIRST_BATCH_RECORDS = 445
# The first batch has other rows than the second: other days, other incidents.
_OTHER_KEYS = {b"2023-": b"1999-", b"INC": b"OLD"}


def run(task: Task) -> Outcome:
    """A small batch first; measured is the one after it."""
    with deployed(cold=False) as running:
        first = _first_batch(task)
        upload(running, first)
        wait_until_loaded(running, first)
        return measured(running, task)


def _first_batch(task: Task) -> Task:
    """The first records of the first file, with other keys."""
    folder = task.folder / "first"
    folder.mkdir()
    path = folder / f"first{task.files[0].suffix}"
    with task.files[0].open("rb") as file, path.open("wb") as target:
        for line, _ in zip(file, range(_FIRST_BATCH_RECORDS), strict=False):
            for old, new in _OTHER_KEYS.items():
                line = line.replace(old, new)
            target.write(line)
    return replace(task, files=(path,))
