"""Run the rings of tests in two processes side by side: while one waits, the other computes.

`python tests/rings.py [PYTEST-OPTION ...]`; the first one's output is shown as it comes, the second's when both
are done. Exit status: 0 if both passed.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

TESTS = Path(__file__).parent
# What one and the other take about as long for; each keeps its one Spark session and its one laptop AWS.
SIDE_BY_SIDE = (
    ("spark", "parity", "notebooks", "contract"),
    ("unit", "infra", "chaos", "chain", "chaos_chain"),
)


def main(options: list[str]) -> int:
    """Both processes to their end. Ctrl-C reaches them too, and is waited for until they have cleaned up."""
    # Started in the background of a script we inherit that SIGINT is ignored, and all tests from us.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    placed = {ring for rings in SIDE_BY_SIDE for ring in rings}
    missing = {path.name for path in TESTS.iterdir() if any(path.glob("test_*.py"))} - placed
    if missing:
        sys.stderr.write(f"no place in tests/rings.py for {', '.join(sorted(missing))}\n")
        return 2
    with tempfile.TemporaryFile() as later:
        shown, behind = SIDE_BY_SIDE
        processes = [_start(shown, options, None), _start(behind, options, later)]
        try:
            codes = [process.wait() for process in processes]
        except KeyboardInterrupt:
            codes = [130, *(process.wait() for process in processes)]
        later.seek(0)
        sys.stdout.flush()
        sys.stdout.buffer.write(later.read())
        return max(codes)


def _start(rings: tuple[str, ...], options: list[str], out: IO[bytes] | None) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--durations=15",
        *options,
        *(str(TESTS / ring) for ring in rings),
    ]
    return subprocess.Popen(command, cwd=TESTS.parent, stdout=out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
