"""The process of one contender: `python -m bench.child MODULE FOLDER STARTED`.

FOLDER holds `task.json` and gets `outcome.json`; STARTED is the time in seconds since 1970 at which the process was
started, so that the interpreter and the imports count.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import ModuleType

from bench.task import Outcome, Task


def main(module: str, folder: Path, started: float) -> None:
    """Do the task, and write down how long it took."""
    # Started in the background of a script we inherit that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    task = Task.from_json((folder / "task.json").read_text())
    contender = import_module(f"bench.contenders.{module}")
    outcome = contender.run(task) if hasattr(contender, "run") else _in_two_steps(contender, task, started)
    (folder / "outcome.json").write_text(json.dumps(asdict(outcome)))


def _in_two_steps(contender: ModuleType, task: Task, started: float) -> Outcome:
    counts = contender.job(task)
    written = time.time()
    contender.load(task)
    loaded = time.time()
    size = sum(path.stat().st_size for path in task.parquet.rglob("*.parquet"))
    return Outcome(counts, written - started, loaded - written, loaded - started, size)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
