"""Least privilege, proven by execution: what the story needs is granted, and nothing else is."""

from __future__ import annotations

import pytest

from chain.kit import Chain
from chain.story import Story
from grants import recording
from grants.deployed import Deployed, deployed
from grants.removals import refused
from grants.removing import missed, reported

# Six of those whose absence nobody was told of once.
ONCE_SILENT = {
    ("LoadRole", "dynamodb:DeleteItem"),
    ("AdmitRole", "sqs:DeleteMessage"),
    ("CrawlerRole", "glue:CreateTable"),
    ("SupportTicketsJobRole", "s3:DeleteObject"),
    ("AdmitRole", "dynamodb:Query"),
    ("LoadRole", "redshift-data:BatchExecuteStatement"),
}


@pytest.fixture(scope="module")
def here(chain: Chain) -> Deployed:
    return deployed(chain.laptop)


def test_no_role_was_refused_anything(chain: Chain, story: Story) -> None:
    report = chain.laptop.aws.report()
    assert report.denied == ()
    assert report.unmapped == ()
    assert report.unjudged == ()


def test_what_was_recorded_is_allowed_by_todays_policies(here: Deployed) -> None:
    recorded = recording.load(here)
    assert recorded
    assert [
        (one.caller.role, one.need.action, one.need.resource)
        for role in here.roles.values()
        for one in refused(role, recorded, here.resource_policy)
    ] == [], "`make grants` records anew what is needed"


def test_each_grant_that_is_taken_away_is_missed_and_named(here: Deployed) -> None:
    lines = {
        granted: reported(granted, refusals)
        for granted, refusals in missed(here, recording.load(here)).items()
    }
    assert len(lines) == len(here.grants)
    silent = [(one.role, one.action, one.resource) for one, said in lines.items() if not said]
    assert silent == [], "`make grants` plays a scenario in which they must be used, or they are to go"
    for granted, said in lines.items():
        assert all(line.startswith(f"{granted.role_name} was refused {granted.action} on ") for line in said)
    assert {(one.role, one.action) for one in lines} >= ONCE_SILENT


def test_what_the_chain_itself_has_used_is_missed_too(chain: Chain, story: Story, here: Deployed) -> None:
    """Without the recording: what is used now, by the code of now."""
    used = {
        (one.role, one.policy, one.statement, one.action, one.resource)
        for one in chain.laptop.aws.report().used
    }
    found = missed(here, chain.laptop.aws.allowed())
    for (role, grant), granted in here.grants.items():
        was_used = (role, grant.policy, grant.statement, grant.action, grant.resource) in used
        assert bool(found[granted]) == was_used, granted
