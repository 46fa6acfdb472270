"""moto's SQS queues, mended: no message gets lost, and a burst of 10,000 doesn't take an hour."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Queue, SQSBackend

from ..takeover import Takeover


class _Counting(threading.local):
    """Whether the queue attributes that are read in this thread have to hold real counts."""

    wanted = True


_counting = _Counting()


def mend_queues() -> Takeover:
    """Replace what moto does unsafely or slowly; the takeover's `undo` gives moto its own back.

    moto looks at all messages of a queue, several times and with three looks at the clock for each, whenever
    it wants to know any attribute of the queue; it wants to for each message that is sent, and for each one
    that is received. Here it only counts where somebody asked for the counts, and with one look at the clock.
    """
    takeover = Takeover()
    takeover.replace(Queue, "delete_message", delete_message)
    takeover.replace(Queue, "messages", property(_visible))
    takeover.replace(Queue, "approximate_number_of_messages", _counted(lambda queue: len(_visible(queue))))
    takeover.replace(Queue, "approximate_number_of_messages_delayed", _counted(_delayed))
    takeover.replace(Queue, "approximate_number_of_messages_not_visible", _counted(_in_flight))
    for name in ("send_message", "receive_message"):
        takeover.replace(SQSBackend, name, _without_counts(getattr(SQSBackend, name)))
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


def _visible(queue: Any) -> list[Any]:
    now = unix_time_millis()
    return [one for one in tuple(queue._messages) if one.visible_at < now and one.delayed_until <= now]


def _in_flight(queue: Any) -> int:
    now = unix_time_millis()
    return sum(one.visible_at >= now for one in tuple(queue._messages))


def _delayed(queue: Any) -> int:
    now = unix_time_millis()
    return sum(one.delayed_until > now for one in tuple(queue._messages))


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
