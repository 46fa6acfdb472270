"""S3 requests ▸ the permissions they need.

AWS docs: "Required permissions for Amazon S3 API operations" and the API reference of each operation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from localaws.endpoint import ACCOUNT
from localaws.iam.call import Call, Unmapped
from localaws.iam.globs import Context
from localaws.iam.policy import Need

_IP_OR_PLAIN_HOST = re.compile(r"(\d{1,3}(\.\d{1,3}){3}|\[.*\]|[^.]+)(:\d+)?")
_AWS_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3[.-]?[^/]*\.amazonaws\.com(?::\d+)?")

# Query parameters that only shape the answer; any other one names a sub-resource, with permissions of its own.
_SHAPING = {
    *("list-type", "prefix", "delimiter", "max-keys", "marker", "start-after", "continuation-token"),
    *("encoding-type", "fetch-owner", "key-marker", "version-id-marker", "upload-id-marker", "max-uploads"),
    *("max-parts", "part-number-marker", "versionId", "x-id", "Signature", "Expires", "AWSAccessKeyId"),
    *("x-amz-security-token", "x-amz-checksum-mode"),
}

_BUCKET_READS = {
    "": "ListBucket",
    "versions": "ListBucketVersions",
    "uploads": "ListBucketMultipartUploads",
    "location": "GetBucketLocation",
    "versioning": "GetBucketVersioning",
    "policy": "GetBucketPolicy",
    "notification": "GetBucketNotification",
    "lifecycle": "GetLifecycleConfiguration",
    "encryption": "GetEncryptionConfiguration",
    "tagging": "GetBucketTagging",
    "publicAccessBlock": "GetBucketPublicAccessBlock",
}
# (method, sub-resource) of an object ▸ (action, action when a version id is given)
_OBJECT_ACTIONS = {
    ("GET", ""): ("GetObject", "GetObjectVersion"),
    ("GET", "partNumber"): ("GetObject", "GetObjectVersion"),
    ("HEAD", ""): ("GetObject", "GetObjectVersion"),
    ("HEAD", "partNumber"): ("GetObject", "GetObjectVersion"),
    ("GET", "tagging"): ("GetObjectTagging", "GetObjectVersionTagging"),
    ("PUT", "tagging"): ("PutObjectTagging", "PutObjectVersionTagging"),
    ("DELETE", "tagging"): ("DeleteObjectTagging", "DeleteObjectVersionTagging"),
    ("GET", "acl"): ("GetObjectAcl", "GetObjectVersionAcl"),
    ("GET", "uploadId"): ("ListMultipartUploadParts", None),
    ("DELETE", ""): ("DeleteObject", "DeleteObjectVersion"),
    ("DELETE", "uploadId"): ("AbortMultipartUpload", None),
    ("PUT", ""): ("PutObject", None),
    ("PUT", "partNumber,uploadId"): ("PutObject", None),
    ("POST", "uploads"): ("PutObject", None),
    ("POST", "uploadId"): ("PutObject", None),
}
# Parts of an upload are no object yet (AWS docs: condition key s3:ObjectCreationOperation).
_CREATE_NOTHING = {("PUT", "partNumber,uploadId"), ("POST", "uploads")}
_EXTRA_BY_HEADER = {
    "x-amz-tagging": "PutObjectTagging",
    "x-amz-acl": "PutObjectAcl",
    "x-amz-object-lock-mode": "PutObjectRetention",
    "x-amz-object-lock-legal-hold": "PutObjectLegalHold",
}
_CONDITION_HEADERS = {
    *("x-amz-acl", "x-amz-copy-source", "x-amz-metadata-directive", "x-amz-server-side-encryption"),
    *("x-amz-server-side-encryption-aws-kms-key-id", "x-amz-storage-class", "x-amz-content-sha256"),
    *("if-match", "if-none-match"),
}

KEYS = {
    *("s3:prefix", "s3:delimiter", "s3:max-keys", "s3:versionid", "s3:objectcreationoperation"),
    *("s3:requestobjecttagkeys", "s3:authtype", "s3:signatureversion", "s3:tlsversion", "s3:resourceaccount"),
    *(f"s3:{name}" for name in _CONDITION_HEADERS),
}
KEY_PREFIXES = ("s3:requestobjecttag/",)


def bucket_and_key(call: Call) -> tuple[str, str]:
    """Path style (`/bucket/key`) or virtual-host style (`bucket.s3.amazonaws.com/key`)."""
    host = call.header("host") or "localhost"
    path = call.path[1:]
    if _IP_OR_PLAIN_HOST.fullmatch(host) or host.startswith("localhost"):
        bucket, _, key = path.partition("/")
        return bucket, key
    aws = _AWS_HOST.fullmatch(host)
    if aws is None:
        return host.split(".")[0], path
    if aws["bucket"]:
        return aws["bucket"], path
    bucket, _, key = path.partition("/")
    return bucket, key


def needs(call: Call) -> list[Need]:
    """Every permission the request needs. Raises Unmapped for an unknown request rather than return too few.

    Deleting many objects at once is decided object by object: see bulk_delete.py.
    """
    bucket, key = bucket_and_key(call)
    if call.path == "/" and not bucket and call.method == "GET":
        return [Need("s3:ListAllMyBuckets", "*", _request_context(call))]
    if not bucket or call.path.startswith("/v20180820/"):
        raise Unmapped(f"s3 {call.operation}")
    if not key:
        return [_bucket_need(call, bucket)]
    return _object_needs(call, bucket, key)


def is_bulk_delete(call: Call) -> bool:
    return call.service == "s3" and call.method == "POST" and "delete" in call.query


def delete_need(call: Call, key: str, version: str | None) -> Need:
    """What deleting one object of a bulk delete needs."""
    bucket, _ = bucket_and_key(call)
    action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
    context = {**_request_context(call), **({"s3:versionid": version} if version else {})}
    return Need(action, f"arn:aws:s3:::{bucket}/{key}", context)


def _bucket_need(call: Call, bucket: str) -> Need:
    part = sub_resource(call)
    arn = f"arn:aws:s3:::{bucket}"
    if call.method == "HEAD" and not part:
        return Need("s3:ListBucket", arn, _request_context(call))
    if call.method != "GET" or part not in _BUCKET_READS:
        raise Unmapped(f"s3 {call.operation}", f"?{part}" if part else "")
    context = {
        f"s3:{name}": call.query[name] for name in ("prefix", "delimiter", "max-keys") if name in call.query
    }
    return Need(f"s3:{_BUCKET_READS[part]}", arn, {**_request_context(call), **context})


def _object_needs(call: Call, bucket: str, key: str) -> list[Need]:
    part = sub_resource(call)
    kind = (call.method, part)
    if kind not in _OBJECT_ACTIONS:
        raise Unmapped(f"s3 {call.operation}", f"?{part}" if part else "")
    plain, versioned = _OBJECT_ACTIONS[kind]
    version = call.query.get("versionId")
    if version and not versioned:
        raise Unmapped(f"s3 {call.operation}", "with a versionId")
    action = versioned if version and versioned else plain
    arn = f"arn:aws:s3:::{bucket}/{key}"
    context = _object_context(call, version)
    if action != "PutObject":
        return [Need(f"s3:{action}", arn, context), *_bypass(call, arn, context)]
    context["s3:objectcreationoperation"] = "false" if kind in _CREATE_NOTHING else "true"
    own = [Need(f"s3:{name}", arn, context) for name in (action, *_extra_actions(call))]
    return own + _source_needs(call)


def _extra_actions(call: Call) -> list[str]:
    extra = [name for header, name in _EXTRA_BY_HEADER.items() if call.header(header)]
    if any(name.startswith("HTTP_X_AMZ_GRANT_") for name in call.environ):
        extra.append("PutObjectAcl")
    if call.header("if-match"):
        extra.append("GetObject")  # AWS docs, conditional writes: the caller learns about the object's ETag
    return extra


def _bypass(call: Call, arn: str, context: Context) -> list[Need]:
    asked = call.header("x-amz-bypass-governance-retention") == "true"
    return [Need("s3:BypassGovernanceRetention", arn, context)] if asked else []


def _source_needs(call: Call) -> list[Need]:
    """CopyObject and UploadPartCopy also read their source, in the version that is named."""
    source = call.header("x-amz-copy-source")
    if source is None:
        return []
    parts = urlsplit(source)
    path = unquote(parts.path).lstrip("/")
    if path.startswith("arn:") or "/" not in path:
        raise Unmapped("s3 copy", f"from {source!r}; the source is written bucket/key")
    version = parse_qs(parts.query).get("versionId", [None])[0]
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    context = {**_request_context(call), **({"s3:versionid": version} if version else {})}
    return [Need(action, f"arn:aws:s3:::{path}", context)]


def sub_resource(call: Call) -> str:
    names = [
        name
        for name in call.query
        if name not in _SHAPING and not name.startswith(("X-Amz-", "response-", "x-amz-checksum"))
    ]
    return ",".join(sorted(names))


def _request_context(call: Call) -> dict[str, str | tuple[str, ...]]:
    return {
        "s3:authtype": "REST-QUERY-STRING" if call.signature.presigned else "REST-HEADER",
        "s3:signatureversion": call.signature.version,
        "s3:tlsversion": "1.3",  # the laptop speaks plain HTTP; the code under test would speak TLS
        "s3:resourceaccount": ACCOUNT,
    }


def _object_context(call: Call, version: str | None) -> dict[str, str | tuple[str, ...]]:
    context = _request_context(call)
    if version:
        context["s3:versionid"] = version
    for name in _CONDITION_HEADERS:
        value = call.header(name)
        if value is not None:
            context[f"s3:{name}"] = value
    return {**context, **_tag_context(dict(parse_qsl(call.header("x-amz-tagging") or "")))}


def _tag_context(tags: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    if not tags:
        return {}
    keys: dict[str, str | tuple[str, ...]] = {"s3:requestobjecttagkeys": tuple(tags)}
    return {**keys, **{f"s3:requestobjecttag/{name.lower()}": value for name, value in tags.items()}}
