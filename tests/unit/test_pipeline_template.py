"""The template's parameters: what they refuse, and what they make of the resources; nothing is deployed."""

from __future__ import annotations

from typing import Any

import pytest

from localaws.cloudformation import parameters, plan
from localaws.cloudformation.resource import TemplateError
from localaws.cloudformation.template import Template
from template_kit import planned, properties, roles, template


@pytest.fixture(scope="module", name="template")
def read_template() -> Template:
    return template()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ArrivalWindowSeconds", "0"),
        ("ArrivalWindowSeconds", "301"),
        *(("SweepSchedule", f"rate({rate})") for rate in ("0 minutes", "1 minutes", "5 minute", "01 hours")),
        ("SweepSchedule", "every five minutes"),
        ("ExistingRawBucket", "Not_A_Bucket"),
        ("RawKeyArn", "alias/raw"),
        ("LakeKeyArn", "arn:aws:kms:eu-west-1:123456789012:alias/lake"),
        ("ExistingWorkgroup", "With Blanks"),
        ("ExistingWorkgroupId", "analytics"),
        ("PermissionsBoundaryArn", "boundary"),
        ("WarehouseDatabase", "1st"),
        ("GlueStudioRole", "true"),
    ],
)
def test_a_parameter_that_aws_would_refuse_later_is_refused_at_once(
    template: Template, name: str, value: str
) -> None:
    declared = {name: template.parameters[name]}
    with pytest.raises(TemplateError, match=f"Parameter {name} failed to satisfy constraint"):
        parameters.choose(declared, {name: value})


@pytest.mark.parametrize(
    "rate", ["rate(1 minute)", "rate(5 minutes)", "rate(10 hours)", "cron(0/5 * * * ? *)"]
)
def test_the_sweep_has_any_schedule_that_eventbridge_takes(template: Template, rate: str) -> None:
    declared = {"SweepSchedule": template.parameters["SweepSchedule"]}
    assert parameters.choose(declared, {"SweepSchedule": rate}) == {"SweepSchedule": rate}


def test_network_settings_are_the_workgroups_only_where_they_are_given(template: Template) -> None:
    assert {"SubnetIds", "SecurityGroupIds"} & properties(planned(template), "Workgroup").keys() == set()
    given = planned(template, WorkgroupSubnets="subnet-a, subnet-b", WorkgroupSecurityGroups="sg-1")
    workgroup = properties(given, "Workgroup")
    assert (workgroup["SubnetIds"], workgroup["SecurityGroupIds"]) == (["subnet-a", "subnet-b"], ["sg-1"])


def test_what_is_there_already_is_not_made(template: Template) -> None:
    made, studio = planned(template), planned(template, GlueStudioRole="yes")
    given = planned(template, ExistingRawBucket="their-files", ExistingWorkgroup="theirs")
    assert set(made.order) - set(given.order) == {"RawBucket", "RawBucketPolicy", "Namespace", "Workgroup"}
    assert set(given.order) - set(made.order) == set()
    assert set(studio.order) - set(made.order) == {"StudioRole"}
    # Nothing that is left refers to what isn't made.
    for each in (made, given, studio):
        assert all(properties(each, name) is not None for name in each.order)


def test_every_role_has_the_boundary_that_is_given(template: Template) -> None:
    arn = "arn:aws:iam::123456789012:policy/boundary"
    bounded = planned(template, PermissionsBoundaryArn=arn, GlueStudioRole="yes")
    unbounded = planned(template, GlueStudioRole="yes")
    assert {properties(bounded, role)["PermissionsBoundary"] for role in roles(bounded)} == {arn}
    assert [role for role in roles(unbounded) if "PermissionsBoundary" in properties(unbounded, role)] == []


def test_a_key_encrypts_its_bucket_and_may_be_used_through_s3_only(template: Template) -> None:
    arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
    for bucket, parameter in (("RawBucket", "RawKeyArn"), ("LakeBucket", "LakeKeyArn")):
        [rule] = _encryption(planned(template, **{parameter: arn}), bucket)
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
        assert _encryption(planned(template), bucket) == [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    given = planned(template, RawKeyArn=arn, LakeKeyArn=arn, GlueStudioRole="yes")
    statements = [
        statement
        for role in roles(given)
        for policy in properties(given, role)["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if str(statement["Action"]).count("kms:")
    ]
    assert {str(one["Resource"]) for one in statements} == {arn}
    assert {str(one["Condition"]) for one in statements} == {
        "{'StringEquals': {'kms:ViaService': 's3.eu-west-1.amazonaws.com'}}"
    }


def _encryption(made: plan.Plan, bucket: str) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = properties(made, bucket)["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    return rules
