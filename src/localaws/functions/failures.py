"""Events of asynchronous invocations whose retries are exhausted."""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..endpoint import Credentials, Endpoint
from ..errors import LocalAwsError
from .errors import FunctionError

log = logging.getLogger(__name__)


class Failures:
    """Counts and logs them, and sends them to the function's OnFailure queue, if one is configured.

    `credentials(role ARN, function name)`: the function's role acts, as on AWS.
    """

    def __init__(
        self, endpoint: Endpoint, lambda_client: Any, credentials: Callable[[str, str], Credentials]
    ) -> None:
        self._endpoint = endpoint
        self._lambda = lambda_client
        self._credentials = credentials
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def allowed_retries(self, name: str) -> int:
        """How many retries the function's event invoke configuration allows (default 2)."""
        return int(self._config(name).get("MaximumRetryAttempts", 2))

    def counts(self) -> dict[str, int]:
        """Events whose retries were exhausted, per function name."""
        with self._lock:
            return dict(self._counts)

    def add(self, name: str, event: dict[str, Any], error: FunctionError, attempts: int) -> None:
        """Take an event that failed `attempts` times, the last time with `error`."""
        with self._lock:
            self._counts[name] += 1
        log.error("function %s: retries exhausted after %d attempts: %s", name, attempts, error)
        destination = self._config(name).get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if not destination:
            return
        if ":sqs:" not in destination:
            log.error(
                "function %s: OnFailure destination %s: only SQS queues are supported", name, destination
            )
            return
        try:
            self._send(name, destination, event, error, attempts)
        except (LocalAwsError, ClientError, BotoCoreError) as failure:
            log.error("function %s: OnFailure destination %s: %s", name, destination, failure)

    def _send(
        self, name: str, queue_arn: str, event: dict[str, Any], error: FunctionError, attempts: int
    ) -> None:
        """AWS docs: "Retaining records of Lambda asynchronous invocations", "Example invocation record"."""
        function = self._lambda.get_function_configuration(FunctionName=name)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = {
            "version": "1.0",
            "timestamp": now.replace("+00:00", "Z"),
            "requestContext": {
                "functionArn": f"{function['FunctionArn']}:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": attempts,
            },
            "requestPayload": event,
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": error.payload(),
        }
        sqs = self._endpoint.client("sqs", self._credentials(function["Role"], name))
        # The queue's URL is read as the deployer: Lambda needs no grant for it, only sqs:SendMessage.
        url = self._endpoint.client("sqs").get_queue_url(QueueName=queue_arn.rsplit(":", 1)[-1])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(record))

    def _config(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._lambda.get_function_event_invoke_config(FunctionName=name)
        except ClientError:
            return {}  # none was configured, or the function is gone: Lambda's defaults hold
        return found
