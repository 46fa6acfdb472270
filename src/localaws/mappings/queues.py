"""moto's SQS queues, mended: no message gets lost, and a burst of 10,000 doesn't take an hour."""

from __future__ import annotations

import random
import string
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs import models
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Queue, SQSBackend, sqs_backends

from ..takeover import Takeover


class _Counting(threading.local):
    """Whether the queue attributes that are read in this thread have to hold real counts."""

    wanted = True


_counting = _Counting()


def mend_queues() -> Takeover:
    """Replace what moto does unsafely or slowly; the takeover's `undo` gives moto its own back.

    moto looks at all messages of a queue, several times and with three looks at the clock for each, whenever
    it wants to know any attribute of the queue; it wants to for each message that is sent, and for each one
    that is received. Here it only counts where somebody asked for the counts, and with one look at the clock;
    and the names of attributes are not spelled anew, letter by letter, each time.
    """
    takeover = Takeover()
    takeover.replace(Queue, "delete_message", delete_message)
    takeover.replace(Queue, "messages", property(_visible))
    takeover.replace(Queue, "approximate_number_of_messages", _counted(lambda queue: len(_visible(queue))))
    takeover.replace(Queue, "approximate_number_of_messages_delayed", _counted(_delayed))
    takeover.replace(Queue, "approximate_number_of_messages_not_visible", _counted(_in_flight))
    takeover.replace(models, "camelcase_to_underscores", cache(models.camelcase_to_underscores))
    takeover.replace(models, "generate_receipt_handle", _receipt_handle)
    takeover.replace(SQSBackend, "is_message_valid_based_on_retention_period", _is_retained)
    for name in ("send_message", "receive_message"):
        takeover.replace(SQSBackend, name, _without_counts(getattr(SQSBackend, name)))
    takeover.replace(SQSBackend, "receive_message", _one_at_a_time(SQSBackend.receive_message))
    takeover.replace(SQSBackend, "get_queue_attributes", _attributes(SQSBackend.get_queue_attributes))
    return takeover


def delete_message(queue: Any, receipt_handle: str) -> None:
    """Delete the message that was received by this handle; ReceiptHandleIsInvalid if there was none.

    moto's own writes a new list of messages without taking the queue's lock, so that a message arriving in
    that moment is lost; and it reads the whole queue twice for each message.
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
    """(visible, delayed or in flight) messages of a queue, all at one moment; nothing if there is no such queue.

    In-process: three counts over HTTP are three moments, and a message whose time comes in between is in none.
    """
    queue = sqs_backends[account][region].queues.get(queue_name)
    if queue is None:
        return 0, 0
    now, messages = unix_time_millis(), tuple(queue._messages)
    visible = sum(_is_visible(one, now) for one in messages)
    return visible, len(messages) - visible


def _is_visible(message: Any, now: float) -> bool:
    return bool(message.visible_at < now and message.delayed_until <= now)


def _visible(queue: Any) -> list[Any]:
    now = unix_time_millis()
    return [one for one in tuple(queue._messages) if _is_visible(one, now)]


def _in_flight(queue: Any) -> int:
    now = unix_time_millis()
    return sum(one.visible_at >= now for one in tuple(queue._messages))


def _delayed(queue: Any) -> int:
    now = unix_time_millis()
    return sum(one.delayed_until > now for one in tuple(queue._messages))


def _receipt_handle() -> str:
    # Of moto's length; nobody is kept out by it.
    return "".join(random.choices(string.ascii_lowercase, k=185))


def _is_retained(backend: Any, queue_name: str, message: Any) -> bool:
    kept_seconds = backend.get_queue(queue_name).message_retention_period
    return bool(message.sent_timestamp + int(kept_seconds) * 1000 > unix_time_millis())


def _one_at_a_time(receive: Callable[..., Any]) -> Callable[..., Any]:
    """Two of moto's at once may take the same message, and fail if others are deleted meanwhile.

    Whoever waits for a message lets the lock go.
    """

    def receive_message(backend: Any, queue_name: str, *arguments: Any, **named: Any) -> Any:
        with backend.get_queue(queue_name)._messages_lock:
            return receive(backend, queue_name, *arguments, **named)

    return receive_message


def _counted(count: Callable[[Any], int]) -> property:
    return property(lambda queue: count(queue) if _counting.wanted else 0)


def _without_counts(original: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **named: Any) -> Any:
        before, _counting.wanted = _counting.wanted, False
        try:
            return original(*arguments, **named)
        finally:
            _counting.wanted = before

    return called


def _attributes(original: Callable[..., Any]) -> Callable[..., Any]:
    uncounted = _without_counts(original)

    def get_queue_attributes(backend: Any, queue_name: str, attribute_names: list[str]) -> Any:
        counts = any(name == "All" or name.startswith("ApproximateNumber") for name in attribute_names)
        return (original if counts else uncounted)(backend, queue_name, attribute_names)

    return get_queue_attributes
