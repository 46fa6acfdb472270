"""The laptop answers what AWS's documentation promises, and what an AWS account once answered otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localaws.dynamodb import limits
from localaws.iam import Authorizer
from localaws.redshift import load, models
from verify_aws.answers import compare, differences, expected, not_asked
from verify_aws.ask import SERVICES, ask
from verify_aws.laptop import on_laptop
from verify_aws.statements import Kept, due, read_kept, write_kept

# What Glue's executors import takes Spark to ask; tests/infra/test_players_jobs.py holds it.
QUICK = tuple(service for service in SERVICES if service != "glue")


def wrong(*services: str) -> dict[str, str]:
    """The laptop's answers that are not the expected ones, by probe."""
    with on_laptop() as place:
        found = dict(ask(place, *services))
    compared = [one for one in compare(found, laptop=True) if one.probe.startswith(services)]
    return {one.probe: one.found for one in compared if one.asked and not one.agrees}


def test_the_laptop_gives_the_expected_answers() -> None:
    assert wrong(*QUICK) == {}


def test_what_aws_answered_otherwise_is_what_is_expected_by_now() -> None:
    for probe, asked in differences().items():
        assert expected()[probe].answer == asked["aws"], f"teach localaws, or list it: {probe}"


@pytest.mark.parametrize(
    ("service", "removed", "probes"),
    [
        (
            "s3",
            [(Authorizer, "_hiding_missing", lambda self, call, session, _: self._handler(call, session))],
            {"s3: read a missing key without ListBucket"},
        ),
        (
            "dynamodb",
            [(limits, "MOST_ITEM_BYTES", 1 << 30)],
            {"dynamodb: an item of 400 KB and a byte"},
        ),
        (
            "redshift",
            [
                (load, "_check_bucket", lambda s3, url: None),
                (models, "RETENTION_SECONDS", 48 * 60 * 60),
            ],
            {
                "redshift: copy with GetObject only",
                "redshift: describe a statement after a day",
                "redshift: fetch its result",
            },
        ),
    ],
)
def test_a_rule_that_the_laptop_loses_is_noticed(
    monkeypatch: pytest.MonkeyPatch, service: str, removed: list[tuple[Any, str, Any]], probes: set[str]
) -> None:
    for of, rule, instead in removed:
        monkeypatch.setattr(of, rule, instead)
    assert probes <= wrong(service).keys()


def test_the_laptop_answers_every_probe_that_is_not_only_for_aws() -> None:
    services = tuple(service for service in SERVICES if service not in QUICK)
    skipped = {one.probe for one in compare({}, laptop=True) if not one.asked}
    only_there = {probe for probe, known in expected().items() if known.only_on_aws}
    assert skipped == only_there
    assert not any(probe.startswith(services) for probe in only_there)


def test_a_probe_without_an_answer_is_wrong_and_one_that_was_not_asked_is_not() -> None:
    probe = "redshift: describe a statement after a day"
    states = {
        found.get(probe, ""): (one.asked, one.agrees)
        for found in ({}, {probe: not_asked("too early")}, {probe: "400 ValidationException: has expired"})
        for one in compare(found, laptop=False)
        if one.probe == probe
    }
    assert states == {
        "": (True, False),
        "not asked: too early": (False, False),
        "400 ValidationException: has expired": (True, True),
    }


def test_a_statement_is_left_to_a_run_a_day_later_in_the_same_account_and_region(tmp_path: Path) -> None:
    file, now = tmp_path / "build" / "kept.json", datetime(2026, 1, 5, tzinfo=UTC)
    assert read_kept(file) == []
    kept = [
        Kept("1", region, f"s-{hours}", (now - timedelta(hours=hours)).isoformat())
        for hours, region in ((25, "us-east-1"), (24, "us-east-1"), (23, "us-east-1"), (25, "eu-west-1"))
    ]
    write_kept(file, kept)
    assert read_kept(file) == kept
    assert [one.statement for one in due(kept, "1", "us-east-1", now)] == ["s-25", "s-24"]
    assert due(kept, "2", "us-east-1", now) == []
