"""The report: which grants were used, which never, what was refused."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from localaws.errors import ApiError, NotSupported
from localaws.iam.call import REPORT_PATH
from localaws.iam.deployed import Role
from localaws.iam.policy import Decision, Grant, Need, Policy
from localaws.iam.report import UsageReport
from localaws.iam.sessions import Caller
from localaws.iam.usage import Usage
from unit.localaws.iam_laptop import (
    ACCOUNT,
    Laptop,
    allow,
    code,
    document,
    http,
    role_name,
    unique,
)


def of_role(report: UsageReport, arn: str) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """(grants, refusals) of one role: {(action, resource): count}."""
    name = role_name(arn)
    granted = {(one.action, one.resource): one.count for one in report.grants if one.role == name}
    return granted, {(one.action, one.resource): one.count for one in report.denied if one.role == name}


def test_the_report_tells_used_from_unused_and_names_what_was_refused(laptop: Laptop) -> None:
    bucket = laptop.bucket("raw/a")
    raw, lake = f"arn:aws:s3:::{bucket}/raw/*", f"arn:aws:s3:::{bucket}/lake/*"
    arn = laptop.role(allow(["s3:GetObject", "s3:PutObject"], [raw, lake]), allow("sqs:SendMessage"))
    keys = laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests")
    s3, sqs = laptop.client("s3", keys), laptop.client("sqs", keys)
    for _ in range(3):
        s3.get_object(Bucket=bucket, Key="raw/a")
    s3.put_object(Bucket=bucket, Key="lake/b", Body=b"x")
    for _ in range(2):
        with pytest.raises(ClientError):
            s3.delete_object(Bucket=bucket, Key="raw/a")
    with pytest.raises(ClientError):
        sqs.delete_queue(QueueUrl=f"{laptop.endpoint.url}/123456789012/q")

    report = laptop.authorizer.report()
    granted, denied = of_role(report, arn)
    assert granted == {
        ("s3:GetObject", raw): 3,
        ("s3:GetObject", lake): 0,
        ("s3:PutObject", raw): 0,
        ("s3:PutObject", lake): 1,
        ("sqs:SendMessage", "*"): 0,
    }
    assert denied == {("s3:DeleteObject", f"arn:aws:s3:::{bucket}/raw/a"): 2}
    mine = [one for one in report.unmapped if one.role == role_name(arn)]
    assert [(one.operation, one.count) for one in mine] == [("sqs:DeleteQueue", 1)]
    assert {one.count > 0 for one in report.used} == {True}
    assert {one.count for one in report.unused} == {0}
    text = str(report)
    assert f"used 3  {role_name(arn)}  s3:GetObject  {raw}" in text
    assert f"UNUSED  {role_name(arn)}  sqs:SendMessage  *" in text
    assert f"DENIED 2  {role_name(arn)}  s3:DeleteObject" in text
    assert json.loads(json.dumps(report.as_dict()))["grants"]


def test_a_request_that_is_refused_in_part_uses_no_grant(laptop: Laptop) -> None:
    bucket = laptop.bucket("raw/a")
    put = f"arn:aws:s3:::{bucket}/inbox/*"
    arn = laptop.role(allow("s3:PutObject", put))
    s3 = laptop.client("s3", laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests"))
    with pytest.raises(ClientError):
        s3.copy_object(Bucket=bucket, Key="inbox/a", CopySource={"Bucket": bucket, "Key": "raw/a"})
    granted, denied = of_role(laptop.authorizer.report(), arn)
    assert granted == {("s3:PutObject", put): 0}
    assert denied == {("s3:GetObject", f"arn:aws:s3:::{bucket}/raw/a"): 1}


def test_what_a_bucket_policy_gave_is_reported_too(laptop: Laptop) -> None:
    bucket = laptop.bucket("a")
    arn = laptop.role()
    gives = {**allow("s3:Get*", f"arn:aws:s3:::{bucket}/*"), "Principal": {"AWS": arn}}
    laptop.client("s3").put_bucket_policy(Bucket=bucket, Policy=document(gives))
    s3 = laptop.client("s3", laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests"))
    s3.get_object(Bucket=bucket, Key="a")
    used = [one for one in laptop.authorizer.report().used if one.role == role_name(arn)]
    assert [(one.policy, one.action, one.count) for one in used] == [("resource policy", "s3:Get*", 1)]


def test_a_role_that_cannot_be_judged_is_named_and_spoils_no_report(laptop: Laptop) -> None:
    odd = role_name(laptop.role(allow("*", "*", {"BinaryEquals": {"aws:userid": "YQ=="}})))
    fine = role_name(laptop.role(allow("s3:ListAllMyBuckets")))
    report = laptop.authorizer.report()
    assert any(odd in one and "BinaryEquals" in one for one in report.unjudged)
    assert any(one.role == fine for one in report.grants)
    assert f"UNJUDGED  role '{odd}'" in str(report)


WORKER = Caller("worker", "session", "AROA:session")


class OneRole:
    """A deployed account with one role and one grant."""

    def role(self, name: str) -> Role:
        policy = Policy.parse({"Statement": allow("s3:*")})
        trust = Policy.parse({"Statement": []}, "trust")
        return Role(name, f"arn:aws:iam::1:role/{name}", "AROA", trust, (("p", policy),), None, (), 3600)

    def roles(self) -> list[str]:
        return ["worker"]

    def resource_policy(self, action: str, arn: str) -> Policy | None:
        raise NotSupported("not asked for")


def test_memory_is_bounded_whatever_is_asked() -> None:
    usage = Usage()
    refused = Decision(False, "because")
    for n in range(5000):
        usage.count(WORKER, Need("s3:GetObject", f"arn:aws:s3:::lake/{n}"), refused)
        usage.count_unmapped(WORKER, f"sqs:Odd{n}")
    report = usage.report(OneRole())
    assert len(report.denied) == len(report.unmapped) == 1001
    assert sum(one.count for one in report.denied) == sum(one.count for one in report.unmapped) == 5000
    assert max(report.denied, key=lambda one: one.count).resource == "(other resources)"


def test_a_grant_is_counted_once_for_each_thing_it_let_in() -> None:
    usage = Usage()
    grant = Grant("p", "#1", "s3:*", "*")
    for _ in range(2):
        usage.count(WORKER, Need("s3:GetObject", unique("a")), Decision(True, "", (grant, grant)))
    assert [(one.action, one.count) for one in usage.report(OneRole()).grants] == [("s3:*", 2)]
    assert len(usage.examples()) == 1


def test_what_aws_does_in_a_roles_name_is_counted_apart(laptop: Laptop) -> None:
    bucket = laptop.bucket("a")
    arn = laptop.role(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    for by_aws in (False, True, True):
        keys = laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests", by_aws=by_aws)
        laptop.client("s3", keys).get_object(Bucket=bucket, Key="a")
    [grant] = [one for one in laptop.authorizer.report().grants if one.role == role_name(arn)]
    assert (grant.count, grant.by_aws, grant.used) == (1, 2, True)


def test_a_refusal_names_whoever_was_refused(laptop: Laptop) -> None:
    arn = laptop.role()
    for caller in ("run jr_1 of job logs", "run jr_2 of job logs", ""):
        keys = laptop.authorizer.assume(arn, "lambda.amazonaws.com", "session", caller=caller)
        assert code(laptop.client("s3", keys).list_buckets) == "AccessDenied"
    denied = [one for one in laptop.authorizer.report().denied if one.role == role_name(arn)]
    # Without anything better the session's name tells.
    assert [one.caller for one in denied] == ["run jr_1 of job logs", "run jr_2 of job logs", "session"]


@pytest.mark.parametrize(("may_list", "answer"), [(True, "NoSuchKey"), (False, "AccessDenied")])
def test_the_right_to_list_counts_where_it_decides_between_missing_and_forbidden(
    laptop: Laptop, may_list: bool, answer: str
) -> None:
    bucket = laptop.bucket()
    listing = [allow("s3:ListBucket", f"arn:aws:s3:::{bucket}")] if may_list else []
    arn = laptop.role(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), *listing)
    keys = laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests")
    assert code(laptop.client("s3", keys).get_object, Bucket=bucket, Key="missing") == answer
    granted, denied = of_role(laptop.authorizer.report(), arn)
    assert granted.get(("s3:ListBucket", f"arn:aws:s3:::{bucket}")) == (1 if may_list else None)
    assert denied == ({} if may_list else {("s3:ListBucket", f"arn:aws:s3:::{bucket}"): 1})


def test_a_service_that_a_resources_policy_refuses_is_reported(laptop: Laptop) -> None:
    queue, rule = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{unique('queue')}", unique("rule/arrived")
    with pytest.raises(ApiError, match=r"events\.amazonaws\.com is not authorized"):
        laptop.authorizer.check_service(
            "events.amazonaws.com", "sqs:SendMessage", queue, f"arn:aws:events:us-east-1:{ACCOUNT}:{rule}"
        )
    [denied] = [one for one in laptop.authorizer.report().denied if one.resource == queue]
    assert (denied.role, denied.action, denied.caller) == ("events.amazonaws.com", "sqs:SendMessage", rule)


def test_the_report_can_be_had_over_the_endpoint(laptop: Laptop) -> None:
    refused = laptop.as_role("s3")
    assert code(refused.list_buckets) == "AccessDenied"
    status, body = http(laptop.endpoint.url + REPORT_PATH)
    assert status == 200
    assert UsageReport.from_dict(json.loads(body)) == laptop.authorizer.report()
