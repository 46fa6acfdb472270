"""A real moto server in this process, on a free port, and the environment by which boto3 finds it."""

from __future__ import annotations

import functools
import uuid
from typing import Any

import boto3
import pytest

from ledger_kit import make_ledger_table
from localaws.endpoint import REGION, Endpoint
from localaws.server import Server, moto


@functools.cache
def server() -> Endpoint:
    """One server for all tests of this process; its state is shared, so names must differ from test to test."""
    return Server(moto()).endpoint


@functools.cache
def session() -> boto3.session.Session:
    """One session for all tests: each reads the services' models anew, which takes longer than most tests."""
    return boto3.session.Session(region_name=REGION)


@functools.cache
def client(service: str) -> Any:
    """A client that may do everything, to set the stage with."""
    return server().client(service)


@pytest.fixture(name="endpoint")
def moto_endpoint(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """The server's endpoint, which every AWS SDK of this process uses until the test ends."""
    found = server()
    for name, value in found.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return found


@pytest.fixture(name="table")
def ledger_table(endpoint: Endpoint) -> str:
    """A ledger's table of its own for every test."""
    return make_ledger_table(client("dynamodb"), f"ledger-{uuid.uuid4().hex}")
