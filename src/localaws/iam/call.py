"""One HTTP request, as far as authorisation must know it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from localaws.endpoint import ACCOUNT
from localaws.errors import ApiError, NotSupported
from localaws.iam.signature import Signature

# These are authorised by method, path, query and headers; the body is not looked at (an upload may be huge).
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
        """The operation's name; for REST services the method and path, which name it as well as can be."""
        if self.service not in WITHOUT_BODY:
            name = self.target[1] if self.target else self.parameters.get("Action")
            if name:
                return str(name)
        return f"{self.method} {self.path}"

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The JSON body, or the form fields of the query protocol. Raises ApiError for what is neither."""
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
            raise ApiError("SerializationException", "the body is not the gzip it says it is") from error


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", "the body is no JSON") from error
    if not isinstance(value, dict):
        raise ApiError("SerializationException", "the body is no JSON object")
    return value
