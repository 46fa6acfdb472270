"""`python -m chaos --runs 2000 --seed 1`, or `--schedule FILE` (PYTHONPATH=src:tests).

Prints a report; for a failing schedule also its problems, the shrunk schedule and the command that replays it.
Exit code 1 if any failed.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from chaos.play import Outcome, play
from chaos.redshift import Redshift, open_redshift
from chaos.report import Report
from chaos.schedule import schedule
from chaos.shrink import shrink
from chaos.steps import Step

_MOST_SHRUNK = 3
_MOST_SHOWN = 8


def main() -> int:
    """The exit code."""
    options = _options()
    logging.disable(logging.CRITICAL)
    report = Report()
    began = time.monotonic()
    with open_redshift() as redshift:
        for name, steps in _schedules(options):
            outcome = play(steps, redshift)
            report.add(name, outcome)
            if outcome.problems:
                _say(f"schedule {name} failed:")
                _show(outcome)
                if len(report.failed) <= options.shrink:
                    _shrunk(name, steps, outcome, redshift)
                if options.stop:
                    break
    _say(f"{report}\n{time.monotonic() - began:.1f} s")
    return 1 if report.failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="how many schedules")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; the others follow it")
    parser.add_argument("--schedule", type=Path, help="a file with one schedule, to be played instead")
    parser.add_argument("--stop", action="store_true", help="stop at the first that fails")
    parser.add_argument("--shrink", type=int, default=_MOST_SHRUNK, help="how many of the failed to shorten")
    return parser.parse_args()


def _schedules(options: argparse.Namespace) -> Iterator[tuple[str, list[Step]]]:
    if options.schedule:
        yield str(options.schedule), json.loads(options.schedule.read_text())
        return
    for seed in range(options.seed, options.seed + options.runs):
        yield str(seed), schedule(seed)


def _shrunk(name: str, steps: list[Step], outcome: Outcome, redshift: Redshift) -> None:
    kinds = {problem.kind for problem in outcome.problems}

    def fails(candidate: list[Step]) -> bool:
        return any(problem.kind in kinds for problem in play(candidate, redshift).problems)

    short = shrink(steps, fails)
    path = Path(tempfile.gettempdir()) / f"chaos-{Path(name).stem}.json"
    path.write_text("[" + ",\n ".join(json.dumps(step) for step in short) + "]\n")
    _say(f"shortened to {len(short)} steps:\n{path.read_text()}")
    _show(play(short, redshift))
    _say(f"play it again: PYTHONPATH=src:tests python -m chaos --schedule {path}\n")


def _show(outcome: Outcome) -> None:
    for problem in outcome.problems[:_MOST_SHOWN]:
        _say(f"  {problem}")
    # Problems that differ only in numbers are printed once.
    said = {re.sub(r"\d+", "", error): error for error in outcome.errors}
    for error in list(said.values())[:_MOST_SHOWN]:
        _say(f"  died: {error}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
