"""What the players' tests share: a real moto server in this process, and what they deploy to it."""

from __future__ import annotations

import functools
import io
import json
import re
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import urllib3

from localaws.endpoint import Credentials, Endpoint
from localaws.errors import ApiError
from localaws.iam import Authorizer
from localaws.server import Server, moto

PATIENCE_SECONDS = 20.0


class Recorder:
    """WSGI app in front of moto that remembers (access key, service, operation or method) of each request."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.seen: list[tuple[str, str, str]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        found = re.search(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
        if found:
            operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2] or environ["REQUEST_METHOD"]
            self.seen.append((found[1], found[2], operation))
        return self.app(environ, start_response)


@functools.cache
def server() -> tuple[Endpoint, Recorder]:
    """One server for all tests of this process, on a free port."""
    recorder = Recorder(moto())
    return Server(recorder).endpoint, recorder


class Roles:
    """Stands in for the trust check and STS: gives a role's own keys, refuses the roles named in `refused`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.refused: set[str] = set()

    def __call__(
        self, role_arn: str, service: str, session_name: str, *, caller: str = "", by_aws: bool = False
    ) -> Credentials:
        self.asked.append((role_arn, service, session_name))
        name = role_arn.rsplit("/", 1)[-1]
        if name in self.refused:
            raise ApiError("AccessDenied", f"{service} may not assume {role_arn}", 403)
        return Credentials(f"ASIA{name.upper()}", "secret", "token")


@functools.cache
def _client(endpoint: Endpoint, service: str) -> Any:
    return endpoint.client(service)


class Aws:
    """An empty account with shorthands for deploying to it."""

    def __init__(self, endpoint: Endpoint, recorder: Recorder) -> None:
        self.endpoint = endpoint
        self.recorder = recorder
        self.roles = Roles()
        self.check_service = Authorizer(recorder).check_service

    def client(self, service: str) -> Any:
        return _client(self.endpoint, service)

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.endpoint.region}:{self.endpoint.account}:{rest}"

    def role(self, name: str) -> str:
        """The ARN of a role, made if need be: moto wants to see it when a function is made."""
        iam = self.client("iam")
        try:
            return str(iam.get_role(RoleName=name)["Role"]["Arn"])
        except iam.exceptions.NoSuchEntityException:
            return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"])

    def function(self, name: str, code: str, **settings: Any) -> str:
        """Deploy a function whose module handler.py is `code`; gives back its ARN."""
        made = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Handler="handler.handler",
            Role=self.role(f"{name}-role"),
            Code={"ZipFile": zipped({"handler.py": code})},
            **{"Timeout": 10, **settings},
        )
        return str(made["FunctionArn"])

    def queue(self, name: str, senders: tuple[str, ...] = (), **attributes: str) -> tuple[str, str]:
        """Make a queue that lets EventBridge rules of the ARNs `senders` in; (URL, ARN)."""
        sqs = self.client("sqs")
        url, arn = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], self.arn("sqs", name)
        if senders:
            allow = {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": list(senders)}},
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url, arn

    def rule(self, name: str, pattern: Any = None, targets: tuple[Any, ...] = (), **more: str) -> str:
        events = self.client("events")
        if pattern is not None:
            more["EventPattern"] = json.dumps(pattern)
        arn: str = events.put_rule(Name=name, **more)["RuleArn"]
        if targets:
            events.put_targets(
                Rule=name,
                Targets=[{"Id": str(place), **one} for place, one in enumerate(targets)],
            )
        return arn

    def messages(self, url: str) -> list[str]:
        """All visible messages of a queue, taken out."""
        found: list[str] = []
        while (
            batch := self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages")
        ):
            found += [one["Body"] for one in batch]
            for one in batch:
                self.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found

    def operations(self, access_key: str) -> set[tuple[str, str]]:
        """The (service, operation) that somebody used."""
        return {(service, operation) for key, service, operation in self.recorder.seen if key == access_key}


@pytest.fixture
def aws() -> Iterator[Aws]:
    """An empty account."""
    endpoint, recorder = server()
    urllib3.request("POST", f"{endpoint.url}/moto-api/reset", timeout=10)
    recorder.seen.clear()
    yield Aws(endpoint, recorder)


def zipped(files: dict[str, str]) -> bytes:
    """A zip of text files, dedented."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, textwrap.dedent(text))
    return made.getvalue()


def eventually(holds: Callable[[], Any], what: str = "", seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until something holds, and give it back; looks every 20 ms, fails in the end."""
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {what or holds}"
        threading.Event().wait(0.02)
    return value


@contextmanager
def closing(player: Any) -> Iterator[Any]:
    """The player, closed at the end."""
    try:
        yield player
    finally:
        player.close()
