"""What AWS's services refuse at once and moto takes: a deployment fails here as it would there."""

from __future__ import annotations

from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaBackend
from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend

from localaws.errors import NotSupported
from localaws.schedule import rate_seconds

_SMALL_BATCH = 10


def install() -> None:
    """Have moto, in this process, refuse it too, for good. To be called once."""
    _refuse_rates()
    _refuse_large_batches_without_a_window()


def _refuse_rates() -> None:
    """AWS docs, "Setting a schedule pattern for scheduled rules": the value is a positive number, the unit is in
    the singular for 1 and in the plural otherwise."""
    put = EventsBackend.put_rule

    def put_rule(backend: Any, *arguments: Any, **named: Any) -> Any:
        expression = named.get("scheduled_expression") or ""
        if expression.startswith("rate("):
            try:
                rate_seconds(expression)
            except NotSupported as error:
                raise ValidationException("Parameter ScheduleExpression is not valid.") from error
        return put(backend, *arguments, **named)

    EventsBackend.put_rule = put_rule


def _refuse_large_batches_without_a_window() -> None:
    """AWS docs, CreateEventSourceMapping: of an SQS source, a BatchSize above 10 needs a
    MaximumBatchingWindowInSeconds of at least 1."""
    create, update = LambdaBackend.create_event_source_mapping, LambdaBackend.update_event_source_mapping

    def check(arn: str, size: Any, window: Any) -> None:
        if ":sqs:" in arn and int(size or _SMALL_BATCH) > _SMALL_BATCH and int(window or 0) < 1:
            raise InvalidParameterValueException(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
            )

    def create_event_source_mapping(backend: Any, spec: dict[str, Any]) -> Any:
        check(spec["EventSourceArn"], spec.get("BatchSize"), spec.get("MaximumBatchingWindowInSeconds"))
        return create(backend, spec)

    def update_event_source_mapping(backend: Any, uuid: str, spec: dict[str, Any]) -> Any:
        known = backend.get_event_source_mapping(uuid)
        if known is not None:
            check(
                known.event_source_arn,
                spec.get("BatchSize", known.batch_size),
                spec.get("MaximumBatchingWindowInSeconds", known.max_batch_window),
            )
        return update(backend, uuid, spec)

    LambdaBackend.create_event_source_mapping = create_event_source_mapping
    LambdaBackend.update_event_source_mapping = update_event_source_mapping
