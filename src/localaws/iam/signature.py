"""The key that signed a request, and the service: read from the header or from a presigned URL.

The signature itself is not checked: the keys of the laptop's AWS tell callers apart, but protect nothing.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.endpoint import REGION
from localaws.errors import ApiError

_SCOPE = re.compile(r"([^/,\s=]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_VERSION_2 = re.compile(r"AWS ([^:\s]+):\S+")


@dataclass(frozen=True)
class Signature:
    """The key that signed, and the credential scope. `expires_at`: seconds since 1970, presigned URLs only.

    `version` as in the condition key s3:signatureversion: "AWS4-HMAC-SHA256", or "AWS" for version 2.
    """

    access_key: str
    token: str | None = field(repr=False)
    region: str
    service: str
    version: str = "AWS4-HMAC-SHA256"
    presigned: bool = False
    expires_at: float | None = None


def read(environ: Mapping[str, Any], query: Mapping[str, str]) -> Signature | None:
    """The signature of a WSGI request, None if it is unsigned.

    Version 2 is still what boto3 presigns S3 URLs with in us-east-1. Raises ApiError for what can't be read.
    """
    header = environ.get("HTTP_AUTHORIZATION")
    if header:
        return _from_header(header, environ.get("HTTP_X_AMZ_SECURITY_TOKEN"))
    if "X-Amz-Credential" in query:
        return _presigned(query)
    if "AWSAccessKeyId" in query:
        expires_at = float(query["Expires"]) if query.get("Expires", "").isdigit() else None
        token = query.get("x-amz-security-token")
        return Signature(query["AWSAccessKeyId"], token, REGION, "s3", "AWS", True, expires_at)
    return None


def _from_header(header: str, token: str | None) -> Signature:
    found = _SCOPE.search(header)
    if found:
        access_key, region, service = found.groups()
        return Signature(access_key, token, region, service.lower())
    old = _VERSION_2.fullmatch(header)
    if old:
        return Signature(old[1], token, REGION, "s3", "AWS")
    raise ApiError("IncompleteSignature", "the Authorization header has no credential scope", 403)


def _presigned(query: Mapping[str, str]) -> Signature:
    found = _SCOPE.fullmatch(query["X-Amz-Credential"])
    if found is None:
        raise ApiError("AuthorizationQueryParametersError", "X-Amz-Credential has no credential scope")
    access_key, region, service = found.groups()
    try:
        signed_at = calendar.timegm(time.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))
        expires_at = float(signed_at + int(query["X-Amz-Expires"]))
    except (KeyError, ValueError) as error:
        message = "a presigned URL needs X-Amz-Date and X-Amz-Expires"
        raise ApiError("AuthorizationQueryParametersError", message) from error
    token = query.get("X-Amz-Security-Token")
    return Signature(access_key, token, region, service.lower(), presigned=True, expires_at=expires_at)
