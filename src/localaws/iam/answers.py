"""Answers that don't come from moto: errors in each service's own format, and players' results."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from wsgiref.types import StartResponse
from xml.sax.saxutils import escape

from localaws.errors import ApiError
from localaws.iam.call import Call
from localaws.iam.policy import Decision, Need

_REASONS = {
    **{200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict"},
    **{429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"},
}


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def send(self, start_response: StartResponse) -> Iterable[bytes]:
        """As the result of a WSGI application."""
        headers = [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("x-amzn-RequestId", str(uuid.uuid4())),
            *self.headers,
        ]
        start_response(f"{self.status} {_REASONS.get(self.status, 'Error')}", headers)
        return [self.body]


def denied(call: Call, arn: str, need: Need, decision: Decision) -> ApiError:
    """AWS's own words, and the code and status that the service uses for them."""
    message = (
        f"User: {arn} is not authorized to perform: {need.action} on resource: {need.resource} "
        f"{decision.reason}"
    )
    return access_denied(call, message)


def access_denied(call: Call, message: str) -> ApiError:
    """The service's code for "no": AccessDenied, AccessDeniedException or SNS's AuthorizationError."""
    if call.service == "sns":
        return ApiError("AuthorizationError", message, 403)
    if call.is_json:
        # SQS spoke the query protocol once and kept its codes.
        return ApiError("AccessDenied" if call.service == "sqs" else "AccessDeniedException", message, 400)
    return ApiError("AccessDeniedException" if call.service == "lambda" else "AccessDenied", message, 403)


def bad_credentials(call: Call, problem: ApiError) -> ApiError:
    """S3 and the JSON services have codes of their own for unknown and for expired keys."""
    if call.service == "s3" and problem.code == "InvalidClientTokenId":
        return ApiError("InvalidAccessKeyId", problem.message, 403)
    if call.is_json and problem.code == "ExpiredToken":
        return ApiError("ExpiredTokenException", problem.message, 400)
    return problem


def error(call: Call, problem: ApiError) -> Answer:
    """`problem` in the format of the service called."""
    if call.is_json:
        return _json_error(problem, compatible=call.service == "sqs")
    if call.service == "s3":
        return _s3_error(call, problem)
    if call.service == "lambda":
        body = json.dumps({"Type": "User", "Message": problem.message, "message": problem.message}).encode()
        return Answer(problem.status, "application/json", body, (("x-amzn-ErrorType", problem.code),))
    return _query_error(problem)


def result(value: dict[str, Any], content_type: str) -> Answer:
    """A player's result as the JSON protocol has it: moments are seconds since 1970, bytes are base64."""
    return Answer(200, content_type, json.dumps(value, default=_plain).encode())


def xml(operation: str, namespace: str, inner: str) -> Answer:
    """A result of the query protocol."""
    body = (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{inner}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, "text/xml", body.encode())


def _json_error(problem: ApiError, *, compatible: bool) -> Answer:
    kind = "Sender" if problem.status < 500 else "Receiver"
    body = {"__type": problem.code, "message": problem.message, "Message": problem.message}
    headers: tuple[tuple[str, str], ...] = (("x-amzn-ErrorType", problem.code),)
    if compatible:
        headers = (*headers, ("x-amzn-query-error", f"{problem.code};{kind}"))
    return Answer(problem.status, "application/x-amz-json-1.1", json.dumps(body).encode(), headers)


def _s3_error(call: Call, problem: ApiError) -> Answer:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(problem.code)}</Code><Message>{escape(problem.message)}</Message>"
        f"<Resource>{escape(call.path)}</Resource><RequestId>{uuid.uuid4().hex[:16]}</RequestId></Error>"
    )
    return Answer(problem.status, "application/xml", b"" if call.method == "HEAD" else body.encode())


def _query_error(problem: ApiError) -> Answer:
    kind = "Sender" if problem.status < 500 else "Receiver"
    body = (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(problem.code)}</Code>"
        f"<Message>{escape(problem.message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Answer(problem.status, "text/xml", body.encode())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    raise TypeError(
        f"a player answered with a {type(value).__name__}, which the JSON protocol has no form for"
    )
