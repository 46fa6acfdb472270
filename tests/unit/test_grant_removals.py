"""A grant is taken away: what was recorded is judged again by what is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from grants.removals import refused_without, without
from localaws.errors import LocalAwsError
from localaws.iam.deployed import MotoDeployed
from localaws.iam.policy import Grant
from localaws.iam.usage import grants_of
from unit.localaws.iam_laptop import Laptop, allow, role_name, running

OWN = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}


@pytest.fixture(scope="module")
def laptop() -> Iterator[Laptop]:
    with running() as one:
        yield one


def grant(action: str, resource: str, statement: str = "#1") -> Grant:
    return Grant("inline", statement, action, resource)


def test_one_action_on_one_resource_goes_and_all_others_stay() -> None:
    both = {**allow(["s3:GetObject", "s3:PutObject"], ["a", "b"], {"Bool": {}}), "Sid": "Both"}
    other = allow("s3:GetObject", "a", effect="Deny")
    policy = {"Version": "2012-10-17", "Statement": [both, other]}
    assert without(policy, grant("s3:GetObject", "a", "Both")) == {
        "Version": "2012-10-17",
        "Statement": [
            allow(["s3:PutObject"], ["a", "b"], {"Bool": {}}),
            allow(["s3:GetObject"], ["b"], {"Bool": {}}),
            other,
        ],
    }


def test_the_last_grant_of_a_statement_takes_the_statement_along() -> None:
    policy = {"Statement": allow("s3:GetObject", "a")}
    assert without(policy, grant("s3:GetObject", "a"))["Statement"] == []


@pytest.mark.parametrize(
    "missing", [grant("s3:PutObject", "a"), grant("s3:GetObject", "b"), grant("s3:GetObject", "a", "#2")]
)
def test_a_grant_that_is_not_there_cannot_be_removed(missing: Grant) -> None:
    with pytest.raises(LocalAwsError, match="to remove"):
        without({"Statement": [allow("s3:GetObject", "a")]}, missing)


def test_each_removed_grant_is_missed_by_the_requests_that_it_let_in(laptop: Laptop) -> None:
    bucket = laptop.bucket("raw/a", "lake/a")
    places: list[Any] = [f"arn:aws:s3:::{bucket}/raw/*", f"arn:aws:s3:::{bucket}/lake/*"]
    statements = (
        allow("s3:GetObject", places),
        allow("s3:GetObject", places[1]),
        allow("s3:PutObject", places[0]),
    )
    arn = laptop.role(*statements)
    s3 = laptop.client("s3", laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests"))
    for key in ("raw/a", "raw/a", "lake/a"):
        s3.get_object(Bucket=bucket, Key=key)
    name, deployed = role_name(arn), MotoDeployed()
    missed = {
        one: [
            refused.need.resource
            for refused in refused_without(
                one,
                deployed.role(name),
                {"Statement": list(statements)},
                laptop.authorizer.examples(),
                deployed.resource_policy,
            )
        ]
        for one in grants_of(name, deployed)
    }
    assert missed == {
        grant("s3:GetObject", places[0]): [f"arn:aws:s3:::{bucket}/raw/a"],
        # Granted twice: neither is needed while the other is there.
        grant("s3:GetObject", places[1]): [],
        grant("s3:GetObject", places[1], "#2"): [],
        grant("s3:PutObject", places[0], "#3"): [],
    }


def test_conditions_are_judged_as_they_were_when_the_request_came(laptop: Laptop) -> None:
    bucket = laptop.bucket("inbox/a", "other/a")
    listing = {"StringLike": {"s3:prefix": ["inbox/*"]}}
    policy = (allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", listing), allow("s3:List*", "*", OWN))
    arn = laptop.role(*policy)
    s3 = laptop.client("s3", laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests"))
    s3.list_objects_v2(Bucket=bucket, Prefix="inbox/")
    name, deployed = role_name(arn), MotoDeployed()
    [refused] = refused_without(
        grant("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
        deployed.role(name),
        {"Version": "2012-10-17", "Statement": list(policy)},
        laptop.authorizer.examples(),
        deployed.resource_policy,
    )
    assert refused.need.context["s3:prefix"] == "inbox/"
