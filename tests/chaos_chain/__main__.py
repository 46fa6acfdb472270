"""`python -m chaos_chain --runs 30 --seed 1` (PYTHONPATH=src:tests): the whole chain, with real kills.

First a file that kills every run, then ten thousand events, at once and spread; then schedules of uploads,
corrections, kills, lost events and failing calls on one laptop AWS. Exit code 1 if anything isn't as it must be.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable

from chaos_chain.chain import ChaoticChain, chaotic_chain
from chaos_chain.killers import DISTURBANCES, KILLS
from chaos_chain.scenarios import Burst, burst, poison

_SCENES = ("poison", "at-once", "spread", "kills")
_UPLOADS = 8
_GOOD_FILES, _MOST_POISON_RUNS = 40, 20
_MOST_RUNS_AT_ONCE, _MOST_RUNS_SPREAD, _SPREAD = 3, 8, 5
# What a deployment on AWS has; the laptop reacts sooner, and would start more runs.
_DEFAULTS = {
    "LeaseSeconds": "600",
    "ArrivalWindowSeconds": "20",
    "StartRetrySeconds": "60",
    "SweepSchedule": "rate(5 minutes)",
}


def main() -> int:
    """The exit code."""
    options = _options()
    logging.disable(logging.CRITICAL)
    plays: tuple[Callable[[], int], ...] = (
        _poison,
        lambda: _at_once(options.versions),
        lambda: _spread(options.versions),
        lambda: _kills(options.runs, options.seed),
    )
    chosen = options.only or _SCENES
    wrong = [scene for scene, play in zip(_SCENES, plays, strict=True) if scene in chosen and play()]
    _say(f"not as it must be: {', '.join(wrong)}" if wrong else "all is as it must be")
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos_chain", description=__doc__)
    parser.add_argument("--runs", type=int, default=30, help="how many schedules with kills")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same files and faults")
    parser.add_argument("--versions", type=int, default=9_000, help="file versions of a burst")
    parser.add_argument("--only", action="append", choices=_SCENES, help="may be repeated; all, if not given")
    return parser.parse_args()


def _kills(runs: int, seed: int) -> int:
    with chaotic_chain(seed) as chaotic:
        return _schedules(chaotic, runs, seed)


def _schedules(chaotic: ChaoticChain, runs: int, seed: int) -> int:
    failed = lost = doubled = 0
    for number in range(runs):
        began = time.monotonic()
        # Something is killed in every schedule; events and calls fail in half of them.
        kills = chaotic.random.sample(KILLS, chaotic.random.randint(1, 3))
        more = [kind for kind in DISTURBANCES if chaotic.random.random() < 0.5]
        result = chaotic.play([*kills, *more], _UPLOADS)
        lost, doubled, failed = lost + result.lost, doubled + result.doubled, failed + (not result.holds)
        _say(f"{number + 1:3d} of {runs}  {' '.join([*kills, *more])}  {time.monotonic() - began:.0f} s")
        for text in result.wrong:
            _say(f"      {text}")
    _say(f"{runs} schedules of the whole chain from seed {seed}, {failed} failed")
    _say(f"rows lost: {lost}, rows doubled: {doubled}")
    for kind, count in sorted(chaotic.counts.items()):
        _say(f"{kind.ljust(28)} {count:>6,}")
    return failed


def _poison() -> int:
    with chaotic_chain(1) as chaotic:
        found = poison(chaotic, good=_GOOD_FILES)
    _say(f"{_GOOD_FILES} good files and one that kills its run: {found}")
    return int(not (found.holds and found.rows == _GOOD_FILES and found.runs <= _MOST_POISON_RUNS))


def _at_once(versions: int) -> int:
    with chaotic_chain(1, **_DEFAULTS) as chaotic:
        found = burst(chaotic, versions)
    _say(f"all at once: {found}")
    return _is_wrong(found, versions, _MOST_RUNS_AT_ONCE)


def _spread(versions: int) -> int:
    with chaotic_chain(1, **_DEFAULTS) as chaotic:
        found = burst(chaotic, versions, over_runs=_SPREAD)
    _say(f"spread over {_SPREAD} times the length of a run: {found}")
    return _is_wrong(found, versions, _MOST_RUNS_SPREAD)


def _is_wrong(found: Burst, versions: int, most_runs: int) -> bool:
    all_there = found.states == {"LOADED": versions} and found.rows == versions
    return not all_there or found.runs > most_runs or found.dead_letters > 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
