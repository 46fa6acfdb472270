"""How long one small file takes from the upload to its rows, with cold job runs and with warm ones.

    python bench/small_file.py [files]

Two laptops take files of 445 MongoDB log lines in turn. On one of them each job run starts Java anew, as with
`--cold`; the other one is idle and ready before its first file. Prints a Markdown table of the seconds of each stage
and of the processor seconds of all processes of the laptop.
"""

from __future__ import annotations

import argparse
import ctypes
import gzip
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import psutil

from bench.contenders.gluebook_cold import Times, deployed, job_runs, outcome, upload, wait_until_loaded
from bench.inputs import INPUTS, REAL_DATA, SINGLE_LINES, log_lines
from bench.running import a_task
from gluebook.cli.laptop import Laptop
from localaws.processes import Process

_INPUT = "single"
_PR_SET_CHILD_SUBREAPER = 36
_STAGES = ("until the job starts", "job", "event and load", "all", "processor seconds")


def serve(kind: str, answers: int) -> None:
    """Take the files that standard input names, one at a time, and answer with the seconds of its stages."""
    # What outlives its parent, as Java outlives a script, becomes a child of this process, so that it is counted.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with deployed(cold=kind == "cold") as running:
        running.aws.jobs.wait_ready()
        for request in sys.stdin:
            seconds = _one(running, Path(json.loads(request)["file"]))
            os.write(answers, json.dumps(seconds).encode() + b"\n")


def _one(running: Laptop, file: Path) -> dict[str, float]:
    task = a_task(_INPUT, (file,), file.parent, "")
    before, begun = _processor_seconds(), time.time()
    upload(running, task)
    batches = wait_until_loaded(running, task)
    used = _processor_seconds() - before
    run = max(job_runs(running, task), key=lambda run: run["StartedOn"])
    times = Times(begun, run["StartedOn"].timestamp(), run["CompletedOn"].timestamp())
    found = outcome(running, task, batches, times)
    return dict(zip(_STAGES, (times.started - begun, found.job, found.load, found.total, used), strict=True))


def _processor_seconds() -> float:
    """What this process and all that it has started have used so far."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = time.process_time() + ended.ru_utime + ended.ru_stime
    living = [each.cpu_times() for each in psutil.Process().children(recursive=True)]
    return seconds + sum(
        float(each.user + each.system + each.children_user + each.children_system) for each in living
    )


def _files(folder: Path) -> Iterator[Path]:
    """Endless files, each with lines of its own."""
    with gzip.open(REAL_DATA / INPUTS[_INPUT].real) as file:
        lines = log_lines(file.read().splitlines())
    number = 0
    while True:
        number += 1
        path = folder / f"mongod-{number:03d}.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in islice(lines, SINGLE_LINES)))
        yield path


def _laptop(kind: str, folder: Path) -> Process:
    command = [sys.executable, __file__, "--serve", kind]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return Process(command, {**os.environ, "PYTHONPATH": path}, folder, sys.stderr.buffer.write, answers=True)


def main(count: int) -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory(prefix="gluebook-bench-") as temporary:
        folder = Path(temporary)
        with closing(_laptop("cold", folder)) as cold, closing(_laptop("warm", folder)) as warm:
            found: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
            for path in islice(_files(folder), count):
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
