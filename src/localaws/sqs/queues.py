"""Queues that lose no message, and take a burst of 10,000 in seconds rather than an hour.

moto reads all messages of a queue, several times and with three readings of the clock for each, whenever it needs any
attribute of the queue, which it does for each message that is sent or received. Here it counts only where a request
asks for the counts, with one reading of the clock; and the names of attributes are converted once.
"""

from __future__ import annotations

import random
import string
import threading
from collections.abc import Callable
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import sqs_backends


class _Counting(threading.local):
    """Whether the queue attributes that this thread reads must hold real counts."""

    wanted = True


_counting = _Counting()


def delete_message(queue: Any, receipt_handle: str) -> None:
    """Delete the message that was received by this handle; ReceiptHandleIsInvalid if there is none.

    moto's own writes a new list of messages without the queue's lock, so that a message that arrives at that moment
    is lost; and it reads the whole queue twice for each message.
    """
    with queue._messages_lock:
        if receipt_handle in queue.deleted_messages:
            return
        for place, message in enumerate(queue._messages):
            if message.had_receipt_handle(receipt_handle):
                queue.pending_messages.discard(message)
                queue.deleted_messages.update(message.all_receipt_handles)
                del queue._messages[place]
                return
    raise ReceiptHandleIsInvalid


def held(account: str, region: str, queue_name: str) -> tuple[int, int]:
    """(visible, delayed or in flight) messages of a queue at one moment; (0, 0) if there is no such queue.

    In-process: three counts over HTTP are of three moments, and a message that becomes visible in between is in none.
    """
    queue = sqs_backends[account][region].queues.get(queue_name)
    if queue is None:
        return 0, 0
    now, messages = unix_time_millis(), tuple(queue._messages)
    visible = sum(_is_visible(one, now) for one in messages)
    return visible, len(messages) - visible


def _is_visible(message: Any, now: float) -> bool:
    return bool(message.visible_at < now and message.delayed_until <= now)


def visible(queue: Any) -> list[Any]:
    """The messages that a consumer may receive now."""
    now = unix_time_millis()
    return [one for one in tuple(queue._messages) if _is_visible(one, now)]


def in_flight(queue: Any) -> int:
    """How many messages are received and neither deleted nor visible again."""
    now = unix_time_millis()
    return sum(one.visible_at >= now for one in tuple(queue._messages))


def delayed(queue: Any) -> int:
    """How many messages are not visible yet."""
    now = unix_time_millis()
    return sum(one.delayed_until > now for one in tuple(queue._messages))


def receipt_handle() -> str:
    """A receipt handle of moto's length; it protects nothing."""
    return "".join(random.choices(string.ascii_lowercase, k=185))


def is_retained(backend: Any, queue_name: str, message: Any) -> bool:
    """Whether the message is younger than the queue's MessageRetentionPeriod."""
    kept_seconds = backend.get_queue(queue_name).message_retention_period
    return bool(message.sent_timestamp + int(kept_seconds) * 1000 > unix_time_millis())


def receive_message(
    receive: Callable[..., Any], backend: Any, queue_name: str, *arguments: Any, **named: Any
) -> Any:
    """Two of moto's at once may take the same message, and fail if others are deleted at the same time.

    A request that waits for messages releases the lock.
    """
    with backend.get_queue(queue_name)._messages_lock:
        return receive(backend, queue_name, *arguments, **named)


def counted(count: Callable[[Any], int]) -> property:
    """A property that counts messages, where a count is asked for."""
    return property(lambda queue: count(queue) if _counting.wanted else 0)


def without_counts(original: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """`original` called without counting messages."""
    before, _counting.wanted = _counting.wanted, False
    try:
        return original(*arguments, **named)
    finally:
        _counting.wanted = before


def get_queue_attributes(
    original: Callable[..., Any], backend: Any, queue_name: str, attribute_names: list[str]
) -> Any:
    """With counts only if one is asked for."""
    if any(name == "All" or name.startswith("ApproximateNumber") for name in attribute_names):
        return original(backend, queue_name, attribute_names)
    return without_counts(original, backend, queue_name, attribute_names)


def set_attributes(
    original: Callable[..., Any], queue: Any, wanted: dict[str, Any], now: float | None = None
) -> None:
    """In moto SetQueueAttributes of any other attribute removes the policy."""
    policy = getattr(queue, "_policy_json", None)
    original(queue, wanted, now)
    if policy is not None and "Policy" not in wanted:
        queue._policy_json = policy


def attributes(original: Callable[..., dict[str, Any]], queue: Any) -> dict[str, Any]:
    """With RedriveAllowPolicy, which moto keeps and does not show."""
    allowed = getattr(queue, "redrive_allow_policy", None)
    return {**original(queue), **({"RedriveAllowPolicy": allowed} if allowed else {})}
