"""The stack of the probes that need more than a few calls: a warehouse, a job, roles for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify_aws.kit import Place

_TEMPLATE = Path(__file__).parent / "stack.yaml"


@dataclass(frozen=True)
class Deployed:
    """The stack's outputs by name, and its bucket."""

    place: Place
    outputs: Mapping[str, str]

    @property
    def bucket(self) -> str:
        """The bucket that everything lies in."""
        return self.outputs["Bucket"]

    def put(self, key: str, body: bytes) -> str:
        """Store an object; its URI."""
        self.place.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"


def deploy(place: Place) -> Deployed:
    """Create the stack and wait for it; it is deleted at the end, its bucket emptied before."""
    cloudformation, name = place.client("cloudformation"), place.name
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=_TEMPLATE.read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": "Name", "ParameterValue": name}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    place.later(lambda: _delete(cloudformation, name))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name)
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    place.later(lambda: place.empty_bucket(outputs["Bucket"]))
    return Deployed(place, outputs)


def _delete(cloudformation: Any, name: str) -> None:
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name)
