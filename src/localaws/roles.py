"""Acting as a deployed role."""

from __future__ import annotations

from typing import Protocol

from .endpoint import Credentials, Endpoint


class Assume(Protocol):
    """Gives an AWS service, e.g. "lambda.amazonaws.com", credentials of a role."""

    def __call__(
        self, role_arn: str, service: str, session_name: str, *, caller: str = "", by_aws: bool = False
    ) -> Credentials:
        """`caller`: for whom, as reports name it, e.g. "function load" or "run jr_1 of job logs".

        `by_aws`: the service itself uses the credentials (a poller, a log writer), not the code that is deployed.
        Raises LocalAwsError if the role's trust policy doesn't let the service assume it.
        """
        ...


def role_arn(endpoint: Endpoint, role: str) -> str:
    """The ARN of a role that is given by ARN or, as Glue allows, by name (with its path)."""
    return role if role.startswith("arn:") else f"arn:aws:iam::{endpoint.account}:role/{role.lstrip('/')}"
