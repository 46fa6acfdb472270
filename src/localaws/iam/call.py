"""One HTTP request, as far as authorisation reads it; the rest stays unread for moto."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from werkzeug import Request
from werkzeug.wsgi import get_input_stream

from localaws.endpoint import ACCOUNT, REGION
from localaws.errors import ApiError, NotSupported
from localaws.iam import signature
from localaws.iam.signature import Signature

# The prefix of X-Amz-Target; another prefix is another version, or another service, with other operations.
TARGETS = {
    "sqs": "AmazonSQS",
    "dynamodb": "DynamoDB_20120810",
    "glue": "AWSGlue",
    "logs": "Logs_20140328",
    "kms": "TrentService",
    "secretsmanager": "secretsmanager",
    "events": "AWSEvents",
    "redshift-data": "RedshiftData",
    "redshift-serverless": "RedshiftServerless",
    "monitoring": "GraniteServiceVersion20100801",
}
_PIECE_BYTES = 1 << 16
# Among moto's own pages, as no bucket can have such a path.
REPORT_PATH = "/moto-api/localaws/iam-report"
# These are authorised by method, path, query and headers; the body is not read (an upload may be huge).
WITHOUT_BODY = {"s3", "lambda"}


class Unmapped(NotSupported):
    """A request whose permissions aren't known here; `operation` names it."""

    def __init__(self, operation: str, why: str = "") -> None:
        hint = f" ({why})" if why else ""
        super().__init__(
            f"{operation} is unmapped{hint}: which permissions it needs is not known here, so no role may call it"
        )
        self.operation = operation


@dataclass(frozen=True)
class Call:
    """A signed request. `path` is percent-decoded; `environ` is WSGI's; `body` is b"" where it isn't needed."""

    signature: Signature
    method: str
    path: str
    query: Mapping[str, str]
    environ: Mapping[str, Any] = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def service(self) -> str:
        return self.signature.service

    @property
    def region(self) -> str:
        return self.signature.region

    def header(self, name: str) -> str | None:
        """A request header by its usual name, e.g. "x-amz-acl"."""
        return self.environ.get(f"HTTP_{name.upper().replace('-', '_')}")

    @cached_property
    def target(self) -> tuple[str, str] | None:
        """JSON protocol: (prefix, operation) of X-Amz-Target, e.g. ("AWSGlue", "StartJobRun")."""
        text = self.header("x-amz-target")
        if text is None:
            return None
        prefix, _, operation = text.rpartition(".")
        return prefix, operation

    @property
    def is_json(self) -> bool:
        return self.target is not None

    @cached_property
    def operation(self) -> str:
        """The operation's name; for REST services the method and path."""
        if self.service not in WITHOUT_BODY:
            name = self.target[1] if self.target else self.parameters.get("Action")
            if name:
                return str(name)
        return f"{self.method} {self.path}"

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The JSON body, or the form fields of the query protocol. Raises ApiError if it is neither."""
        body = self._plain_body()
        if self.is_json:
            return _json_object(body)
        return {**dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)), **self.query}

    def arn(self, tail: str, service: str | None = None) -> str:
        """An ARN in the request's region and this account."""
        return f"arn:aws:{service or self.service}:{self.region}:{ACCOUNT}:{tail}"

    def _plain_body(self) -> bytes:
        # boto3 compresses large PutMetricData requests.
        if self.header("content-encoding") != "gzip":
            return self.body
        try:
            return gzip.decompress(self.body)
        except (OSError, EOFError, zlib.error) as error:
            raise ApiError(
                "SerializationException", "Content-Encoding is gzip, but the body isn't"
            ) from error


def is_motos_own(environ: Mapping[str, Any]) -> bool:
    """Whether the request is for moto's own pages, which show its state; only the deployer's key changes it."""
    return environ["REQUEST_METHOD"] in ("GET", "HEAD") and environ["PATH_INFO"].startswith("/moto-api")


def asks_for_report(environ: Mapping[str, Any]) -> bool:
    """Whether the request is for the report of used and refused permissions."""
    return bool(environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"] == REPORT_PATH)


def read(environ: dict[str, Any]) -> tuple[Call, ApiError | None]:
    """The request, and what is wrong with its signature (the call then only serves for the response).

    The body is read only if the needed permissions depend on it, and put back for moto; an upload stays
    in the socket.
    """
    query = Request(environ).args.to_dict()
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
    body = get_input_stream(environ).read() if wanted and problem is None else b""
    if wanted and problem is None:
        put_back(environ, body)
    return Call(signed, method, path, query, environ, body), problem


def put_back(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The environ with this body unread."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


def drain(environ: dict[str, Any]) -> None:
    """Read what the client still sends, piece by piece; otherwise it gets a broken pipe instead of the response."""
    source = get_input_stream(environ)
    while source.read(_PIECE_BYTES):
        pass


def _anonymous(environ: Mapping[str, Any]) -> Signature:
    """No caller; the service is guessed, for the format of the response only."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    service = _service_of(target) if target else "sts" if form else "s3"
    return Signature("", None, REGION, service)


def _service_of(target: str) -> str:
    """The service that an X-Amz-Target header addresses; its prefix if it addresses none that is known here."""
    prefix = target.rpartition(".")[0]
    return next((service for service, known in TARGETS.items() if known == prefix), prefix)


def _unsigned(environ: Mapping[str, Any]) -> ApiError:
    message = "Request is missing Authentication Token"
    code = "AccessDenied" if _anonymous(environ).service == "s3" else "MissingAuthenticationToken"
    return ApiError(code, message, 403)


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", "the body is not JSON") from error
    if not isinstance(value, dict):
        raise ApiError("SerializationException", "the body is not a JSON object")
    return value
