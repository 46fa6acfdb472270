"""Can the day's data be trusted?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gluebook.core.model import Counts
from gluebook.operations.status import FileStatus
from gluebook.report.model import DatasetDay, ReportData
from gluebook.report.verdict import Verdict, Word, days_old, judge
from report_kit import DAY, MADE_AT, day_data, day_file
from report_quality import logs_quality, outcome


def good() -> ReportData:
    """A day without a blemish."""
    data = day_data(failed=False)
    checks = tuple(replace(check, failed_in=0) for check in data.datasets[1].checks)
    return replace(data, datasets=(data.datasets[0], replace(data.datasets[1], checks=checks)))


def with_logs(**changes: Any) -> Verdict:
    """The verdict on a good day but for the changes to its logs."""
    data = good()
    return judge(replace(data, datasets=(data.datasets[0], replace(data.datasets[1], **changes))))


def log_file(state: str, counts: Counts | None = None) -> FileStatus:
    return day_file(
        f"app_logs/mongod/dt={DAY}/x-{state}",
        "app_logs",
        "mongod",
        state,
        counts=counts or Counts(10, 10, 0, 0),
    )


def test_a_day_without_a_blemish_can_be_trusted() -> None:
    verdict = judge(good())
    assert verdict.word is Word.YES and len(verdict.reasons) == 1
    assert "5,756 records" in verdict.reasons[0].text


def test_without_a_file_nothing_is_judged_and_nothing_is_green() -> None:
    verdict = judge(ReportData(DAY, MADE_AT, (DatasetDay("support_tickets"), DatasetDay("app_logs"))))
    assert verdict.word is Word.NOTHING
    assert "2026-01-05" in verdict.reasons[0].text


@pytest.mark.parametrize(
    ("changes", "word", "says"),
    [
        ({"files": ()}, Word.RESERVED, "nothing arrived"),
        ({"files": (log_file("REJECTED"), log_file("LOADED"))}, Word.NO, "1 file did not pass the gate"),
        ({"files": (log_file("FAILED"), log_file("LOADED"))}, Word.RESERVED, "could not be processed"),
        ({"files": (log_file("FAILED"),)}, Word.NO, "nothing else arrived"),
        ({"files": (log_file("CURATED"),)}, Word.RESERVED, "still being processed"),
        ({"files": (log_file("LOADED", Counts(10, 8, 0, 1)),)}, Word.NO, "10 records were read but 9"),
        ({"files": (log_file("EMPTY", Counts()), log_file("LOADED"))}, Word.YES, ""),
        (
            {"unchecked": ("app_logs-1",)},
            Word.RESERVED,
            "no report of the gate on 1 batch (app_logs-1)",
        ),
    ],
)
def test_what_is_wrong_with_a_dataset_decides(changes: dict[str, Any], word: Word, says: str) -> None:
    verdict = with_logs(**changes)
    assert verdict.word is word
    assert says in verdict.reasons[0].text


@pytest.mark.parametrize(
    ("severity", "word"), [("critical", Word.NO), ("warning", Word.RESERVED), ("info", Word.YES)]
)
def test_a_missed_expectation_weighs_by_its_severity(severity: str, word: Word) -> None:
    check = replace(good().datasets[1].checks[0], severity=severity, failed_in=1)
    assert with_logs(checks=(check,)).word is word


def test_a_gate_that_was_not_passed_is_a_no_even_without_a_reason() -> None:
    refused = tuple(replace(gated, passed=False) for gated in good().datasets[1].gated)
    assert with_logs(gated=refused).word is Word.NO


def test_the_gravest_reason_comes_first() -> None:
    verdict = with_logs(files=(log_file("FAILED"), log_file("LOADED", Counts(10, 1, 0, 1))), unchecked=("b",))
    assert [reason.weight for reason in verdict.reasons] == [Word.NO, Word.RESERVED, Word.RESERVED]


def test_a_moment_with_a_zone_counts_on_its_day_in_utc() -> None:
    assert days_old("2026-01-05T01:00:00+03:00", DAY) == 1
    assert days_old("2026-01-05T01:00:00", DAY) == 0


def test_an_outcome_that_the_gate_missed_reaches_the_verdict() -> None:
    from gluebook.report.gather import checks_of

    bad = outcome("expect_column_values_to_not_be_null", {"column": "level"}, passed=False, unexpected_rows=3)
    verdict = with_logs(checks=checks_of([logs_quality(outcomes=[bad])]))
    assert verdict.word is Word.NO and "level is never empty" in verdict.reasons[0].text
