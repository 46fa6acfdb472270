"""Switches off what moto does on its own when something happens; the laptop's players do it instead.

Left on, things would happen twice, or fail silently because moto wants Docker for them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.core.exceptions import JsonRESTError
from moto.events.models import EventsBackend, Rule
from moto.iam.access_control import PermissionResult
from moto.s3 import models as s3_models
from moto.s3.models import FakeBucket
from moto.sqs.models import Queue

from localaws.cloudformation import objects


@cache
def silence_moto() -> None:
    """Switch it all off, in this process, for good. Calling it again changes nothing."""
    objects.install()  # S3 events: told to listen_to_objects instead
    _silence_functions()
    _silence_queues()
    _silence_event_buses()
    _silence_bucket_policies()


def _silence_functions() -> None:
    """Invocations start Docker containers, and report success or failure to nobody if there is none.

    S3, SNS, DynamoDB streams and Kinesis would call functions by the same way.
    """

    def invoke(function: Any, *_arguments: Any, **_named: Any) -> Any:
        raise JsonRESTError(
            "ServiceException",
            f"{function.function_name} was not invoked: on the laptop functions are invoked by SQS event "
            "source mappings and EventBridge rules, and by whoever plays the lambda service",
        )

    create = LambdaBackend.create_event_source_mapping

    def create_event_source_mapping(backend: Any, spec: dict[str, Any]) -> Any:
        if ":sqs:" not in str(spec.get("EventSourceArn")):
            raise JsonRESTError(
                "InvalidParameterValueException",
                f"the laptop feeds functions from SQS only, not from {spec.get('EventSourceArn')}",
            )
        return create(backend, spec)

    LambdaFunction.invoke = invoke
    LambdaBackend.create_event_source_mapping = create_event_source_mapping
    # CreateBucket looks for rules with function targets, and swallows whatever goes wrong.
    s3_models.events_send_notification = lambda **_: None


def _silence_queues() -> None:
    """A message that arrives is at once received and given to the functions mapped to the queue.

    Without batching, window or concurrency limit, and by the invocation that needs Docker. The
    mappings themselves stay, with Lambda; the queue just doesn't know of them.
    """
    Queue.lambda_event_source_mappings = property(lambda _: {}, lambda _queue, _mappings: None)


def _silence_event_buses() -> None:
    """PutEvents delivers to the targets moto knows, ignores State, and stops at the first it doesn't.

    Until somebody plays it, every entry fails: an event must not vanish.
    """

    def put_events(_backend: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        why = "The laptop's EventBridge: nobody delivers events here"
        return [{"ErrorCode": "InternalFailure", "ErrorMessage": why} for _ in events]

    Rule.send_to_targets = lambda *_arguments, **_named: None
    EventsBackend.put_events = put_events


def _silence_bucket_policies() -> None:
    """moto reads a bucket's policy without its conditions: "deny plain HTTP" becomes "deny everything".

    Who may do what is decided in front of moto.
    """
    FakeBucket.get_permission = lambda *_arguments: PermissionResult.NEUTRAL
