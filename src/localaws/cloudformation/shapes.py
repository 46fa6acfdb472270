"""Properties made to fit an API operation's own input shape.

CloudFormation's values are loosely typed: every parameter is a text, also of type Number ("when you
use the parameter elsewhere in your template ... the parameter value becomes a literal string", AWS
docs: Parameters). The services' APIs are strict. The SDK's service model knows their types.
"""

from __future__ import annotations

from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localaws.cloudformation.resource import TemplateError


def fit(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """`parameters` with every value converted to the type that `operation` (e.g. "CreateJob") takes.

    Raises TemplateError naming the path of a member the operation doesn't have, or of a value that
    can't be converted.
    """
    shape = client.meta.service_model.operation_model(operation).input_shape
    fitted = _fit(parameters, shape, "")
    return dict(fitted)


def call(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call `operation` with `parameters` made to fit; its answer. Raises as `fit`, and ClientError."""
    method = getattr(client, _method_names(client)[operation])
    return dict(method(**fit(client, operation, parameters)))


def _method_names(client: Any) -> dict[str, str]:
    return {operation: method for method, operation in client.meta.method_to_api_mapping.items()}


def _fit(value: Any, shape: Shape, path: str) -> Any:
    if isinstance(shape, StructureShape):
        return _fit_structure(value, shape, path)
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise TemplateError(f"{path or 'value'}: a list is expected, not {value!r}")
        return [_fit(item, shape.member, f"{path}[{i}]") for i, item in enumerate(value)]
    if isinstance(shape, MapShape):
        if not isinstance(value, dict):
            raise TemplateError(f"{path}: a mapping is expected, not {value!r}")
        return {str(key): _fit(item, shape.value, f"{path}.{key}") for key, item in value.items()}
    return _fit_scalar(value, shape.type_name, path)


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


def text(value: Any) -> str:
    """A scalar as CloudFormation writes it into a text: true, not True."""
    return str(value).lower() if isinstance(value, bool) else str(value)
