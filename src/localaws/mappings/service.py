"""Event source mappings: queues drained into functions, by batch, as Lambda's pollers do it."""

from __future__ import annotations

import logging
import threading

from botocore.exceptions import BotoCoreError, ClientError

from ..endpoint import Endpoint
from ..errors import LocalAwsError
from ..roles import Assume
from ..sqs.queues import held
from .poller import Invoke, Poller, Polling
from .shapes import Mapping, read_mapping

log = logging.getLogger(__name__)


class Mappings:
    """Polls for every deployed SQS mapping from its construction until `close`.

    `invoke(function ARN, event)` is synchronous and raises LocalAwsError on failure. The queue is read and
    emptied with the credentials of the function's role. `fallback_seconds`: how often a queue is
    polled without a call of `wake`; `refresh_seconds`: how often the mappings are listed;
    `window_scale` shortens MaximumBatchingWindowInSeconds (0.1: a tenth).
    """

    def __init__(
        self,
        endpoint: Endpoint,
        assume: Assume,
        invoke: Invoke,
        *,
        fallback_seconds: float = 1.0,
        refresh_seconds: float = 5.0,
        window_scale: float = 1.0,
    ) -> None:
        # The visibility timeout of received messages, instead of the queue's own.
        self.visibility_seconds: int | None = None
        self._lambda, self._sqs = endpoint.client("lambda"), endpoint.client("sqs")
        self._polling = Polling(
            endpoint,
            self._lambda,
            assume,
            invoke,
            fallback_seconds,
            window_scale,
            lambda: self.visibility_seconds,
        )
        self._pollers: dict[Mapping, Poller] = {}
        self._refused: set[str] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._keep_refreshing, args=(refresh_seconds,), name="localaws-mappings", daemon=True
        )
        self._thread.start()

    def refresh(self) -> None:
        """Start pollers for new mappings, end those of mappings that changed, were disabled or deleted.

        A mapping with something unknown in it is refused: logged as an error, once, and not polled.
        """
        with self._lock:
            if self._ended.is_set():
                return
            wanted = self._deployed()
            for mapping in set(self._pollers) - wanted:
                self._pollers.pop(mapping).close()
            for mapping in wanted - set(self._pollers):
                self._start(mapping)

    def wake(self, queue_arn: str) -> None:
        """Tell the pollers of a queue that it got a message."""
        for poller in tuple(self._pollers.values()):
            if poller.mapping.queue_arn == queue_arn:
                poller.wake()

    def idle(self) -> bool:
        """Whether no mapped queue holds a visible message and no batch is being collected or handled.

        Messages that wait for their delay or visibility timeout don't count; see `waiting`.
        """
        pollers = tuple(self._pollers.values())
        # Queues first: a message that is received after this count keeps its poller busy.
        visible = sum(self._counts(poller.mapping.queue_arn)[0] for poller in pollers)
        return visible == 0 and all(poller.resting() for poller in pollers)

    def waiting(self) -> int:
        """How many messages of mapped queues are delayed or in flight (left there after a failure, too)."""
        return sum(self._counts(poller.mapping.queue_arn)[1] for poller in tuple(self._pollers.values()))

    def empty(self) -> bool:
        """Whether mapped queues hold no message at all, delayed and failed ones included, and all is handled."""
        pollers = tuple(self._pollers.values())
        messages = sum(sum(self._counts(poller.mapping.queue_arn)) for poller in pollers)
        return messages == 0 and all(poller.resting() for poller in pollers)

    def close(self) -> None:
        """End all pollers; a batch in a function is waited for, so close the functions first to cut it short."""
        self._ended.set()
        self._thread.join()
        with self._lock:
            for poller in self._pollers.values():
                poller.stop()
            for poller in self._pollers.values():
                poller.close()
            self._pollers.clear()

    def _keep_refreshing(self, seconds: float) -> None:
        while True:
            try:
                self.refresh()
            except (ClientError, BotoCoreError, OSError) as error:
                if not self._ended.is_set():
                    log.error("event source mappings could not be listed: %s", error)
            if self._ended.wait(seconds):
                return

    def _start(self, mapping: Mapping) -> None:
        try:
            # Lambda finds the queue itself; a function's role needs no sqs:GetQueueUrl.
            url = self._url(mapping.queue_arn)
        except ClientError as error:
            log.error("event source mapping %s: %s: %s", mapping.uuid, mapping.queue_arn, error)
            return
        self._pollers[mapping] = Poller(self._polling, mapping, url)

    def _deployed(self) -> set[Mapping]:
        found = set()
        for page in self._lambda.get_paginator("list_event_source_mappings").paginate():
            for one in page["EventSourceMappings"]:
                try:
                    mapping = read_mapping(one)
                except LocalAwsError as error:
                    if one["UUID"] not in self._refused:
                        log.error("event source mapping %s is not polled: %s", one["UUID"], error)
                    self._refused.add(one["UUID"])
                else:
                    found |= {mapping} if mapping else set()
        return found

    def _url(self, queue_arn: str) -> str:
        return str(self._sqs.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[-1])["QueueUrl"])

    def _counts(self, queue_arn: str) -> tuple[int, int]:
        """(visible, delayed or in flight) messages of a queue; (0, 0) if it is deleted."""
        _, _, _, region, account, name = queue_arn.split(":")
        return held(account, region, name)
