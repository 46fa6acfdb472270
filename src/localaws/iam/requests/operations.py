"""The names of operations in SDKs and AWS's documentation, for REST services too."""

from __future__ import annotations

from functools import cache

from botocore.session import Session

from localaws.iam.call import Call
from localaws.iam.requests.s3 import bucket_and_key, sub_resource

_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
_LAMBDA = {"invocations": "Invoke", "configuration": "GetFunctionConfiguration"}


def operation_name(call: Call) -> str:
    """ "PutObject", "Invoke", "SendMessage"; the method and the path of a REST request that is not known here."""
    if call.service == "lambda":
        return _LAMBDA.get(call.path.rpartition("/")[2], call.operation)
    if call.service != "s3":
        return call.operation
    bucket, key = bucket_and_key(call)
    if not bucket:
        return "ListBuckets"
    name = _s3_operations().get((call.method, bool(key), sub_resource(call)), call.operation)
    if name == "ListObjects" and call.query.get("list-type") == "2":
        return "ListObjectsV2"
    return _COPIES.get(name, name) if call.header("x-amz-copy-source") else name


@cache
def _s3_operations() -> dict[tuple[str, bool, str], str]:
    """(method, whether of an object, sub-resource as `sub_resource` gives it) ▸ operation, by the SDK's model."""
    model = Session().get_service_model("s3")
    found: dict[tuple[str, bool, str], str] = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, flags = operation.http["requestUri"].partition("?")
        shape = operation.input_shape
        required = [shape.members[member] for member in shape.required_members] if shape else []
        names = {flag.partition("=")[0] for flag in flags.split("&") if flag and not flag.startswith("x-id")}
        names |= {
            one.serialization["name"]
            for one in required
            if one.serialization.get("location") == "querystring"
        }
        if name not in _COPIES.values():
            found[operation.http["method"], "{Key" in path, ",".join(sorted(names))] = name
    return found
