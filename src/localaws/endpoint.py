"""The address of the laptop's AWS, its credentials, and clients for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

ACCOUNT = "123456789012"
REGION = "us-east-1"

# A session reads AWS's descriptions of its services, which costs a new one ten times as much as the client itself.
_session = cache(boto3.session.Session)
_making_a_client = threading.Lock()  # boto3 docs: sessions are not thread safe, clients are


@dataclass(frozen=True)
class Credentials:
    """AWS credentials; the secret parts never show in a repr."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """The environment variables from which any AWS SDK takes these credentials."""
        variables = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        if self.token:
            variables["AWS_SESSION_TOKEN"] = self.token
        return variables


# Deploys and observes; may do everything, as an account's administrator.
DEPLOYER = Credentials("deployer", "laptop")


@dataclass(frozen=True)
class Endpoint:
    """The one HTTP endpoint that answers for every service of the laptop's AWS."""

    url: str
    account: str = ACCOUNT
    region: str = REGION

    def client(self, service: str, credentials: Credentials = DEPLOYER) -> Any:
        """A boto3 client of `service` on this endpoint, acting as `credentials`."""
        config = Config(
            retries={"max_attempts": 3, "mode": "standard"},
            max_pool_connections=32,
            s3={"addressing_style": "path"},
        )
        with _making_a_client:
            return _session().client(
                service,
                endpoint_url=self.url,
                region_name=self.region,
                aws_access_key_id=credentials.access_key,
                aws_secret_access_key=credentials.secret_key,
                aws_session_token=credentials.token,
                config=config,
            )

    def environment(self, credentials: Credentials = DEPLOYER) -> dict[str, str]:
        """Environment variables for a child process that is to use this endpoint as `credentials`."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            **credentials.environment(),
        }
