"""Properties converted to the input shape of an API operation.

CloudFormation's values are loosely typed: every parameter is a text, also of type Number ("when you use the
parameter elsewhere in your template ... the parameter value becomes a literal string", AWS docs: Parameters), and
tags are a list where an API may take a map. The services' APIs are strict. The SDK's service model has their types.
"""

from __future__ import annotations

import json
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape

from localaws.cloudformation.resource import Change, Properties, TemplateError


def fit(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """`parameters` with every value converted to the type that `operation` (e.g. "CreateJob") takes.

    Raises TemplateError with the path of a member that the operation does not have, or of a value that cannot be
    converted.
    """
    return dict(_fit(parameters, client.meta.service_model.operation_model(operation).input_shape, ""))


def call(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call `operation` with `parameters` made to fit; its answer. Raises as `fit`, and ClientError."""
    return dict(getattr(client, xform_name(operation))(**fit(client, operation, parameters)))


def retag(client: Any, target: str, change: Change, kind: str = "Resource") -> None:
    """Bring the tags of `target`, as TagResource names it, from the old ones to the new ones.

    `kind`: "Role" for IAM's TagRole and UntagRole, "Queue" for SQS's.
    """
    old, new = _tags(change.old), _tags(change.new)
    for operation, tags in (
        (f"Tag{kind}", {key: value for key, value in new.items() if old.get(key) != value}),
        (f"Untag{kind}", sorted(set(old) - set(new))),
    ):
        if tags:
            # The members have other names in each service, but this order.
            members = client.meta.service_model.operation_model(operation).input_shape.required_members
            call(client, operation, dict(zip(members, (target, tags), strict=True)))


def _tags(properties: Properties) -> dict[str, str]:
    tags = properties.get("Tags", {})
    return tags if isinstance(tags, dict) else {str(tag["Key"]): tag["Value"] for tag in tags}


def _fit(value: Any, shape: Shape, path: str) -> Any:
    if isinstance(shape, StructureShape):
        return _fit_structure(value, shape, path)
    if isinstance(shape, ListShape):
        if _is_tag(shape.member) and isinstance(value, dict):
            value = [{"Key": key, "Value": text} for key, text in value.items()]
        if not isinstance(value, list):
            raise TemplateError(f"{path or 'value'}: a list is expected, not {value!r}")
        return [_fit(item, shape.member, f"{path}[{i}]") for i, item in enumerate(value)]
    if isinstance(shape, MapShape):
        if isinstance(value, list) and all(
            isinstance(one, dict) and set(one) == {"Key", "Value"} for one in value
        ):
            value = {one["Key"]: one["Value"] for one in value}
        if not isinstance(value, dict):
            raise TemplateError(f"{path}: a mapping is expected, not {value!r}")
        return {str(key): _fit(item, shape.value, f"{path}.{key}") for key, item in value.items()}
    return _fit_scalar(value, shape.type_name, path)


def _is_tag(shape: Shape) -> bool:
    return isinstance(shape, StructureShape) and set(shape.members) == {"Key", "Value"}


def _fit_structure(value: Any, shape: StructureShape, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TemplateError(f"{path}: a mapping is expected, not {value!r}")
    unknown = sorted(set(value) - set(shape.members))
    if unknown:
        place = f" in {path}" if path else ""
        raise TemplateError(f"Encountered unsupported property {', '.join(unknown)}{place}")
    return {
        key: _fit(item, shape.members[key], f"{path}.{key}" if path else key) for key, item in value.items()
    }


def _fit_scalar(value: Any, type_name: str, path: str) -> Any:
    if isinstance(value, dict | list):
        raise TemplateError(f"{path}: a {type_name} is expected, not {value!r}")
    try:
        if type_name in {"integer", "long"}:
            return whole(value)
        if type_name in {"float", "double"}:
            return float(value)
        if type_name == "boolean":
            return truth(value)
    except ValueError as reason:
        raise TemplateError(f"{path}: a {type_name} is expected, not {value!r}") from reason
    return text(value) if type_name == "string" else value


def whole(value: Any) -> int:
    """60, "60" or 60.0 as an int. Raises ValueError for anything else."""
    if isinstance(value, bool) or float(value) != int(float(value)):
        raise ValueError(f"{value!r} is not a whole number")
    return int(value) if isinstance(value, str | int) else int(float(value))


def truth(value: Any) -> bool:
    """True, "true" or "false" (any case) as a bool. Raises ValueError for anything else."""
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    raise ValueError(f"{value!r} is neither true nor false")


def json_text(value: Any) -> str:
    """A policy or another object as JSON, for the services that keep it as a text; a scalar as `text`."""
    return json.dumps(value) if isinstance(value, dict | list) else text(value)


def text(value: Any) -> str:
    """A scalar as CloudFormation writes it into a text: true, not True."""
    return str(value).lower() if isinstance(value, bool) else str(value)
