"""The process of `gluebook_warm`: runs exported job scripts, one after the other, in one Spark session.

`python bench/warm_worker.py FD`: reads requests {"argv": [script, argument, ...]}, one JSON object a line, and writes
an answer to file descriptor FD after each run. It ends with its standard input.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path

import localaws


def main(answers: int) -> None:
    """Run one script for each request."""
    sys.path.insert(0, str(Path(localaws.__file__).parent / "glue_runtime"))
    for request in sys.stdin:
        sys.argv = json.loads(request)["argv"]
        runpy.run_path(sys.argv[0], run_name="__main__")
        os.write(answers, b'{"done": true}\n')


if __name__ == "__main__":
    main(int(sys.argv[1]))
