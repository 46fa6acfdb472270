"""The errors of the laptop's AWS.

LocalAwsError
├── ApiError        an error answer of a service, with AWS's own code
└── NotSupported    not implemented by the laptop's AWS; never ignored
"""

from __future__ import annotations


class LocalAwsError(Exception):
    """Anything that localaws itself raises."""


class ApiError(LocalAwsError):
    """An error response of a service: `code` as in AWS's documentation, HTTP `status`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class NotSupported(LocalAwsError):
    """A resource type, request, statement or option that the laptop's AWS does not implement."""
