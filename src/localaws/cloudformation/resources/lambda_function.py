"""AWS::Lambda::Function and AWS::Lambda::LayerVersion."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from botocore.exceptions import ClientError

from ..resource import Change, Existing, Fixed, Made, Place, Properties, ResourceType, TemplateError
from ..shapes import call, retag

# What a setting falls back to when it leaves the template. AWS docs: CreateFunction.
_DEFAULTS: dict[str, Any] = {
    "DeadLetterConfig": {},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "KMSKeyArn": "",
    "Layers": [],
    "LoggingConfig": {"LogFormat": "Text"},
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
}
_CONFIGURED = frozenset({"Handler", "KmsKeyArn", "Role", "Runtime", *_DEFAULTS}) - {"KMSKeyArn"}


class Function(ResourceType):
    """A function from a zip: S3 or, for a few lines, inline. `Ref` is its name."""

    type_name = "AWS::Lambda::Function"
    deletes = ("lambda", "DeleteFunction", "FunctionName")
    implemented = _CONFIGURED | {
        *("Architectures", "Code", "FunctionName", "PackageType", "ReservedConcurrentExecutions", "Tags")
    }
    needed = frozenset({"Handler", "Runtime"})
    unchangeable = frozenset({"Architectures"})
    attributes = frozenset({"Arn"})
    name_property = "FunctionName"

    def create(self, at: Place, properties: Properties) -> Made:
        functions, name = at.client("lambda"), properties["FunctionName"]
        if properties.get("PackageType", "Zip") != "Zip":
            raise TemplateError("PackageType: the laptop runs functions from zips only")
        wanted = _configuration(properties, _CONFIGURED & set(properties))
        wanted |= {
            key: properties[key] for key in ("Architectures", "FunctionName", "Tags") if key in properties
        }
        wanted["Code"] = code(at, properties["Code"])
        arn = call(functions, "CreateFunction", wanted)["FunctionArn"]
        if "ReservedConcurrentExecutions" in properties:
            self._reserve(functions, name, properties["ReservedConcurrentExecutions"])
        return Made(name, {"Arn": arn})

    def update(self, at: Place, change: Change) -> Made:
        functions, name = at.client("lambda"), change.made.ref
        if "Code" in change.changed:
            functions.update_function_code(FunctionName=name, **code(at, change.new["Code"]))
        settings = _configuration(change.new, _CONFIGURED & change.changed)
        if settings:
            call(functions, "UpdateFunctionConfiguration", {"FunctionName": name, **settings})
        if "ReservedConcurrentExecutions" in change.changed:
            self._reserve(functions, name, change.new.get("ReservedConcurrentExecutions"))
        retag(functions, change.made.attributes["Arn"], change)
        return change.made

    def _reserve(self, functions: Any, name: str, executions: Any) -> None:
        if executions is None:
            functions.delete_function_concurrency(FunctionName=name)
        else:
            wanted = {"FunctionName": name, "ReservedConcurrentExecutions": executions}
            call(functions, "PutFunctionConcurrency", wanted)


def _configuration(properties: Properties, names: frozenset[str] | set[str]) -> dict[str, Any]:
    """The settings `names` as the API calls them, defaults for those that `properties` lacks."""
    renamed = {name: "KMSKeyArn" if name == "KmsKeyArn" else name for name in names}
    return {api: properties.get(name, _DEFAULTS.get(api)) for name, api in renamed.items()}


def code(at: Place, given: Properties) -> dict[str, Any]:
    """The code arguments for Lambda's API from a Code or Content property.

    Raises TemplateError if the object isn't there: nothing would fail before the first invocation.
    """
    if set(given) == {"ZipFile"}:
        return {"ZipFile": _inline(str(given["ZipFile"]))}
    if set(given) != {"S3Bucket", "S3Key"}:
        raise TemplateError(
            f"the code is given by S3Bucket and S3Key (as `aws cloudformation package` writes it) "
            f"or by ZipFile, not by {', '.join(sorted(given))}"
        )
    try:
        at.client("s3").head_object(Bucket=given["S3Bucket"], Key=given["S3Key"])
    except ClientError as missing:
        place = f"s3://{given['S3Bucket']}/{given['S3Key']}"
        raise TemplateError(f"the code is not there: {place} ({missing})") from missing
    return {"S3Bucket": given["S3Bucket"], "S3Key": given["S3Key"]}


def _inline(source: str) -> bytes:
    """AWS docs: inline code becomes index.py. The same source gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("index.py", date_time=(1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, source)
    return buffer.getvalue()


class LayerVersion(Fixed):
    """A layer's version; any change makes a new one. `Ref` is the version's ARN."""

    type_name = "AWS::Lambda::LayerVersion"
    attributes = frozenset({"LayerVersionArn"})
    name_property = "LayerName"
    name_limit = 140
    name_unique = False

    def create(self, at: Place, properties: Properties) -> Made:
        functions = at.client("lambda")
        content = code(at, properties["Content"])
        if "ZipFile" in content:
            raise TemplateError("Content: a layer comes from S3Bucket and S3Key")
        arn = call(functions, "PublishLayerVersion", {**properties, "Content": content})["LayerVersionArn"]
        return Made(arn, {"LayerVersionArn": arn})

    def delete(self, at: Place, existing: Existing) -> None:
        name, version = existing.properties["LayerName"], int(existing.made.ref.rsplit(":", 1)[1])
        at.client("lambda").delete_layer_version(LayerName=name, VersionNumber=version)
