"""What probes work with: clients of one endpoint, roles with exactly one policy; all of it is removed at the end."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from gluebook.deployment.build import project_root

if TYPE_CHECKING:
    from verify_aws.laptop import Laptop

_log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 120.0
# What a probe provokes must not be tried again by the SDK.
_ONCE = Config(retries={"max_attempts": 1, "mode": "standard"})

Statement = Mapping[str, Any]


@dataclass
class Place:
    """Where the probes ask: AWS, or a laptop by its endpoint and keys.

    `name` begins the names of everything that is made; `cleaning` removes it in reverse order. `kept`: the file of
    what this run leaves to later ones. `laptop`: None on AWS. `measured`: by probe, figures that belong to its answer
    and are not compared.
    """

    region: str
    endpoint_url: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    name: str = field(default_factory=lambda: f"gluebook-verify-{secrets.token_hex(4)}")
    cleaning: ExitStack = field(default_factory=ExitStack)
    kept: Path = field(default_factory=lambda: project_root() / "build" / "verify-aws.json")
    laptop: Laptop | None = None
    measured: dict[str, str] = field(default_factory=dict)

    def client(self, service: str, keys: Mapping[str, str] | None = None) -> Any:
        """A client with the caller's own credentials, or with those of a role."""
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            config=_ONCE,
            **(self.keys if keys is None else keys),
        )

    @property
    def account(self) -> str:
        """The account's number."""
        return str(self.client("sts").get_caller_identity()["Account"])

    def now(self) -> datetime:
        """The time there, in UTC."""
        return datetime.fromtimestamp(self.laptop.clock() if self.laptop else time.time(), UTC)

    def role(self, name: str, *statements: Statement) -> Mapping[str, str]:
        """Credentials of a new role that may do what `statements` say, and nothing else."""
        arn = self.service_role(name, {"AWS": self.account}, *statements)
        sts = self.client("sts")
        assumed = self.eventually(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="verify"))
        made = assumed["Credentials"]
        return {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"],
        }

    def service_role(self, name: str, principal: Mapping[str, Any], *statements: Statement) -> str:
        """The ARN of a new role that `principal` may assume."""
        iam, full = self.client("iam"), f"{self.name}-{name}"
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=full, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        self.later(lambda: iam.delete_role(RoleName=full))
        iam.put_role_policy(RoleName=full, PolicyName="probe", PolicyDocument=_policy(*statements))
        self.later(lambda: iam.delete_role_policy(RoleName=full, PolicyName="probe"))
        return str(arn)

    def bucket(self, name: str, *, versioned: bool = False) -> str:
        """A new, empty bucket; its objects go with it."""
        s3, full = self.client("s3"), f"{self.name}-{name}"
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        s3.create_bucket(Bucket=full, **({} if self.region == "us-east-1" else elsewhere))
        self.later(lambda: self._remove_bucket(full))
        if versioned:
            s3.put_bucket_versioning(Bucket=full, VersioningConfiguration={"Status": "Enabled"})
        return full

    def _remove_bucket(self, name: str) -> None:
        self.empty_bucket(name)
        self.client("s3").delete_bucket(Bucket=name)

    def empty_bucket(self, name: str) -> None:
        """Delete every version of every object."""
        s3 = self.client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])

    def text(self, bucket: str, key: str) -> str:
        """An object's body."""
        return str(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode())

    def later(self, remove: Callable[[], Any]) -> None:
        """Remove something at the end; what can't be removed is named, and does not keep the rest."""

        def removing() -> None:
            try:
                remove()
            except ClientError as error:
                _log.error("something of %s could not be removed: %s", self.name, error)

        self.cleaning.callback(removing)

    def eventually(self, ask: Callable[[], Any]) -> Any:
        """What `ask` answers once it is not refused any more: new roles and policies take a while on AWS."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with suppress(ClientError):
                return ask()
            time.sleep(1)
        return ask()

    def until(
        self, what: str, done: Callable[[], Any], timeout_seconds: float = 5 * _PATIENCE_SECONDS
    ) -> Any:
        """The first true answer of `done`. Raises TimeoutError naming `what`."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            if answer := done():
                return answer
            time.sleep(0.1 if self.endpoint_url else 2)
        raise TimeoutError(what)


def allow(actions: str | list[str], resource: str | list[str], **condition: Any) -> Statement:
    """One statement of a policy; `condition` as operator=mapping."""
    return {
        "Effect": "Allow",
        "Action": actions,
        "Resource": resource,
        **({"Condition": condition} if condition else {}),
    }


def answer_of(ask: Callable[[], Any], *words: str) -> str:
    """`ok`, or HTTP status and code of the refusal, and which of `words` its message holds."""
    try:
        ask()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        answer = error.response["Error"]
        said = [word for word in words if word in answer.get("Message", "")]
        return ": ".join([f"{status} {answer['Code']}", *said])
    return "ok"


def _policy(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
