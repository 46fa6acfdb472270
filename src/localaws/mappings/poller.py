"""The poller of one event source mapping. AWS docs: "Using Lambda with Amazon SQS"."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..endpoint import Endpoint
from ..errors import LocalAwsError
from ..roles import Assume
from .shapes import Mapping, record, reported_failures

log = logging.getLogger(__name__)

# (function ARN, event) -> the handler's result; raises LocalAwsError.
Invoke = Callable[[str, dict[str, Any]], Any]

# An invocation takes 6 MB; one more ReceiveMessage can bring 10 messages of 256 KiB.
_PAYLOAD_BYTES = 6_000_000 - 10 * 256 * 1024
# How long a poller waits after an error.
_AFTER_ERROR_SECONDS = 1.0


@dataclass(frozen=True)
class Polling:
    """What the pollers of all mappings share.

    `fallback_seconds`: how often a queue is polled without a call of `wake`, as for messages whose delay or
    visibility timeout is over. `window_scale` shortens MaximumBatchingWindowInSeconds. `visibility_seconds`: the
    visibility timeout of received messages; None: the queue's own.
    """

    endpoint: Endpoint
    functions: Any  # a boto3 client of Lambda
    assume: Assume
    invoke: Invoke
    fallback_seconds: float
    window_scale: float
    visibility_seconds: Callable[[], int | None]


class Poller:
    """The threads of one mapping: they take turns in collecting a batch, and handle batches side by side."""

    def __init__(self, polling: Polling, mapping: Mapping, queue_url: str) -> None:
        self.mapping = mapping
        self._polling = polling
        self._url = queue_url
        self._client: tuple[str, Any] | None = None
        self._state = threading.Condition()
        self._awake = True
        self._busy = 0
        self._ended = False
        self._collecting = threading.Lock()
        # At most eight: more threads would only wait for this machine's cores.
        self._threads = [
            threading.Thread(target=self._run, name=f"localaws-poller-{mapping.uuid}-{number}", daemon=True)
            for number in range(min(mapping.concurrency, 8))
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Poll the queue now."""
        with self._state:
            self._awake = True
            self._state.notify_all()

    def resting(self) -> bool:
        """Whether nothing is being collected or handled, and `wake` was not called since the last poll."""
        with self._state:
            return self._busy == 0 and not self._awake

    def stop(self) -> None:
        """Start nothing new; returns immediately."""
        with self._state:
            self._ended = True
            self._state.notify_all()

    def close(self) -> None:
        """Stop and wait for what is under way."""
        self.stop()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._ended:
            with self._collecting:
                if not self._sleep(self._polling.fallback_seconds):
                    return
                with self._state:
                    self._busy += 1
                    self._awake = False
                messages = self._guarded(self._collect) or []
            if messages:
                self.wake()  # there may be more than one batch
                self._guarded(partial(self._handle, messages))
            with self._state:
                self._busy -= 1

    def _sleep(self, seconds: float) -> bool:
        """Wait for `wake`, but not longer than that; False if the poller was stopped."""
        with self._state:
            self._state.wait_for(lambda: self._awake or self._ended, seconds)
            return not self._ended

    def _guarded(self, do: Callable[[], Any]) -> Any:
        """Do it; an error is logged, and the poller waits for a while."""
        try:
            return do()
        except (LocalAwsError, ClientError, BotoCoreError, OSError) as error:
            if self._ended:
                return None
            log.error("%s ▸ %s: %s", self.mapping.queue_arn, self.mapping.function_arn, error)
        except Exception:
            log.exception("%s ▸ %s", self.mapping.queue_arn, self.mapping.function_arn)
        with self._state:
            self._state.wait_for(lambda: self._ended, _AFTER_ERROR_SECONDS)
        return None

    def _sqs(self) -> Any:
        """An SQS client acting as the function's role, which may have changed."""
        configuration = self._polling.functions.get_function_configuration(
            FunctionName=self.mapping.function_arn
        )
        role = configuration["Role"]
        if self._client is None or self._client[0] != role:
            name = configuration["FunctionName"]
            caller = f"the poller of function {name}"
            credentials = self._polling.assume(role, "lambda.amazonaws.com", name, caller=caller, by_aws=True)
            client = self._polling.endpoint.client("sqs", credentials)
            # AWS docs, "Creating and configuring an Amazon SQS event source mapping": the role needs it, too.
            client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["VisibilityTimeout"])
            self._client = role, client
        return self._client[1]

    def _collect(self) -> list[dict[str, Any]]:
        """Messages for one batch: until it is full, or the window that opens with the first one is over."""
        sqs = self._sqs()
        messages: list[dict[str, Any]] = []
        closes = None
        while len(messages) < self.mapping.batch_size and not self._ended:
            received = self._receive(sqs, self.mapping.batch_size - len(messages))
            messages += received
            if received and closes is None:
                closes = time.monotonic() + self.mapping.window_seconds * self._polling.window_scale
            if received and sum(len(one["Body"].encode()) for one in messages) <= _PAYLOAD_BYTES:
                continue
            if closes is None or received or (left := closes - time.monotonic()) <= 0:
                break
            self._sleep(min(left, self._polling.fallback_seconds))
            with self._state:
                self._awake = False
        return messages

    def _receive(self, sqs: Any, wanted: int) -> list[dict[str, Any]]:
        hidden_seconds = self._polling.visibility_seconds()
        answer = sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(10, wanted),
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            **({} if hidden_seconds is None else {"VisibilityTimeout": hidden_seconds}),
        )
        received: list[dict[str, Any]] = answer.get("Messages", [])
        return received

    def _handle(self, messages: list[dict[str, Any]]) -> None:
        """Invoke the function with a batch and delete what it has dealt with; the rest becomes visible again."""
        region = self._polling.endpoint.region
        event = {"Records": [record(one, self.mapping.queue_arn, region) for one in messages]}
        sqs = self._sqs()
        result = self._polling.invoke(self.mapping.function_arn, event)
        failed: set[str] = set()
        if self.mapping.reports_failures:
            failed = reported_failures(result, {one["MessageId"] for one in messages})
        done = [one for one in messages if one["MessageId"] not in failed]
        for start in range(0, len(done), 10):
            entries = [
                {"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]}
                for number, one in enumerate(done[start : start + 10])
            ]
            answer = sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            for failure in answer.get("Failed", []):
                log.error("%s: a message could not be deleted: %s", self.mapping.queue_arn, failure)
