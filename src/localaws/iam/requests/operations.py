"""The names of operations as SDKs and AWS's documentation call them, for REST services too."""

from __future__ import annotations

from localaws.iam.call import Call
from localaws.iam.requests.s3 import bucket_and_key, sub_resource

# (method, "bucket" or "object", sub-resource) ▸ the operation.
_S3 = {
    ("HEAD", "bucket", ""): "HeadBucket",
    ("GET", "bucket", ""): "ListObjects",
    ("GET", "bucket", "versions"): "ListObjectVersions",
    ("GET", "bucket", "uploads"): "ListMultipartUploads",
    ("GET", "bucket", "location"): "GetBucketLocation",
    ("GET", "bucket", "versioning"): "GetBucketVersioning",
    ("POST", "bucket", "delete"): "DeleteObjects",
    ("HEAD", "object", ""): "HeadObject",
    ("GET", "object", ""): "GetObject",
    ("PUT", "object", ""): "PutObject",
    ("DELETE", "object", ""): "DeleteObject",
    ("GET", "object", "tagging"): "GetObjectTagging",
    ("PUT", "object", "tagging"): "PutObjectTagging",
    ("DELETE", "object", "tagging"): "DeleteObjectTagging",
    ("POST", "object", "uploads"): "CreateMultipartUpload",
    ("PUT", "object", "partNumber,uploadId"): "UploadPart",
    ("POST", "object", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "object", "uploadId"): "AbortMultipartUpload",
    ("GET", "object", "uploadId"): "ListParts",
}
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
_LAMBDA = {"invocations": "Invoke", "configuration": "GetFunctionConfiguration"}


def operation_name(call: Call) -> str:
    """ "PutObject", "Invoke", "SendMessage"; the method and the path of a REST request that isn't known here."""
    if call.service == "s3":
        return _s3_operation(call)
    if call.service == "lambda":
        return _LAMBDA.get(call.path.rpartition("/")[2], call.operation)
    return call.operation


def _s3_operation(call: Call) -> str:
    bucket, key = bucket_and_key(call)
    if not bucket:
        return "ListBuckets"
    part = sub_resource(call)
    name = _S3.get((call.method, "object" if key else "bucket", part), call.operation)
    if name == "ListObjects" and call.query.get("list-type") == "2":
        return "ListObjectsV2"
    return _COPIES.get(name, name) if call.header("x-amz-copy-source") else name
