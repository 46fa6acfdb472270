"""Least privilege, proven by execution: what the story needs is granted, and nothing else is."""

from __future__ import annotations

import json

import pytest

from chain.kit import Chain
from chain.story import Story

# Granted though the story doesn't use it, and why.
UNUSED = {
    # On AWS the runtimes write logs under the role; the laptop's players keep them in files.
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    # Lambda's poller asks for it on AWS when a mapping is made.
    "sqs:GetQueueAttributes",
    # Only when a transfer in parts is broken off.
    "s3:AbortMultipartUpload",
    # A crawl on AWS asks for more than the laptop's.
    "glue:GetDatabase",
    "glue:UpdateTable",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
    "glue:UpdatePartition",
}
# Only when files are still pending at the end of a run, which the story's timing may or may not bring about.
BY_TIMING = {("gluebook-load", "glue:StartJobRun")}
# The safety net has nothing to catch when no event gets lost.
UNUSED_BY_SWEEP = {
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "glue:StartJobRun",
    "glue:StartCrawler",
    "redshift-data:ExecuteStatement",
    "redshift-serverless:GetCredentials",
    "redshift-data:DescribeStatement",
    "redshift-data:GetStatementResult",
}


def test_no_role_was_refused_anything(chain: Chain, story: Story) -> None:
    report = chain.laptop.aws.report()
    assert report.denied == ()
    assert report.unmapped == ()


def test_no_role_is_granted_what_it_does_not_use(chain: Chain, story: Story) -> None:
    used = {(grant.role, grant.action) for grant in chain.laptop.aws.report().used}
    unused = {(grant.role, grant.action) for grant in chain.laptop.aws.report().unused} - used - BY_TIMING
    excess = {
        (role, action)
        for role, action in unused
        if action not in UNUSED and not (role == "gluebook-sweep" and action in UNUSED_BY_SWEEP)
    }
    assert excess == set()


@pytest.mark.parametrize(
    ("function", "sid", "denied"), [("gluebook-admit", "KeepLedger", "dynamodb:PutItem")]
)
def test_a_grant_taken_away_is_missed(
    chain: Chain,
    story: Story,
    function: str,
    sid: str,
    denied: str,
) -> None:
    iam = chain.laptop.aws.endpoint.client("iam")
    (name,) = iam.list_role_policies(RoleName=function)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=function, PolicyName=name)["PolicyDocument"]
    without = {**policy, "Statement": [s for s in policy["Statement"] if s["Sid"] != sid]}
    body = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": "b"},
            "object": {"key": "x", "version-id": "v", "size": 1, "sequencer": "1"},
        },
    }
    event = {"Records": [{"messageId": "m", "body": json.dumps(body)}]}
    iam.put_role_policy(RoleName=function, PolicyName=name, PolicyDocument=json.dumps(without))
    try:
        answer = chain.laptop.aws.functions.invoke(function, event)
    finally:
        iam.put_role_policy(RoleName=function, PolicyName=name, PolicyDocument=json.dumps(policy))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert any(d.role == function and d.action == denied for d in chain.laptop.aws.report().denied)
