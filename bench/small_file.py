"""How long one small file takes from the upload to its rows, with cold job runs and with warm ones.

    python -m bench.small_file [files]

Two laptops take files of 445 MongoDB log lines in turn. On one of them each job run starts Java anew, as with
`--cold`; the other one is idle and ready before its first file. Prints a Markdown table of the seconds of each stage
and of the processor seconds of all processes of the laptop.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

import psutil

from bench.batches import files
from bench.contenders.gluebook_cold import deployed, measured
from bench.inputs import SINGLE_LINES
from bench.running import ROOT, a_task
from gluebook.cli.laptop import Laptop
from localaws.processes import Process

_INPUT = "single"
_PR_SET_CHILD_SUBREAPER = 36
_STAGES = ("until the job starts", "job", "event and load", "all", "processor seconds")


def serve(kind: str, answers: int) -> None:
    """Say that the laptop is ready, then take files one at a time and answer with the seconds of their stages."""
    # What outlives its parent, as Java outlives a script, becomes a child of this process, so that it is counted.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with deployed(cold=kind == "cold", rehearse=True) as running:
        running.aws.jobs.wait_ready()
        os.write(answers, b"{}\n")
        for request in sys.stdin:
            seconds = _one(running, Path(json.loads(request)["file"]))
            os.write(answers, json.dumps(seconds).encode() + b"\n")


def _one(running: Laptop, file: Path) -> dict[str, float]:
    task = a_task(_INPUT, (file,), file.parent, "")
    before = _processor_seconds()
    found = measured(running, task)
    used = _processor_seconds() - before
    admit = found.details["until the job starts"]
    return dict(zip(_STAGES, (admit, found.job, found.load, found.total, used), strict=True))


def _processor_seconds() -> float:
    """What this process and all that it has started have used so far."""
    living = sum(map(_used, psutil.Process().children(recursive=True)))
    # Read last: what has ended meanwhile is in it.
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + living + ended.ru_utime + ended.ru_stime


def _used(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _laptop(kind: str) -> Process:
    command = [sys.executable, "-m", "bench.small_file", "--serve", kind]
    return Process(command, os.environ, ROOT, sys.stderr.buffer.write, answers=True)


def main(count: int) -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory(prefix="gluebook-bench-") as temporary:
        folder = Path(temporary)
        with closing(_laptop("cold")) as cold, closing(_laptop("warm")) as warm:
            for laptop in (cold, warm):
                laptop.exchange(None, lambda: True)  # it is ready
            found: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
            for path in islice(files(SINGLE_LINES, folder), count):
                for kind, laptop in (("cold", cold), ("warm", warm)):
                    answer = laptop.exchange({"file": str(path)}, lambda: True)
                    assert answer is not None
                    found[kind].append(answer)
        print(report(found))


def report(found: dict[str, list[dict[str, float]]]) -> str:
    """The Markdown table: the first file by itself, and the median of the others."""
    lines = [f"| | {' | '.join(_STAGES)} |", "|---|" + "---|" * len(_STAGES)]
    for kind, every in found.items():
        for which, some in (("first file", every[:1]), (f"median of {len(every) - 1} more", every[1:])):
            if some:
                values = (statistics.median(each[stage] for each in some) for stage in _STAGES)
                lines.append(f"| {kind}, {which} | {' | '.join(f'{value:.1f}' for value in values)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("files", type=int, nargs="?", default=6)
    arguments.add_argument("--serve", nargs=2, metavar=("KIND", "FD"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.serve:
        serve(given.serve[0], int(given.serve[1]))
    else:
        main(given.files)
