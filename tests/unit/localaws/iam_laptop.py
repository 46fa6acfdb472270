"""A moto server behind the Authorizer, in this process, for the tests of localaws.iam."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws.endpoint import DEPLOYER, Credentials, Endpoint
from localaws.iam import Authorizer
from localaws.server import Server, moto

ACCOUNT = "123456789012"
REGION = "us-east-1"


class Clock:
    """Time that tests move."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Laptop:
    """The server, and short ways to make roles and to act as them. Names are unique: moto's state is shared."""

    def __init__(self, authorizer: Authorizer, url: str) -> None:
        self.authorizer = authorizer
        self.endpoint = Endpoint(url)
        self._session = boto3.session.Session()
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, credentials: Credentials = DEPLOYER) -> Any:
        key = (service, credentials.access_key)
        if key not in self._clients:
            self._clients[key] = self.new_client(service, credentials)
        return self._clients[key]

    def new_client(self, service: str, credentials: Credentials, **config: Any) -> Any:
        """A client that doesn't retry, made from one session: making sessions is slow."""
        return self._session.client(
            service,
            endpoint_url=self.endpoint.url,
            region_name=self.endpoint.region,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **config),
        )

    def role(self, *statements: dict[str, Any], trust: Any = None, **more: Any) -> str:
        """A role with these statements; returns its ARN."""
        name = unique("role")
        who = trust or {"Service": "lambda.amazonaws.com"}
        trusted = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        arn: str = iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=document(trusted), **more
        )["Role"]["Arn"]  # fmt: skip
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document(*statements))
        return arn

    def acting(self, *statements: dict[str, Any]) -> Credentials:
        """Credentials of a new role with these statements."""
        return self.authorizer.assume(self.role(*statements), "lambda.amazonaws.com", "tests")

    def as_role(self, service: str, *statements: dict[str, Any]) -> Any:
        """A client acting as a new role with these statements."""
        return self.client(service, self.acting(*statements))

    def bucket(self, *keys: str) -> str:
        name = unique("bucket")
        self.client("s3").create_bucket(Bucket=name)
        for key in keys:
            self.client("s3").put_object(Bucket=name, Key=key, Body=key.encode())
        return name


def allow(action: Any, resource: Any = "*", condition: Any = None, effect: str = "Allow") -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return statement if condition is None else {**statement, "Condition": condition}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def unique(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex[:12]}"


def role_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def code(act: Callable[..., Any], **parameters: Any) -> str:
    """The error code that boto3 sees, "" if all went well."""
    try:
        act(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def message(act: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        act(**parameters)
    return str(caught.value.response["Error"]["Message"])


def http(url: str, method: str = "GET", data: bytes | None = None) -> tuple[int, bytes]:
    """Status and body of a plain HTTP request."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@contextmanager
def running(clock: Clock | None = None) -> Iterator[Laptop]:
    """The server on a free port."""
    authorizer = Authorizer(moto(), clock=clock) if clock else Authorizer(moto())
    server = Server(authorizer)
    try:
        yield Laptop(authorizer, server.endpoint.url)
    finally:
        server.stop()
