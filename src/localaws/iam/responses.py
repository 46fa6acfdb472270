"""Responses that moto does not give: errors in each service's format, and results of our own services."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from werkzeug import Response

from localaws.errors import ApiError
from localaws.iam.call import Call
from localaws.iam.policy import Decision, Need


def denied(call: Call, arn: str, need: Need, decision: Decision) -> ApiError:
    """AWS's own words, and the code and status that the service uses for them."""
    message = (
        f"User: {arn} is not authorized to perform: {need.action} on resource: {need.resource} "
        f"{decision.reason}"
    )
    return access_denied(call, message)


def access_denied(call: Call, message: str) -> ApiError:
    """The service's error for a refused request: AccessDenied, AccessDeniedException or SNS's AuthorizationError."""
    if call.service == "sns":
        return ApiError("AuthorizationError", message, 403)
    if call.is_json:
        # SQS used the query protocol before, and keeps its codes.
        return ApiError("AccessDenied" if call.service == "sqs" else "AccessDeniedException", message, 400)
    return ApiError("AccessDeniedException" if call.service == "lambda" else "AccessDenied", message, 403)


def bad_credentials(call: Call, problem: ApiError) -> ApiError:
    """The error for unknown or expired keys: S3 and the JSON services have their own codes."""
    if call.service == "s3" and problem.code == "InvalidClientTokenId":
        return ApiError("InvalidAccessKeyId", problem.message, 403)
    if call.is_json and problem.code == "ExpiredToken":
        return ApiError("ExpiredTokenException", problem.message, 400)
    return problem


def error(call: Call, problem: ApiError) -> Response:
    """`problem` in the format of the service called."""
    if call.is_json:
        return _json_error(problem, compatible=call.service == "sqs")
    if call.service == "s3":
        return _s3_error(call, problem)
    if call.service == "lambda":
        body = json.dumps({"Type": "User", "Message": problem.message, "message": problem.message})
        return _response(problem.status, "application/json", body, {"x-amzn-ErrorType": problem.code})
    return _query_error(problem)


def result(value: dict[str, Any], content_type: str) -> Response:
    """A result in the JSON protocol: datetimes are seconds since 1970, bytes are base64."""
    return _response(200, content_type, json.dumps(value, default=_plain))


def xml(operation: str, namespace: str, inner: str) -> Response:
    """A result of the query protocol."""
    body = (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{inner}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return _response(200, "text/xml", body)


def _json_error(problem: ApiError, *, compatible: bool) -> Response:
    kind = "Sender" if problem.status < 500 else "Receiver"
    body = {"__type": problem.code, "message": problem.message, "Message": problem.message}
    headers = {"x-amzn-ErrorType": problem.code}
    if compatible:
        headers["x-amzn-query-error"] = f"{problem.code};{kind}"
    return _response(problem.status, "application/x-amz-json-1.1", json.dumps(body), headers)


def _s3_error(call: Call, problem: ApiError) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(problem.code)}</Code><Message>{escape(problem.message)}</Message>"
        f"<Resource>{escape(call.path)}</Resource><RequestId>{uuid.uuid4().hex[:16]}</RequestId></Error>"
    )
    return _response(problem.status, "application/xml", body)


def _query_error(problem: ApiError) -> Response:
    kind = "Sender" if problem.status < 500 else "Receiver"
    body = (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(problem.code)}</Code>"
        f"<Message>{escape(problem.message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return _response(problem.status, "text/xml", body)


def _response(
    status: int, content_type: str, body: str, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        body, status, {"x-amzn-RequestId": str(uuid.uuid4()), **(headers or {})}, content_type=content_type
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    raise TypeError(f"a result holds a {type(value).__name__}, for which the JSON protocol has no form")
