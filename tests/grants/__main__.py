"""`python -m grants [--write] [--chain 10 --seed N]` (PYTHONPATH=src:tests): use every grant, then remove each.

Plays the scenario of `gluebook iam report` once, and evaluates its requests again without each single grant.
`--write` writes docs/grants.md and tests/grants/recording.json. `--chain N` removes N grants, chosen by seed (the
commit's hash unless given), each from a laptop AWS of its own, and plays the scenario there until the refusal is
named. Exit code 1 if a grant is unused, or its removal is not reported.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Sequence

from gluebook.cli.laptop import laptop
from gluebook.cli.laptop.scenario import PARAMETERS, play
from gluebook.cli.screens.refusals import refusals
from grants import page, recording
from grants.deployed import deployed
from grants.removing import chain_without, missed, reported
from grants.template import Granted, grants, is_played

_PATIENCE_SECONDS = 1800


def main() -> int:
    """The exit code."""
    options = _options()
    wrong = 0
    if options.write or not options.chain:
        wrong += _scenario(write=options.write)
    if options.chain:
        wrong += _chain(options.chain, options.seed, options.grant)
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="grants", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/grants.md and the recording")
    parser.add_argument(
        "--chain", type=int, default=0, help="how many grants to remove from a deployed chain"
    )
    parser.add_argument("--seed", type=int, help="which ones; the commit's hash, if not given")
    parser.add_argument("--grant", action="append", help="only grants like ROLE/ACTION; may be repeated")
    return parser.parse_args()


def _scenario(*, write: bool) -> int:
    with laptop(_say, parameters=PARAMETERS) as running:
        play(running, _say, _PATIENCE_SECONDS)
        report, here, allowed = running.aws.report(), deployed(running), running.aws.allowed()
        found = {one: refused for one, refused in missed(here, allowed).items() if is_played(one)}
        used = {(one.role, one.policy, one.statement, one.action, one.resource): one for one in report.grants}
        uses = {
            granted: used[role, one.policy, one.statement, one.action, one.resource]
            for (role, one), granted in here.grants.items()
            if is_played(granted)
        }
        if write:
            page.write(uses)
            recording.save(allowed, here)
    for granted, refused in found.items():
        for line in reported(granted, refused) or [f"NOT REPORTED: {_named(granted)}"]:
            _say(line)
    refused_lines = refusals(report)
    for line in refused_lines:
        _say(f"DENIED with all grants: {line}")
    missing = sum(not refused for refused in found.values())
    unused = sum(not use.used for use in uses.values())
    _say(f"{len(found) - missing} of {len(found)} removed grants are reported; {unused} are unused")
    return missing + unused + len(refused_lines)


def _chain(count: int, seed: int | None, only: Sequence[str] | None) -> int:
    seed = int(_git_hash()[:8], 16) if seed is None else seed
    every = [one for one in filter(is_played, grants()) if not only or f"{one.role}/{one.action}" in only]
    chosen = every if only else random.Random(seed).sample(every, min(count, len(every)))
    _say(f"{len(chosen)} grants, seed {seed}")
    silent = 0
    for granted in chosen:
        began = time.monotonic()
        lines = chain_without(granted)
        silent += not lines
        _say(f"removed {_named(granted)}: {time.monotonic() - began:.0f} s")
        for line in lines or ["NOT REPORTED"]:
            _say(f"    {line}")
    _say(f"{len(chosen) - silent} of {len(chosen)} removed grants are named by the running chain")
    return silent


def _git_hash() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _named(granted: Granted) -> str:
    return f"{granted.role} {granted.action} on {granted.resource}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
