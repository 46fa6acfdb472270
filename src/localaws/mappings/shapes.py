"""Event source mappings and the records they deliver, as Lambda's API and handlers see them."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from typing import Any

from ..errors import NotSupported

log = logging.getLogger(__name__)

# Without ScalingConfig: Lambda starts with five pollers; a laptop needs fewer.
_CONCURRENCY = 2

_KNOWN = {
    *(
        "UUID",
        "EventSourceArn",
        "EventSourceMappingArn",
        "FunctionArn",
        "LastModified",
        "LastProcessingResult",
    ),
    *(
        "State",
        "StateTransitionReason",
        "BatchSize",
        "MaximumBatchingWindowInSeconds",
        "FunctionResponseTypes",
    ),
    *("ScalingConfig", "Tags", "MetricsConfig"),
}


@dataclass(frozen=True)
class Mapping:
    """An enabled SQS mapping; `window_seconds` as configured, `concurrency` the most invocations at a time."""

    uuid: str
    queue_arn: str
    function_arn: str
    batch_size: int
    window_seconds: int
    reports_failures: bool
    concurrency: int


def read_mapping(found: dict[str, Any]) -> Mapping | None:
    """A mapping out of ListEventSourceMappings; None if it is disabled.

    Raises NotSupported for other sources than SQS standard queues, and for settings not known here.
    """
    if found.get("State") not in ("Enabled", None):
        return None
    arn = found["EventSourceArn"]
    if ":sqs:" not in arn or arn.endswith(".fifo"):
        raise NotSupported(f"event source {arn}: only SQS standard queues")
    used = {name for name, value in found.items() if value not in (None, "", [], {})}
    if unknown := sorted(used - _KNOWN):
        raise NotSupported(f"event source mapping for {arn}: {', '.join(unknown)}")
    return Mapping(
        uuid=found["UUID"],
        queue_arn=arn,
        function_arn=found["FunctionArn"],
        batch_size=int(found.get("BatchSize", 10)),
        window_seconds=int(found.get("MaximumBatchingWindowInSeconds") or 0),
        reports_failures="ReportBatchItemFailures" in (found.get("FunctionResponseTypes") or []),
        concurrency=int((found.get("ScalingConfig") or {}).get("MaximumConcurrency", _CONCURRENCY)),
    )


def reported_failures(result: Any, sent: set[str]) -> set[str]:
    """The message ids in a handler's batchItemFailures; all of `sent` if the report makes no sense.

    AWS docs: "Implementing partial batch responses", "Success and failure conditions".
    """
    items = result.get("batchItemFailures") if isinstance(result, dict) else result
    if items is None:
        return set()
    try:
        failed = {str(item["itemIdentifier"]) for item in items}
    except (TypeError, KeyError):
        failed = {""}
    if failed <= sent:
        return failed
    log.error("bad batchItemFailures, the whole batch counts as failed: %.200r", items)
    return sent


def record(message: dict[str, Any], queue_arn: str, region: str) -> dict[str, Any]:
    """A message as a handler gets it. AWS docs: "Using Lambda with Amazon SQS", "Example standard queue event"."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        made["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        made["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return made
