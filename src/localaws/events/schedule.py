"""Scheduled rules: rate(...) expressions that come due and fire."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..endpoint import Endpoint
from ..errors import LocalAwsError, NotSupported
from .rules import Rule, enabled_rules
from .shapes import scheduled_event

log = logging.getLogger(__name__)

_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


def rate_seconds(expression: str) -> int:
    """Seconds between two firings of `rate(5 minutes)`.

    Raises NotSupported for cron(...) and at(...), and for what EventBridge refuses too, such as
    "rate(1 minutes)". AWS docs: "Setting a schedule pattern for scheduled rules".
    """
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression)
    if found is None or int(found[1]) < 1 or (found[1] == "1") == bool(found[3]):
        raise NotSupported(f"schedule {expression!r}: only rate(1 minute), rate(5 minutes) and so on")
    return int(found[1]) * _UNIT_SECONDS[found[2]]


class Schedule:
    """Fires the ENABLED scheduled rules of the default bus, from its construction until `close`.

    `fire(rule name, event)` delivers to the rule's targets. `speed` 60 makes a minute of the schedule a second;
    None switches the clock off, so that only `fire_now` fires. As on AWS, a rate starts when the rule is first
    seen. `refresh_seconds`: how often the rules are listed.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        fire: Callable[[str, dict[str, Any]], None],
        *,
        speed: float | None = 1.0,
        refresh_seconds: float = 5.0,
    ) -> None:
        self._endpoint = endpoint
        self._events = endpoint.client("events")
        self._fire = fire
        self._speed = speed
        self._refresh_seconds = refresh_seconds
        self._due: dict[Rule, float] = {}
        self._refused: set[Rule] = set()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        if speed is not None:
            self._thread = threading.Thread(target=self._run, name="localaws-schedule", daemon=True)
            self._thread.start()

    def fire_now(self, rule_name: str) -> None:
        """Fire one scheduled rule now; LocalAwsError if there is no such rule or it is not enabled."""
        for rule in self._rules():
            if rule.name == rule_name:
                self._fire_rule(rule)
                return
        raise LocalAwsError(f"no enabled rule with a schedule is called {rule_name!r}")

    def close(self) -> None:
        """End the clock."""
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._refresh()
            except (ClientError, BotoCoreError, OSError) as error:
                if not self._ended.is_set():
                    log.error("scheduled rules could not be listed: %s", error)
            self._ended.wait(min([self._refresh_seconds, *self._until_due()]))
            self._fire_due()

    def _refresh(self) -> None:
        """Add new rules; remove deleted ones."""
        rules = set(self._rules())
        now = time.monotonic()
        self._due = {rule: due for rule, due in self._due.items() if rule in rules}
        for rule in rules - set(self._due) - self._refused:
            try:
                self._due[rule] = now + self._period(rule)
            except NotSupported as error:
                self._refused.add(rule)
                log.error("rule %s never fires: %s", rule.arn, error)

    def _period(self, rule: Rule) -> float:
        return rate_seconds(rule.schedule or "") / (self._speed or 1.0)

    def _until_due(self) -> list[float]:
        now = time.monotonic()
        return [max(0.0, due - now) for due in self._due.values()]

    def _fire_due(self) -> None:
        now = time.monotonic()
        for rule, due in self._due.items():
            if due <= now and not self._ended.is_set():
                self._fire_rule(rule)
                self._due[rule] = now + self._period(rule)

    def _fire_rule(self, rule: Rule) -> None:
        made = scheduled_event(rule.arn, account=self._endpoint.account, region=self._endpoint.region)
        self._fire(rule.name, made)

    def _rules(self) -> list[Rule]:
        return [rule for rule in enabled_rules(self._events) if rule.schedule]
