"""Acting as a deployed role."""

from __future__ import annotations

from collections.abc import Callable

from .endpoint import Credentials, Endpoint

# (role ARN, service principal such as "lambda.amazonaws.com", role session name) -> credentials.
# Raises LocalAwsError if the role's trust policy doesn't let the service assume it.
Assume = Callable[[str, str, str], Credentials]


def role_arn(endpoint: Endpoint, role: str) -> str:
    """The ARN of a role that is given by ARN or, as Glue allows, by name (with its path)."""
    return role if role.startswith("arn:") else f"arn:aws:iam::{endpoint.account}:role/{role.lstrip('/')}"
