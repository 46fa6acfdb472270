"""Run the rings of tests, as many at a time as there are cores, the longest first.

    python tests/rings.py [--check] [--quick] [PYTEST-OPTION ...]

Each ring is a process with a Spark session and a laptop AWS of its own, if it needs one. What a ring prints is shown
when it ends. `--check`: `make check` too. `--quick`: the rings of seconds, with few examples of each law, and the
rings whose tests differ from the last commit. Exit status: 0 if all passed.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

TESTS = Path(__file__).parent
# From the longest to the shortest, so that none is left alone at the end.
RINGS = ("spark", "parity", "chain", "infra", "contract", "notebooks", "unit", "chaos_chain", "chaos")
QUICK = ("unit", "contract")
_CHECK = "check"


@dataclass
class Run:
    """The processes under way, and those that failed."""

    options: Sequence[str]
    waiting: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    failed: list[str] = field(default_factory=list)
    printing: threading.Lock = field(default_factory=threading.Lock)
    interrupted: bool = False

    def work(self) -> None:
        """Run one after the other, until none waits or Ctrl-C ends them all."""
        while not self.interrupted:
            try:
                ring = self.waiting.get_nowait()
            except queue.Empty:
                return
            self._run(ring)

    def _run(self, ring: str) -> None:
        begun = time.monotonic()
        with tempfile.TemporaryFile() as printed:
            status = subprocess.run(
                command(ring, self.options),
                cwd=TESTS.parent,
                stdout=printed,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
            with self.printing:
                if status:
                    self.failed.append(ring)
                _show(
                    f"===== {ring}: {'failed' if status else 'passed'} in {time.monotonic() - begun:.0f} s",
                    printed,
                )


def command(ring: str, options: Sequence[str]) -> list[str]:
    """What runs a ring, or the check."""
    if ring == _CHECK:
        return ["make", "--no-print-directory", _CHECK]
    return [sys.executable, "-m", "pytest", "--durations=15", *options, str(TESTS / ring)]


def main(options: list[str]) -> int:
    """All rings to their end. Ctrl-C reaches their processes too, and is waited for until they have cleaned up."""
    # Started in the background of a script we inherit that SIGINT is ignored, and all tests from us.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if missing := {path.name for path in TESTS.iterdir() if any(path.glob("test_*.py"))} - set(RINGS):
        sys.stderr.write(f"no place in tests/rings.py for {', '.join(sorted(missing))}\n")
        return 2
    run = Run([option for option in options if option not in ("--check", "--quick")])
    if "--check" in options:
        run.waiting.put(_CHECK)
    if "--quick" in options:
        os.environ["HYPOTHESIS_PROFILE"] = "quick"
    for ring in quick_rings() if "--quick" in options else RINGS:
        run.waiting.put(ring)
    threads = [threading.Thread(target=run.work) for _ in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        run.interrupted = True
        for thread in threads:
            thread.join()
        return 130
    sys.stdout.write(f"failed: {', '.join(run.failed)}\n" if run.failed else "all passed\n")
    return 1 if run.failed else 0


def quick_rings() -> list[str]:
    """The quick ones, and those with a test that git sees as changed or new."""
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all", "--", str(TESTS)],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ring for ring in RINGS if ring in QUICK or f" tests/{ring}/" in changed]


def _show(title: str, printed: IO[bytes]) -> None:
    sys.stdout.write(f"{title}\n")
    sys.stdout.flush()
    printed.seek(0)
    sys.stdout.buffer.write(printed.read())
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
