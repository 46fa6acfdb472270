"""Run the rings of tests in two processes side by side: one mostly waits, the other mostly computes.

`python tests/rings.py [PYTEST-OPTION ...]`; the first one's output is shown as it comes, the second's when both
are done. Exit status: 0 if both passed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

TESTS = Path(__file__).parent
# Spark wants both cores, services and processes want patience; each keeps its one session for the whole run.
SIDE_BY_SIDE = (
    ("spark", "parity", "notebooks", "chain", "chaos_chain"),
    ("unit", "contract", "infra", "chaos"),
)


def main(options: list[str]) -> int:
    """Both processes to their end. Ctrl-C reaches them too, and is waited for until they have cleaned up."""
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
    command = [sys.executable, "-m", "pytest", *options, *(str(TESTS / ring) for ring in rings)]
    return subprocess.Popen(command, cwd=TESTS.parent, stdout=out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
