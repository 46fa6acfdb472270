"""WSGI environ ▸ Call: what is read, and what is left unread for moto."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from localaws.endpoint import REGION
from localaws.errors import ApiError
from localaws.iam import signature
from localaws.iam.call import WITHOUT_BODY, Call
from localaws.iam.requests import service_of_target
from localaws.iam.signature import Signature

_PIECE_BYTES = 1 << 16
# Among moto's own pages, as no bucket can have such a path.
REPORT_PATH = "/moto-api/localaws/iam-report"


def is_motos_own(environ: Mapping[str, Any]) -> bool:
    """moto's own pages (is it up, what does it hold); changing things there takes the deployer's key."""
    return environ["REQUEST_METHOD"] in ("GET", "HEAD") and environ["PATH_INFO"].startswith("/moto-api")


def asks_for_report(environ: Mapping[str, Any]) -> bool:
    """Whether somebody wants to know what roles used and were refused."""
    return bool(environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"] == REPORT_PATH)


def call(environ: dict[str, Any]) -> tuple[Call, ApiError | None]:
    """The request, and what is wrong with its signature (then the call is only good for an answer).

    The body is read only where it says what the request needs, and put back for moto; an upload stays in
    the socket.
    """
    query = _query(environ)
    signed: Signature | None = None
    problem: ApiError | None = None
    try:
        signed = signature.read(environ, query)
    except ApiError as error:
        problem = error
    if signed is None:
        signed, problem = _anonymous(environ), problem or _unsigned(environ)
    elif signed.presigned and signed.service != "s3":
        # moto finds the service of such a request by other means than its credential scope.
        problem = ApiError(
            "AccessDenied", f"presigned {signed.service} requests are not supported; only S3's", 403
        )
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    method = environ["REQUEST_METHOD"]
    wanted = signed.service not in WITHOUT_BODY or (signed.service == "s3" and "delete" in query)
    body = _take_body(environ) if wanted and problem is None else b""
    return Call(signed, method, path, query, environ, body), problem


def put_back(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The environ with this body unread."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


def drain(environ: Mapping[str, Any]) -> None:
    """Read what the client still sends, piece by piece, or it sees a broken pipe instead of the answer."""
    left = _length(environ)
    source = environ["wsgi.input"]
    while left is None or left > 0:
        piece = source.read(_PIECE_BYTES if left is None else min(_PIECE_BYTES, left))
        if not piece:
            return
        left = None if left is None else left - len(piece)


def _take_body(environ: dict[str, Any]) -> bytes:
    length = _length(environ)
    body: bytes = environ["wsgi.input"].read() if length is None else environ["wsgi.input"].read(length)
    put_back(environ, body)
    return body


def _length(environ: Mapping[str, Any]) -> int | None:
    """Bytes of the body; None if the stream ends by itself (chunked)."""
    text = environ.get("CONTENT_LENGTH") or ""
    if text.isdigit():
        return int(text)
    return None if environ.get("wsgi.input_terminated") else 0


def _query(environ: Mapping[str, Any]) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
        query.setdefault(name, value)
    return query


def _anonymous(environ: Mapping[str, Any]) -> Signature:
    """Nobody; the service is guessed, only for the form of the answer."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    service = service_of_target(target) if target else "sts" if form else "s3"
    return Signature("", None, REGION, service)


def _unsigned(environ: Mapping[str, Any]) -> ApiError:
    message = "Request is missing Authentication Token"
    code = "AccessDenied" if _anonymous(environ).service == "s3" else "MissingAuthenticationToken"
    return ApiError(code, message, 403)
