"""Deploys a template with the plain AWS CLI: the same two commands as on AWS.

aws cloudformation package --template-file T --s3-bucket B --output-template-file P
aws cloudformation deploy  --template-file P --stack-name S --parameter-overrides ...
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localaws.cloudformation.resource import TemplateError
from localaws.cloudformation.template import parse
from localaws.endpoint import Endpoint
from localaws.errors import LocalAwsError

log = logging.getLogger(__name__)

# Both commands in one process, because importing the CLI takes as long as a command; as a program, because the script
# `aws` names its interpreter in its first line, in which no path may hold a space.
_AWS = (sys.executable, "-I", str(Path(__file__).with_name("awscli_commands.py")))


class DeployFailed(LocalAwsError):
    """A stack could not be deployed or deleted. `reasons`: from its events, one text per resource."""

    def __init__(self, stack_name: str, problem: str, reasons: Sequence[str]) -> None:
        super().__init__("\n  ".join([f"stack {stack_name}: {problem}", *reasons]))
        self.stack_name = stack_name
        self.problem = problem
        self.reasons = tuple(reasons)


def deploy(
    endpoint: Endpoint,
    template: Path,
    stack_name: str,
    parameters: dict[str, str],
    artefact_bucket: str,
) -> dict[str, str]:
    """Deploy `template` as `stack_name`; local paths in it are uploaded to `artefact_bucket`.

    The bucket is created if there is none. The CLI is the one that this Python imports.
    Returns the stack's outputs. Deploying what is deployed already changes nothing and is no error.
    Raises DeployFailed with the reasons, FileNotFoundError if there is no template.
    """
    if not template.is_file():
        raise FileNotFoundError(f"There is no template {template}")
    _refuse_unknown(stack_name, template, parameters)
    _make_bucket(endpoint, artefact_bucket)
    with tempfile.TemporaryDirectory(prefix="deploy-") as scratch:
        cli = _Cli(endpoint, Path(scratch))
        packaged = Path(scratch) / "packaged.yaml"
        package = ["package", "--template-file", str(template.resolve()), "--s3-bucket", artefact_bucket]
        package += ["--output-template-file", str(packaged)]
        deploy = ["deploy", "--template-file", str(packaged), "--stack-name", stack_name]
        # A template above 51,200 bytes can't be deployed as text.
        deploy += ["--s3-bucket", artefact_bucket]
        if parameters:
            deploy += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
        deploy += ["--capabilities", "CAPABILITY_NAMED_IAM", "--no-fail-on-empty-changeset"]
        cli.run(stack_name, package, deploy)
    return outputs(endpoint, stack_name)


def outputs(endpoint: Endpoint, stack_name: str) -> dict[str, str]:
    """The outputs of a deployed stack. Raises DeployFailed if there is no such stack."""
    stack = _describe(endpoint.client("cloudformation"), stack_name)
    if stack is None:
        raise DeployFailed(stack_name, "does not exist", [])
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


class _Cli:
    """The AWS CLI without the user's own profiles, aliases and proxies."""

    def __init__(self, endpoint: Endpoint, home: Path) -> None:
        self._endpoint = endpoint
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "TMPDIR": str(home),
            "LANG": "C.UTF-8",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            # ExecuteChangeSet must not be retried: the first request may be in progress.
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
            **endpoint.environment(),
        }

    def run(self, stack_name: str, *commands: list[str]) -> None:
        """`aws cloudformation COMMAND` for each. Raises DeployFailed with what the CLI and the stack say."""
        given = json.dumps([["cloudformation", *command] for command in commands])
        log.info("aws cloudformation %s", ", ".join(command[0] for command in commands))
        done = subprocess.run(
            [*_AWS, given], env=self._environment, capture_output=True, text=True, check=False
        )
        log.debug("%s", done.stdout)
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())
            reasons = _reasons(self._endpoint.client("cloudformation"), stack_name)
            raise DeployFailed(stack_name, f"the AWS CLI failed ({done.returncode}): {said}", reasons)


def _make_bucket(endpoint: Endpoint, bucket: str) -> None:
    s3 = endpoint.client("s3")
    if bucket not in {it["Name"] for it in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=bucket)


def _refuse_unknown(stack_name: str, template: Path, parameters: Mapping[str, str]) -> None:
    # The CLI drops a parameter that the template does not have, and with it a misspelt one.
    try:
        known = parse(template.read_text("utf-8")).get("Parameters", {})
    except TemplateError as reason:
        raise DeployFailed(stack_name, str(reason), []) from reason
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        problem = f"the template has no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}"
        raise DeployFailed(stack_name, problem, [])


def _describe(cloudformation: Any, stack_name: str) -> dict[str, Any] | None:
    try:
        stacks = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as missing:
        if "does not exist" in str(missing):
            return None
        raise
    return dict(stacks[0])


def _reasons(cloudformation: Any, stack_name: str) -> list[str]:
    """What failed since the last deployment or deletion of the stack began, oldest first."""
    if _describe(cloudformation, stack_name) is None:
        return []
    recent: list[str] = []
    for event in cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]:
        status = event["ResourceStatus"]
        own = event["ResourceType"] == "AWS::CloudFormation::Stack"
        if own and status.endswith("_IN_PROGRESS") and "ROLLBACK" not in status:
            break
        if not own and status.endswith("_FAILED"):
            what = f"{event['LogicalResourceId']} ({event['ResourceType']})"
            recent.append(f"{what}: {status}: {event.get('ResourceStatusReason', '')}")
    return recent[::-1]
