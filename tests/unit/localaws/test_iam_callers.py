"""Deployed policies, sessions and keys through the Authorizer."""

from __future__ import annotations

import time
from typing import Any

import pytest

from localaws.endpoint import Credentials
from localaws.errors import ApiError, NotSupported
from localaws.iam import Caller
from unit.localaws.iam_laptop import (
    ACCOUNT,
    REGION,
    Clock,
    Laptop,
    allow,
    code,
    document,
    http,
    message,
    role_name,
    running,
    unique,
)


def test_a_changed_policy_takes_effect_at_once(laptop: Laptop) -> None:
    bucket = laptop.bucket("a")
    arn = laptop.role()
    s3 = laptop.client("s3", laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests"))
    iam, name = laptop.client("iam"), role_name(arn)

    def reads() -> bool:
        return code(s3.get_object, Bucket=bucket, Key="a") == ""

    assert not reads()
    read = document(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=read)
    assert reads()
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    assert not reads()
    managed = iam.create_policy(PolicyName=unique("p"), PolicyDocument=read)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=managed)
    assert reads()
    iam.create_policy_version(PolicyArn=managed, PolicyDocument=document(allow("sqs:*")), SetAsDefault=True)
    assert not reads()
    iam.set_default_policy_version(PolicyArn=managed, VersionId="v1")
    assert reads()
    iam.detach_role_policy(RoleName=name, PolicyArn=managed)
    assert not reads()


def test_a_permissions_boundary_limits_the_role(laptop: Laptop) -> None:
    bucket = laptop.bucket("a")
    iam = laptop.client("iam")
    boundary = iam.create_policy(PolicyName=unique("b"), PolicyDocument=document(allow("sqs:*")))["Policy"][
        "Arn"
    ]
    arn = laptop.role(allow("s3:*"), PermissionsBoundary=boundary)
    s3 = laptop.client("s3", laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests"))
    assert "no permissions boundary allows" in message(s3.get_object, Bucket=bucket, Key="a")


def test_a_policy_that_cannot_be_judged_refuses_and_says_why(laptop: Laptop) -> None:
    bucket = laptop.bucket("a")
    s3 = laptop.as_role("s3", allow("s3:*", "*", {"StringEquals": {"s3:ExistingObjectTag/a": "b"}}))
    assert "condition key 's3:existingobjecttag/a'" in message(s3.get_object, Bucket=bucket, Key="a")
    binary = laptop.role(allow("s3:*", "*", {"BinaryEquals": {"aws:userid": "YQ=="}}))
    with pytest.raises(NotSupported, match=r"BinaryEquals"):
        laptop.authorizer.assume(binary, "lambda.amazonaws.com", "tests")
    assert "BinaryEquals" in message(
        laptop.client("sts").assume_role, RoleArn=binary, RoleSessionName="tests"
    )


def test_context_knows_the_user_the_role_and_its_tags(laptop: Laptop) -> None:
    bucket = laptop.bucket()
    wanted = {
        "StringEquals": {"aws:PrincipalTag/Team": "data", "aws:RequestedRegion": REGION},
        "StringLike": {"aws:userid": "AROA*:tests"},
        "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/jobs/role-*"},
        "DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"},
    }
    own_key = f"arn:aws:s3:::{bucket}/${{aws:userid}}/*"
    tags = [{"Key": "Team", "Value": "data"}]
    arn = laptop.role(allow("s3:PutObject", own_key, wanted), Path="/jobs/", Tags=tags)
    keys = laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests")
    user_id = laptop.client("sts", keys).get_caller_identity()["UserId"]
    s3 = laptop.client("s3", keys)
    assert code(s3.put_object, Bucket=bucket, Key=f"{user_id}/x") == ""
    assert code(s3.put_object, Bucket=bucket, Key="other/x") == "AccessDenied"
    laptop.client("iam").untag_role(RoleName=role_name(arn), TagKeys=["Team"])
    assert code(s3.put_object, Bucket=bucket, Key=f"{user_id}/x") == "AccessDenied"


def test_a_caller_is_told_who_it_is(laptop: Laptop) -> None:
    arn = laptop.role(allow("*", effect="Deny"))
    me = laptop.client(
        "sts", laptop.authorizer.assume(arn, "lambda.amazonaws.com", "load")
    ).get_caller_identity()
    role_id = laptop.client("iam").get_role(RoleName=role_name(arn))["Role"]["RoleId"]
    assert me["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role_name(arn)}/load"
    assert (me["UserId"], me["Account"]) == (f"{role_id}:load", ACCOUNT)
    assert laptop.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_a_service_may_only_assume_roles_that_trust_it(laptop: Laptop) -> None:
    arn = laptop.role(trust={"Service": ["glue.amazonaws.com"]})
    assert laptop.authorizer.assume(arn, "glue.amazonaws.com", "run-1").access_key.startswith("ASIA")
    with pytest.raises(ApiError, match=rf"AccessDenied.*lambda\.amazonaws\.com.*{arn}"):
        laptop.authorizer.assume(arn, "lambda.amazonaws.com", "run-1")
    with pytest.raises(ApiError, match="NoSuchEntity"):
        laptop.authorizer.assume(f"arn:aws:iam::{ACCOUNT}:role/none", "glue.amazonaws.com", "run-1")
    with pytest.raises(ApiError, match=r"ValidationError.*session name"):
        laptop.authorizer.assume(arn, "glue.amazonaws.com", "no spaces")


def test_a_role_assumes_another_if_the_trust_policy_names_it_or_both_sides_agree(laptop: Laptop) -> None:
    account = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    open_to_account = laptop.role(trust=account)
    caller = laptop.role(allow("sts:AssumeRole", open_to_account))
    closed = laptop.role()
    naming = laptop.role(allow("s3:ListAllMyBuckets"), trust={"AWS": caller})
    sts = laptop.client("sts", laptop.authorizer.assume(caller, "lambda.amazonaws.com", "first"))

    def assumes(arn: str, client: Any = sts, **more: Any) -> str:
        return code(client.assume_role, RoleArn=arn, RoleSessionName="second", **more)

    assert (assumes(open_to_account), assumes(naming), assumes(closed)) == ("", "", "AccessDenied")
    assert assumes(open_to_account, laptop.as_role("sts")) == "AccessDenied"
    assert assumes(f"arn:aws:iam::{ACCOUNT}:role/none") == "AccessDenied"
    assert assumes(naming, DurationSeconds=43200) == "ValidationError"
    assert assumes(naming, Policy=document(allow("*"))) == "ValidationError"

    got = sts.assume_role(RoleArn=naming, RoleSessionName="second")
    assert got["AssumedRoleUser"]["Arn"].endswith(f"{role_name(naming)}/second")
    keys = got["Credentials"]
    second = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    assert code(laptop.client("s3", second).list_buckets) == ""
    assert code(laptop.client("sqs", second).list_queues) == "AccessDenied"


def test_the_deployer_may_become_any_role(laptop: Laptop) -> None:
    got = laptop.client("sts").assume_role(RoleArn=laptop.role(), RoleSessionName="look")["Credentials"]
    keys = Credentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])
    assert code(laptop.client("s3", keys).list_buckets) == "AccessDenied"
    assert laptop.client("sts").get_session_token()["Credentials"]["AccessKeyId"]


def test_unknown_keys_and_a_forgotten_token_are_refused(laptop: Laptop) -> None:
    stranger = Credentials("AKIASTRANGER", "x")
    good = laptop.acting(allow("*"))
    for keys in (
        stranger,
        Credentials(good.access_key, good.secret_key),
        Credentials(good.access_key, "x", "y"),
    ):
        assert code(laptop.new_client("sts", keys).get_caller_identity) == "InvalidClientTokenId"
        assert code(laptop.new_client("glue", keys).get_jobs) == "InvalidClientTokenId"
        assert code(laptop.new_client("s3", keys).list_buckets) == "InvalidAccessKeyId"


def test_keys_of_a_deleted_role_are_dead(laptop: Laptop) -> None:
    arn = laptop.role()
    keys = laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests")
    laptop.client("iam").delete_role(RoleName=role_name(arn))
    assert code(laptop.client("s3", keys).list_buckets) == "InvalidAccessKeyId"


def test_an_expired_session_and_an_expired_url_are_refused() -> None:
    clock = Clock(time.time())
    with running(clock) as laptop:
        bucket = laptop.bucket("a")
        keys = laptop.authorizer.assume(
            laptop.role(allow("s3:*")), "lambda.amazonaws.com", "tests", seconds=900
        )
        s3 = laptop.client("s3", keys)
        url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"}, ExpiresIn=60)
        assert http(url)[0] == 200
        clock.now += 100
        assert http(url)[0] == 403
        assert code(s3.get_object, Bucket=bucket, Key="a") == ""
        clock.now += 900
        assert code(s3.get_object, Bucket=bucket, Key="a") == "ExpiredToken"
        assert code(laptop.client("glue", keys).get_jobs) == "ExpiredTokenException"


def test_unsigned_requests_reach_nothing_but_motos_own_pages(laptop: Laptop) -> None:
    url = laptop.endpoint.url
    assert http(f"{url}/moto-api/")[0] == 200
    assert http(f"{url}/moto-api/reset", "POST", b"")[0] == 403
    assert http(url)[0] == 403
    form = http(url, "POST", b"Action=ListUsers&Version=2010-05-08")
    assert form[0] == 403
    assert b"MissingAuthenticationToken" in form[1]


def test_presigned_requests_are_for_s3_only(laptop: Laptop) -> None:
    sqs = laptop.client("sqs")
    url = sqs.generate_presigned_url("list_queues")
    assert "X-Amz-Credential" in url
    status, body = http(url, "POST", b"{}")
    assert status == 403
    assert b"presigned sqs requests are not supported" in body


def test_a_caller_names_itself() -> None:
    assert Caller("r", "s", "AROA:s").arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
    assert Caller(None, "", "deployer").arn == f"arn:aws:iam::{ACCOUNT}:root"
