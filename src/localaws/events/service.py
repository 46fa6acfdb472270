"""EventBridge's default bus: events are matched against the deployed rules and delivered to their targets."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.events.models import EventsBackend

from ..endpoint import Endpoint
from ..errors import LocalAwsError, NotSupported
from ..patches import Patches, replace
from . import patterns
from .delivery import CheckService, Delivery, FailedInvocation, QueueSender, check_target, failure_code
from .later import Later
from .rules import Rule, enabled_rules, targets_of
from .shapes import event
from .targets import target_input

log = logging.getLogger(__name__)

# The most waiting events that share one listing of the rules and one round of SendMessageBatch.
_AT_ONCE = 200


@dataclass(frozen=True)
class _Hit:
    """An event for one target of one rule."""

    rule: Rule
    target: dict[str, Any]
    event: dict[str, Any]


# An event and the one rule it is for; None: for every rule that it matches.
_Queued = tuple[dict[str, Any], str | None]
# (event, target ARN) -> seconds until each delivery: () loses it, (0,) is normal, (0, 0.5) doubles it.
Deliveries = Callable[[dict[str, Any], str], Sequence[float]]


class EventBus:
    """The default event bus. From its construction until `close` it also answers the API's PutEvents.

    `check`: raises unless a target's resource policy allows EventBridge, such as `Authorizer.check_service`.
    `invoke_async(function name, event)` invokes a Lambda target; `wake(queue ARN)` is called for every queue that
    got a message. Delivery runs on one thread: `put` returns immediately.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        check: CheckService,
        invoke_async: Callable[[str, dict[str, Any]], None],
        wake: Callable[[str], None] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._events = endpoint.client("events")
        self._check = check
        self._sender = QueueSender(endpoint, check, wake or (lambda _queue_arn: None))
        self._invoke_async = invoke_async
        # How each event is delivered, for tests; None: once, without delay.
        self.deliveries: Deliveries | None = None
        self._later: Later[_Hit] = Later()
        self._waiting: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._unfinished = 0
        self._state = threading.Condition()
        self._failures: deque[FailedInvocation] = deque(maxlen=1000)
        self._patches = Patches(
            replace(EventsBackend, "put_events", lambda _backend, events: self.put_events(events))
        )
        self._patches.apply()
        self._thread = threading.Thread(target=self._run, name="localaws-events", daemon=True)
        self._thread.start()

    def put(self, event: dict[str, Any]) -> None:
        """Queue `event` (the full EventBridge envelope) for every ENABLED rule whose pattern matches it."""
        self._queue(event, None)

    def fire(self, rule_name: str, event: dict[str, Any]) -> None:
        """Queue `event` for the targets of this one rule, whatever its pattern: what a schedule does."""
        self._queue(event, rule_name)

    def put_events(self, entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The API's PutEvents: one answer, EventId or ErrorCode and ErrorMessage, for each entry."""
        return [self._put_entry(entry) for entry in entries]

    def idle(self) -> bool:
        """Whether nothing is queued, in delivery, or waiting for a delivery that was put off."""
        with self._state:
            return self._unfinished == 0

    def wait_idle(self, timeout_seconds: float) -> bool:
        """Wait until the bus is idle; False if it wasn't in time."""
        with self._state:
            return self._state.wait_for(lambda: self._unfinished == 0, timeout_seconds)

    def failures(self) -> tuple[FailedInvocation, ...]:
        """The last deliveries that a target refused or that failed."""
        return tuple(self._failures)

    def close(self) -> None:
        """End the delivery thread; what is still queued is dropped."""
        self._patches.undo()
        self._waiting.put(None)
        self._thread.join()

    def _queue(self, event: dict[str, Any], rule_name: str | None) -> None:
        with self._state:
            self._unfinished += 1
        self._waiting.put((event, rule_name))

    def _put_entry(self, entry: dict[str, Any]) -> dict[str, Any]:
        for field in ("Source", "DetailType", "Detail"):
            if not entry.get(field):
                return _refused(
                    "InvalidArgument",
                    f"Parameter {field} is not valid. Reason: {field} is a required argument.",
                )
        if str(entry.get("EventBusName", "default")).rsplit("/", 1)[-1] != "default":
            return _refused(
                "NotSupported",
                f"event bus {entry['EventBusName']}: the laptop's AWS has only the default bus",
            )
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            return _refused("MalformedDetail", "Detail is malformed.")
        made = event(
            entry["Source"],
            entry["DetailType"],
            detail,
            resources=tuple(entry.get("Resources", ())),
            time=datetime.fromtimestamp(float(entry["Time"]), UTC) if entry.get("Time") else None,
            account=self._endpoint.account,
            region=self._endpoint.region,
        )
        self.put(made)
        return {"EventId": made["id"]}

    def _run(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._next()
            due = self._later.due()
            try:
                self._deliver([*due, *self._hits(batch)])
            except Exception:
                log.exception("%d events could not be delivered", len(batch) + len(due))
            finally:
                with self._state:
                    self._unfinished -= len(batch) + len(due)
                    self._state.notify_all()

    def _next(self) -> tuple[list[_Queued], bool]:
        """What is queued, once there is something or a late delivery is due; whether the bus was closed."""
        batch: list[_Queued] = []
        seconds = self._later.wait_seconds()
        while len(batch) < _AT_ONCE:
            try:
                found = self._waiting.get(timeout=seconds)
            except queue.Empty:
                break
            if found is None:
                return batch, True
            batch.append(found)
            seconds = 0.0
        return batch, False

    def _hits(self, batch: list[_Queued]) -> list[_Hit]:
        """Which targets get which events now; deliveries that are put off are kept."""
        if not batch:
            return []
        rules = enabled_rules(self._events)
        targets = {rule: targets_of(self._events, rule) for rule in rules}
        found = [
            _Hit(rule, target, happened)
            for happened, rule_name in batch
            for rule in rules
            if (rule.name == rule_name if rule_name else self._matches(rule, happened))
            for target in targets[rule]
        ]
        return found if self.deliveries is None else [hit for one in found for hit in self._decided(one)]

    def _decided(self, hit: _Hit) -> list[_Hit]:
        delays = [0.0] if self.deliveries is None else self.deliveries(hit.event, hit.target["Arn"])
        late = [seconds for seconds in delays if seconds > 0]
        with self._state:
            self._unfinished += len(late)
        for seconds in late:
            self._later.add(seconds, hit)
        return [hit] * (len(delays) - len(late))

    def _deliver(self, hits: list[_Hit]) -> None:
        to_queues = [one for hit in hits for one in self._to_target(hit.rule, hit.target, hit.event)]
        self._failures.extend(self._sender.send(to_queues))

    def _matches(self, rule: Rule, event: dict[str, Any]) -> bool:
        try:
            return rule.pattern is not None and patterns.matches(patterns.read(rule.pattern), event)
        except NotSupported as error:
            self._fail(Delivery(rule.arn, {"Id": "-", "Arn": "-"}, "", event), "NotSupported", str(error))
            return False

    def _to_target(self, rule: Rule, target: dict[str, Any], event: dict[str, Any]) -> list[Delivery]:
        """Invoke a Lambda target; return the delivery of a queue target."""
        try:
            delivery = Delivery(rule.arn, target, target_input(target, event, rule.arn), event)
            service = target["Arn"].split(":")[2]
            if service == "sqs":
                return [delivery]
            if service != "lambda":
                raise NotSupported(
                    f"target {target['Arn']} of {rule.arn}: only SQS queues and Lambda functions"
                )
            check_target(self._check, "lambda:InvokeFunction", target["Arn"], rule.arn)
            self._invoke_async(target["Arn"].split(":")[6], json.loads(delivery.body))
        except (LocalAwsError, ClientError, BotoCoreError, ValueError) as error:
            self._fail(Delivery(rule.arn, target, json.dumps(event), event), failure_code(error), str(error))
        return []

    def _fail(self, delivery: Delivery, code: str, reason: str) -> None:
        self._failures.append(self._sender.failed(delivery, code, reason))


def _refused(code: str, message: str) -> dict[str, Any]:
    return {"ErrorCode": code, "ErrorMessage": message}
