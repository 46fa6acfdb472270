"""The real template's roles, with the buckets, tables, jobs and the warehouse that they are about: no functions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from gluebook.deployment.template import parse_template
from localaws.cloudformation.expressions import references
from localaws.endpoint import DEPLOYER, Credentials, Endpoint
from localaws.iam import Authorizer
from localaws.stack import LocalAws
from template_kit import TEMPLATE

# Functions need built artefacts, which take longer than all else; no role's policy refers to one.
_LEFT_OUT = ("AWS::Lambda::",)
PARAMETERS = {"ArtefactBucket": "artefacts"}
_SERVICES = {"job": "glue", "crawler": "glue", "studio": "glue", "copy": "redshift"}


@dataclass(frozen=True)
class Pipeline:
    """The deployed stack. Roles are called as the template calls them, without the stack's prefix."""

    aws: LocalAws
    outputs: dict[str, str]
    prefix: str = "gluebook"

    @property
    def raw(self) -> str:
        return self.outputs["RawBucket"]

    @property
    def lake(self) -> str:
        return self.outputs["LakeBucket"]

    def credentials(self, role: str) -> Credentials:
        """Of a role, e.g. "job-app-logs", as the service gets them that runs under it."""
        service = _SERVICES.get(role.split("-")[0], "lambda")
        arn = f"arn:aws:iam::{self.aws.endpoint.account}:role/{self.prefix}-{role}"
        return _assumed(self.aws.authorizer, arn, f"{service}.amazonaws.com")

    def client(self, service: str, role: str | None = None) -> Any:
        """A client that acts as a role; as the deployer without one."""
        return _client(self.aws.endpoint, service, self.credentials(role) if role else DEPLOYER)

    @contextmanager
    def acting(self, role: str) -> Iterator[boto3.session.Session]:
        """What a job or a function under this role has: a session, and the endpoint in the environment."""
        keys = self.credentials(role)
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                patch.delenv(name)
            for name, value in self.aws.endpoint.environment(keys).items():
                patch.setenv(name, value)
            yield boto3.session.Session()

    def denied(self, role: str) -> set[tuple[str, str]]:
        """(action, resource) of all that a role was refused so far."""
        found = self.aws.report().denied
        return {(one.action, one.resource) for one in found if one.role == f"{self.prefix}-{role}"}


@lru_cache(maxsize=64)
def _assumed(authorizer: Authorizer, role_arn: str, service: str) -> Credentials:
    return authorizer.assume(role_arn, service, "tests")


@lru_cache(maxsize=256)
def _client(endpoint: Endpoint, service: str, credentials: Credentials) -> Any:
    # All from one session: making sessions is slow.
    return _session().client(
        service,
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


@cache
def _session() -> boto3.session.Session:
    return boto3.session.Session()


def reduced_template(template: Path = TEMPLATE) -> dict[str, Any]:
    """The template without functions, and without what refers to them."""
    document = parse_template(template)
    resources = document["Resources"]
    gone = {name for name, body in resources.items() if body["Type"].startswith(_LEFT_OUT)}
    while more := {name for name, body in resources.items() if name not in gone and _mentions(body, gone)}:
        gone |= more
    document["Resources"] = {name: body for name, body in resources.items() if name not in gone}
    document["Outputs"] = {
        name: body for name, body in document["Outputs"].items() if not _mentions(body, gone)
    }
    return document


def _mentions(expression: Any, names: set[str]) -> bool:
    return any(reference.name in names for reference in references(expression))


def deploy(aws: LocalAws, prefix: str = "gluebook", template: Path = TEMPLATE, **parameters: str) -> Pipeline:
    """Deploy the reduced template; with artefact parameters that nothing here reads."""
    document = reduced_template(template)
    wanted = {
        name: "s3://artefacts/package/0.zip" if name.endswith("Uri") else ""
        for name, body in document["Parameters"].items()
        if "Default" not in body
    }
    chosen = wanted | PARAMETERS | {"Prefix": prefix} | parameters
    cloudformation = aws.endpoint.client("cloudformation")
    cloudformation.create_stack(
        StackName=prefix,
        TemplateBody=json.dumps(document, separators=(",", ":")),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in chosen.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=prefix, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    found = cloudformation.describe_stacks(StackName=prefix)["Stacks"][0]
    return Pipeline(aws, {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}, prefix)


def another_workgroup(aws: LocalAws, name: str, database: str) -> str:
    """A workgroup that isn't the stack's, with a namespace of the same name; its id."""
    namespace = {"NamespaceName": name, "DbName": database, "ManageAdminPassword": True}
    workgroup = {"WorkgroupName": name, "NamespaceName": {"Ref": "Namespace"}}
    template = {
        "Resources": {
            "Namespace": {"Type": "AWS::RedshiftServerless::Namespace", "Properties": namespace},
            "Workgroup": {"Type": "AWS::RedshiftServerless::Workgroup", "Properties": workgroup},
        },
        "Outputs": {"Id": {"Value": {"Fn::GetAtt": ["Workgroup", "Workgroup.WorkgroupId"]}}},
    }
    cloudformation = aws.endpoint.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    [output] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    return str(output["OutputValue"])


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with LocalAws(schedule_speed=None) as aws:
        yield deploy(aws)
