"""What is changed in moto's Lambda."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.core.exceptions import JsonRESTError

from localaws.patches import Patches, around, replace

# What CreateFunction of moto drops.
_DROPPED = ("DeadLetterConfig", "LoggingConfig")
_SMALL_BATCH = 10


def _invoke(function: Any, *_arguments: Any, **_named: Any) -> Any:
    """moto starts Docker containers, and without Docker the invocation is lost without an error.

    S3, SNS, DynamoDB streams and Kinesis would invoke functions through it.
    """
    raise JsonRESTError(
        "ServiceException",
        f"{function.function_name} was not invoked: no function service is running on this laptop's AWS",
    )


def _initialise(
    init: Callable[..., None], function: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any
) -> None:
    init(function, account_id, spec, *rest, **named)
    function.kept = _dropped(spec)


def _get_configuration(
    describe: Callable[..., dict[str, Any]], function: Any, on_create: bool = False
) -> Any:
    return {**describe(function, on_create), **getattr(function, "kept", {})}


def _update_configuration(update: Callable[..., Any], function: Any, wanted: dict[str, Any]) -> Any:
    """UpdateFunctionConfiguration of moto ignores five settings."""
    function.kept = {**getattr(function, "kept", {}), **_dropped(wanted)}
    if "EphemeralStorage" in wanted:
        function.ephemeral_storage = wanted["EphemeralStorage"]["Size"]
    function.tracing_config = wanted.get("TracingConfig", function.tracing_config)
    function.kms_key_arn = wanted.get("KMSKeyArn", function.kms_key_arn)
    return update(function, wanted)


def _dropped(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in _DROPPED if name in values}


def _put_invoke_config(put: Callable[..., Any], backend: Any, function_name: str, config: Any) -> Any:
    """PutFunctionEventInvokeConfig of moto appends to a list of which it only ever reads the first."""
    answer = put(backend, function_name, config)
    function = backend.get_function(function_name)
    function.event_invoke_config = function.event_invoke_config[-1:]
    return answer


def _create_mapping(create: Callable[..., Any], backend: Any, spec: dict[str, Any]) -> Any:
    if ":sqs:" not in str(spec.get("EventSourceArn")):
        raise JsonRESTError(
            "InvalidParameterValueException",
            f"the laptop feeds functions from SQS only, not from {spec.get('EventSourceArn')}",
        )
    _check_batch(spec.get("BatchSize"), spec.get("MaximumBatchingWindowInSeconds"))
    return create(backend, spec)


def _update_mapping(update: Callable[..., Any], backend: Any, uuid: str, spec: dict[str, Any]) -> Any:
    known = backend.get_event_source_mapping(uuid)
    if known is not None:
        window = spec.get("MaximumBatchingWindowInSeconds", known.max_batch_window)
        _check_batch(spec.get("BatchSize", known.batch_size), window)
    return update(backend, uuid, spec)


def _check_batch(size: Any, window: Any) -> None:
    """AWS docs, CreateEventSourceMapping: for a queue, a BatchSize above 10 needs a window of at least 1 second."""
    if int(size or _SMALL_BATCH) > _SMALL_BATCH and int(window or 0) < 1:
        raise InvalidParameterValueException(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )


PATCHES = Patches(
    replace(LambdaFunction, "invoke", _invoke),
    around(LambdaFunction, "__init__", _initialise),
    around(LambdaFunction, "get_configuration", _get_configuration),
    around(LambdaFunction, "update_configuration", _update_configuration),
    around(LambdaBackend, "put_function_event_invoke_config", _put_invoke_config),
    around(LambdaBackend, "create_event_source_mapping", _create_mapping),
    around(LambdaBackend, "update_event_source_mapping", _update_mapping),
)
