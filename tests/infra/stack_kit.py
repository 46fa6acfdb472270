"""The whole laptop AWS, and shorthands for deploying small things to it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest

from infra.players_kit import eventually, zipped
from localaws.endpoint import ACCOUNT, DEPLOYER, REGION, Credentials
from localaws.stack import LocalAws


class Stage:
    """A running laptop AWS. What is deployed gets names that nothing else has."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self._client = lru_cache(maxsize=64)(aws.endpoint.client)

    def client(self, service: str, credentials: Credentials = DEPLOYER) -> Any:
        return self._client(service, credentials)

    def role(self, service: str, *actions: str) -> str:
        """The ARN of a role for an AWS service, e.g. "lambda", that may do these actions on everything."""
        name, iam = unique("role"), self.client("iam")
        principal = {"Service": f"{service}.amazonaws.com"}
        trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        allowed = document({"Effect": "Allow", "Action": list(actions), "Resource": "*"})
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=allowed)
        return arn

    def queue(self, **attributes: str) -> tuple[str, str]:
        """(URL, ARN) of a queue that lets EventBridge in."""
        name, sqs = unique("queue"), self.client("sqs")
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        principal = {"Service": "events.amazonaws.com"}
        lets_in = document(
            {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
        )
        made = sqs.create_queue(QueueName=name, Attributes={**attributes, "Policy": lets_in})
        return str(made["QueueUrl"]), arn

    def rule(self, source: str, *target_arns: str) -> None:
        """Send events of this source to these targets."""
        name, events = unique("rule"), self.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))
        targets = [{"Id": str(place), "Arn": arn} for place, arn in enumerate(target_arns)]
        events.put_targets(Rule=name, Targets=targets)

    def bucket(self, events: bool = True) -> str:
        """A bucket with versions, whose events go to EventBridge."""
        name, s3 = unique("bucket"), self.client("s3")
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if events:
            s3.put_bucket_notification_configuration(
                Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )
        return name

    def function(self, code: str, *actions: str, **settings: Any) -> str:
        """Deploy a function whose module handler.py is `code`; its name."""
        name = unique("function")
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Handler="handler.handler",
            Role=self.role("lambda", "sqs:*", *actions),
            Code={"ZipFile": zipped({"handler.py": code})},
            **{"Timeout": 30, **settings},
        )
        return name

    def mapped(self, code: str, *actions: str, queue: dict[str, str] | None = None, **settings: Any) -> Any:
        """A queue and the function that is fed from it: (queue URL, queue ARN, function name)."""
        url, arn = self.queue(**(queue or {}))
        name = self.function(code, *actions)
        self.client("lambda").create_event_source_mapping(FunctionName=name, EventSourceArn=arn, **settings)
        self.aws.mappings.refresh()
        return url, arn, name

    def bodies(self, url: str) -> list[str]:
        """All visible messages of a queue, taken out."""
        found: list[str] = []
        sqs = self.client("sqs")
        while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [one["Body"] for one in batch]
            for one in batch:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found

    def lines(self, bucket: str) -> list[str]:
        """The contents of a bucket's objects, oldest version first: how functions here tell what they do."""
        s3 = self.client("s3")
        versions = s3.list_object_versions(Bucket=bucket).get("Versions", [])
        return [
            s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read().decode()
            for one in reversed(versions)
        ]


@pytest.fixture(scope="module")
def running_stage() -> Iterator[Stage]:
    with LocalAws(schedule_speed=None) as aws:
        yield Stage(aws)


@pytest.fixture
def stage(running_stage: Stage) -> Iterator[Stage]:
    """The laptop AWS of the module, without faults before and after."""
    running_stage.aws.faults.clear()
    yield running_stage
    running_stage.aws.faults.clear()


def unique(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex[:12]}"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


__all__ = ["Stage", "document", "eventually", "running_stage", "stage", "unique"]
