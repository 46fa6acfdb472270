"""How the event bus delivers: the permission of the target, batches to queues, and failures."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..batching import batches
from ..endpoint import Endpoint
from ..errors import LocalAwsError

log = logging.getLogger(__name__)

# SendMessageBatch: at most 10 messages and 256 KiB in all (AWS docs: "Amazon SQS message quotas").
_BATCH_MESSAGES = 10
_BATCH_BYTES = 256 * 1024


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one target of one rule; `body` is the text the target is to get."""

    rule_arn: str
    target: dict[str, Any]
    body: str
    event: dict[str, Any]


@dataclass(frozen=True)
class FailedInvocation:
    """A failed delivery; `dead_letter`: whether the target's dead-letter queue has the event."""

    rule_arn: str
    target_arn: str
    event_id: str
    code: str
    reason: str
    dead_letter: bool


class NotAllowed(LocalAwsError):
    """The target's resource policy does not allow EventBridge."""


# (service, action, resource ARN, source ARN): LocalAwsError unless the policy of the resource allows it.
CheckService = Callable[[str, str, str, str], None]


def check_target(check: CheckService, action: str, target_arn: str, rule_arn: str) -> None:
    """Raises NotAllowed, with the reason, if EventBridge may not do `action` on the target for this rule.

    A policy that cannot be evaluated allows nothing.
    """
    try:
        check("events.amazonaws.com", action, target_arn, rule_arn)
    except LocalAwsError as error:
        raise NotAllowed(f"for {rule_arn}: {error}") from error


def failure_code(error: Exception) -> str:
    """The ERROR_CODE of a failed delivery. AWS docs: "Using dead-letter queues to process undelivered events"."""
    return "NO_PERMISSIONS" if isinstance(error, NotAllowed) else type(error).__name__


class QueueSender:
    """Sends to SQS queues whose policy allows EventBridge; not thread-safe (the bus has one thread)."""

    def __init__(self, endpoint: Endpoint, check: CheckService, wake: Callable[[str], None]) -> None:
        self._sqs = endpoint.client("sqs")
        self._check = check
        self._wake = wake

    def send(self, deliveries: list[Delivery]) -> list[FailedInvocation]:
        """Send all, in batches per queue; returns those that failed."""
        by_queue: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
        for delivery in deliveries:
            by_queue[delivery.target["Arn"], delivery.rule_arn].append(delivery)
        failures: list[FailedInvocation] = []
        for (queue_arn, rule_arn), waiting in by_queue.items():
            try:
                check_target(self._check, "sqs:SendMessage", queue_arn, rule_arn)
                failures += self._send_allowed(queue_arn, waiting)
            except (LocalAwsError, ClientError, BotoCoreError) as error:
                failures += [self.failed(one, failure_code(error), str(error)) for one in waiting]
        return failures

    def failed(self, delivery: Delivery, code: str, reason: str) -> FailedInvocation:
        """Log a failed delivery and send it to the target's dead-letter queue, if it has one.

        AWS docs: "Using dead-letter queues to process undelivered events in EventBridge".
        """
        target_arn = delivery.target["Arn"]
        dead_letters = delivery.target.get("DeadLetterConfig", {}).get("Arn")
        kept = dead_letters is not None and self._to_dead_letters(dead_letters, delivery, code, reason)
        log.error("FailedInvocation: rule %s, target %s: %s: %s", delivery.rule_arn, target_arn, code, reason)
        return FailedInvocation(
            delivery.rule_arn, target_arn, str(delivery.event.get("id")), code, reason, kept
        )

    def _send_allowed(self, queue_arn: str, deliveries: list[Delivery]) -> list[FailedInvocation]:
        failures: list[FailedInvocation] = []
        url = self._url(queue_arn)
        for batch in batches(deliveries, _size, most_entries=_BATCH_MESSAGES, most_bytes=_BATCH_BYTES):
            entries = [{"Id": str(place), "MessageBody": one.body} for place, one in enumerate(batch)]
            answer = self._sqs.send_message_batch(QueueUrl=url, Entries=entries)
            failures += [
                self.failed(batch[int(one["Id"])], one["Code"], one.get("Message", ""))
                for one in answer.get("Failed", [])
            ]
        self._wake(queue_arn)
        return failures

    def _to_dead_letters(self, queue_arn: str, delivery: Delivery, code: str, reason: str) -> bool:
        attributes = {
            "RULE_ARN": delivery.rule_arn,
            "TARGET_ARN": delivery.target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": reason,
        }
        try:
            check_target(self._check, "sqs:SendMessage", queue_arn, delivery.rule_arn)
            self._sqs.send_message(
                QueueUrl=self._url(queue_arn),
                MessageBody=json.dumps(delivery.event),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value or "-"}
                    for name, value in attributes.items()
                },
            )
        except (LocalAwsError, ClientError, BotoCoreError) as error:
            log.error("dead-letter queue %s of %s: %s", queue_arn, delivery.rule_arn, error)
            return False
        self._wake(queue_arn)
        return True

    def _url(self, queue_arn: str) -> str:
        return str(self._sqs.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[-1])["QueueUrl"])


def _size(delivery: Delivery) -> int:
    return len(delivery.body.encode())
