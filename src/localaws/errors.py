"""What can go wrong on the laptop's AWS.

LocalAwsError
├── ApiError        an error answer of a service, with AWS's own code
└── NotSupported    something this laptop's AWS doesn't know; never a silent pass
"""

from __future__ import annotations


class LocalAwsError(Exception):
    """Anything that localaws itself raises."""


class ApiError(LocalAwsError):
    """An error that the service would answer with: `code` as in AWS's documentation, HTTP `status`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class NotSupported(LocalAwsError):
    """A resource type, request, statement or option that the laptop's AWS doesn't know."""
