"""One repetition of one contender: a process of its own, an empty PostgreSQL, an empty folder; nothing stays."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from bench.agreement import facts, table_bytes
from bench.contenders import CONTENDERS, Kind
from bench.inputs import INPUTS
from bench.measuring import PeakMemory
from bench.task import Field, Outcome, Task
from gluebook.sources import source
from localaws.processes import Process
from localaws.redshift import Postgres

ROOT = Path(__file__).resolve().parents[1]
_POLL_SECONDS = 0.05
# A contender that is interrupted may stop what it has started, a whole laptop AWS maybe.
_STOP_SECONDS = 40.0
_LAST_LINES = 25


class ContenderFailed(Exception):
    """A contender's process failed; the message ends with its last output."""


@dataclass(frozen=True)
class Measured:
    """An outcome, and what was seen from outside."""

    outcome: Outcome
    peak_bytes: int
    agreed: dict[str, str]
    table_bytes: int


def measure(contender: str, input_name: str, files: tuple[Path, ...]) -> Measured:
    """Run the contender on these files. Raises ContenderFailed; on Ctrl-C its processes and files go first."""
    kind = CONTENDERS[contender]
    with tempfile.TemporaryDirectory(prefix="gluebook-bench-") as temporary:
        folder = Path(temporary)
        if kind.whole:
            outcome, peak = _run(contender, kind, a_task(input_name, files, folder, ""), folder)
            return Measured(outcome, peak, outcome.agreed or {}, outcome.table_bytes)
        postgres = Postgres.start()
        try:
            task = a_task(input_name, files, folder, postgres.uri)
            outcome, peak = _run(contender, kind, task, folder)
            agreed = facts(postgres.uri, task.dataset)
            return Measured(outcome, peak, agreed, table_bytes(postgres.uri, task.dataset))
        finally:
            postgres.stop()


def python_of(kind: Kind) -> Path:
    """The interpreter that a contender runs in."""
    return ROOT / f".venv-bench-{kind.environment}/bin/python" if kind.environment else Path(sys.executable)


def a_task(input_name: str, files: tuple[Path, ...], folder: Path, database: str) -> Task:
    """The task, with what the source in `gluebook` says of its columns."""
    wanted = INPUTS[input_name]
    known = source(wanted.dataset, wanted.source)
    fields = tuple(
        Field(old, new, column.type, column.nullable, column.personal, known.choices.get(new, {}))
        for old, new in known.renames.items()
        for column in (known.contract.column(new),)
    )
    task = Task(wanted.dataset, wanted.source, files, folder, database, fields)
    if known.layout.framing != "csv":
        return task
    with files[0].open() as file:
        return replace(task, columns=tuple(file.readline().strip().split(",")))


def _run(contender: str, kind: Kind, task: Task, folder: Path) -> tuple[Outcome, int]:
    (folder / "task.json").write_text(task.to_json())
    (folder / "tmp").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # localaws moves its own files elsewhere if the user of its PostgreSQL can't reach this folder.
    environment |= {"TMPDIR": str(folder / "tmp"), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    last: deque[bytes] = deque(maxlen=_LAST_LINES)
    command = [str(python_of(kind)), "-m", "bench.child", kind.module, str(folder), repr(time.time())]
    process = Process(command, environment, ROOT, last.append)
    try:
        with PeakMemory(process.pid, without_root=kind.whole) as memory:
            while process.alive():
                time.sleep(_POLL_SECONDS)
    except BaseException:
        process.interrupt()
        _wait(process)
        raise
    finally:
        process.close()
    written = folder / "outcome.json"
    if process.exit_code() or not written.exists():
        output = b"".join(last).decode(errors="replace")
        raise ContenderFailed(f"{contender} ended with exit status {process.exit_code()}:\n{output}")
    return Outcome.from_json(written.read_text()), memory.peak_bytes


def _wait(process: Process) -> None:
    deadline = time.monotonic() + _STOP_SECONDS
    while process.alive() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
