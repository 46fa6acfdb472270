"""Many random schedules without lost or duplicated rows; `python -m chaos --runs 2000` runs more."""

from __future__ import annotations

import pytest

from chaos.compare import DOUBLED, LOST
from chaos.play import play
from chaos.redshift import Redshift
from chaos.report import Report
from chaos.schedule import schedule

_GROUPS, _SCHEDULES = 10, 15


@pytest.mark.parametrize("group", range(_GROUPS))
def test_whatever_happens_warehouse_and_lake_are_what_was_put_into_s3(group: int, redshift: Redshift) -> None:
    report = Report()
    problems = {}
    for seed in range(1 + group * _SCHEDULES, 1 + (group + 1) * _SCHEDULES):
        outcome = play(schedule(seed), redshift)
        report.add(str(seed), outcome)
        if outcome.problems:
            problems[seed] = [str(problem) for problem in outcome.problems]
    assert (report.rows[LOST], report.rows[DOUBLED]) == (0, 0), problems
    assert problems == {}, f"PYTHONPATH=src:tests python -m chaos --runs 1 --seed {next(iter(problems))}"
