"""Requests that fail on purpose: before they are executed, or afterwards, so that only the response is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal
from wsgiref.types import StartResponse, WSGIApplication

from werkzeug import Response

from localaws.errors import ApiError
from localaws.iam import responses
from localaws.iam.call import Call
from localaws.iam.requests.operations import operation_name

When = Literal["before", "after"]


@dataclass(frozen=True)
class RoleCall:
    """A request of a deployed role.

    `service`: as requests are signed for it, "s3", "dynamodb", "redshift-data", but "monitoring" for CloudWatch.
    `operation`: "PutObject", "TransactWriteItems". `role`: the role's name. `path`: "/bucket/key" for S3; else "/".
    """

    service: str
    operation: str
    role: str
    path: str


# The error to answer with, if any.
Decide = Callable[[RoleCall, When], ApiError | None]


class RequestFaults:
    """The faults of one request."""

    def __init__(self, decide: Decide, call: Call, role: str) -> None:
        self._decide = decide
        self._call = call
        self._described = RoleCall(call.service, operation_name(call), role, call.path)

    def before(self) -> None:
        """Raises the ApiError with which the request is answered instead of being executed."""
        problem = self._decide(self._described, "before")
        if problem is not None:
            raise problem

    def after(self, app: WSGIApplication) -> WSGIApplication:
        """`app`, or one that executes the request and loses the response."""

        def executing(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            response = Response.from_app(app, environ)
            problem = self._decide(self._described, "after")
            if problem is not None:
                response.get_data()
                response = responses.error(self._call, problem)
            return response(environ, start_response)

        return executing
