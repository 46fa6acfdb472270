"""Requests that fail on purpose: before they are executed, or after it, when only their answer is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal
from wsgiref.types import StartResponse, WSGIApplication

from localaws.errors import ApiError
from localaws.iam import answers
from localaws.iam.answers import Answer
from localaws.iam.call import Call
from localaws.iam.capture import capture
from localaws.iam.operations import operation_name

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


class Interference:
    """One request's faults."""

    def __init__(self, decide: Decide, call: Call, role: str) -> None:
        self._decide = decide
        self._call = call
        self._told = RoleCall(call.service, operation_name(call), role, call.path)

    def before(self) -> None:
        """Raises the ApiError that is to be answered instead of executing the request."""
        problem = self._decide(self._told, "before")
        if problem is not None:
            raise problem

    def after(self, route: WSGIApplication | Answer) -> WSGIApplication | Answer:
        """`route`, or one that executes the request and loses its answer."""
        if isinstance(route, Answer):
            return self._lost() or route
        app = route

        def executing(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            captured = capture(app, environ)
            lost = self._lost()
            if lost is None:
                return captured.send(start_response)
            captured.body()
            return lost.send(start_response)

        return executing

    def _lost(self) -> Answer | None:
        problem = self._decide(self._told, "after")
        return None if problem is None else answers.error(self._call, problem)
