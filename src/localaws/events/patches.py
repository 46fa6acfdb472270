"""What is changed in moto's EventBridge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend, Rule

from localaws.errors import NotSupported
from localaws.events.schedule import rate_seconds
from localaws.patches import Patches, around, replace


def _put_rule(put: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """PutRule refuses a rate that AWS refuses."""
    expression = named.get("scheduled_expression") or ""
    if expression.startswith("rate("):
        try:
            rate_seconds(expression)
        except NotSupported as error:
            raise ValidationException("Parameter ScheduleExpression is not valid.") from error
    return put(*arguments, **named)


def _put_events(_backend: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """PutEvents without an EventBus: every entry fails, so that no event is lost without an error."""
    why = "The laptop's EventBridge: no event bus is running"
    return [{"ErrorCode": "InternalFailure", "ErrorMessage": why} for _ in events]


PATCHES = Patches(
    around(EventsBackend, "put_rule", _put_rule),
    # moto delivers to the targets it knows, ignores State, and stops at the first target that it does not know.
    replace(Rule, "send_to_targets", lambda *_arguments, **_named: None),
    replace(EventsBackend, "put_events", _put_events),
)
