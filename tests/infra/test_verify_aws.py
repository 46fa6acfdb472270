"""The laptop answers what AWS's documentation promises, and what an AWS account once answered otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from localaws import dynamodb_limits
from localaws.iam import Authorizer
from localaws.redshift import load
from localaws.stack import LocalAws
from verify_aws.__main__ import laptop_place
from verify_aws.answers import compare, differences, expected
from verify_aws.ask import SERVICES, ask

# What Glue's executors import takes Spark to ask; tests/infra/test_players_jobs.py holds it.
QUICK = tuple(service for service in SERVICES if service != "glue")


def wrong(*services: str) -> dict[str, str]:
    """The laptop's answers that are not the expected ones, by probe."""
    with LocalAws(schedule_speed=None) as aws, laptop_place(aws) as place:
        found = dict(ask(place, *services))
    compared = compare(found, laptop=True)
    return {one.probe: one.found for one in compared if not one.agrees and one.probe.startswith(services)}


def test_the_laptop_gives_the_expected_answers() -> None:
    assert wrong(*QUICK) == {}


def test_what_aws_answered_otherwise_is_what_is_expected_by_now() -> None:
    for probe, asked in differences().items():
        assert expected()[probe].answer == asked["aws"], f"teach localaws, or list it: {probe}"


@pytest.mark.parametrize(
    ("service", "of", "rule", "removed", "probe"),
    [
        (
            "s3",
            Authorizer,
            "_hiding_missing",
            lambda self, call, session, _: self._handler(call, session),
            "s3: read a missing key without ListBucket",
        ),
        (
            "dynamodb",
            dynamodb_limits,
            "MOST_ITEM_BYTES",
            1 << 30,
            "dynamodb: an item of 400 KB and a byte",
        ),
        (
            "redshift",
            load,
            "_look_into_bucket",
            lambda s3, url: None,
            "redshift: copy with GetObject only",
        ),
    ],
)
def test_a_rule_that_the_laptop_loses_is_noticed(
    monkeypatch: pytest.MonkeyPatch, service: str, of: Any, rule: str, removed: Any, probe: str
) -> None:
    monkeypatch.setattr(of, rule, removed)
    assert probe in wrong(service)
