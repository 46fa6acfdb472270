"""docs/grants.md and the recording behind it are of today's template, judged without playing the scenario."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gluebook.sample.truth import LOGS, TICKETS
from grants import page, recording
from grants.template import Granted, grants, is_played

HINT = (
    "the template's grants have changed: `make grants` plays the scenario again and writes what it has used"
)


def generated(file: Path) -> str:
    assert file.is_file(), HINT
    return file.read_text(encoding="utf-8")


def test_the_page_lists_exactly_the_grants_that_the_scenario_can_use() -> None:
    rows = page.listed(generated(page.FILE))
    played = filter(is_played, grants())
    assert [row[:4] for row in rows] == [(one.role, *page.cells(one)) for one in played], HINT


def test_each_listed_grant_was_used_by_somebody() -> None:
    rows = page.listed(generated(page.FILE))
    assert [row for row in rows if row[4] not in ("code", "AWS", "code, AWS")] == [], HINT


def test_the_recording_knows_every_role() -> None:
    recorded = {one["caller"]["role"] for one in json.loads(generated(recording.FILE))}
    assert recorded == {one.role_name for one in filter(is_played, grants())}, HINT


@pytest.mark.parametrize(
    ("condition", "found"), [("Wanted", ["sqs:SendMessage"]), ("Unwanted", []), (None, ["sqs:SendMessage"])]
)
def test_a_role_counts_if_it_is_deployed_with_default_parameters(
    tmp_path: Path, condition: str | None, found: list[str]
) -> None:
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}
    denied = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    document = {"PolicyName": "p", "PolicyDocument": {"Statement": [statement, denied]}}
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"RoleName": {"Fn::Sub": "${Prefix}-r"}, "Policies": [document]},
        **({"Condition": condition} if condition else {}),
    }
    template = {
        "Parameters": {"Prefix": {"Default": "p"}, "Key": {"Default": ""}},
        "Conditions": {
            "Wanted": {"Fn::Equals": [{"Ref": "Key"}, ""]},
            "Unwanted": {"Fn::Not": [{"Condition": "Wanted"}]},
        },
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}, "R": role},
    }
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))
    assert [one.action for one in grants(file)] == found
    if found:
        assert grants(file) == [Granted("R", "p-r", "p", "#1", "sqs:SendMessage", "${Queue.Arn}")]


def test_the_scenario_can_use_every_grant_but_those_of_a_dataset_without_generated_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("grants.template.CONTRACTS", dict.fromkeys((TICKETS, LOGS)))
    assert all(map(is_played, grants()))
    monkeypatch.setattr("grants.template.LOGS", "another")
    unplayed = [one for one in grants() if not is_played(one)]
    assert {one.role for one in unplayed} == {"AdmitRole", "LoadRole", "SweepRole", "AppLogsJobRole"}
    assert all("AppLogs" in one.resource for one in unplayed if one.role != "AppLogsJobRole")
