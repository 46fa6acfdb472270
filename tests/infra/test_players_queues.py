"""moto's queues behave as before, but are safe under load and fast."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core.utils import unix_time_millis
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, sqs_backends

from infra.players_kit import Aws, aws  # noqa: F401
from localaws.sqs.patches import PATCHES
from localaws.sqs.queues import delete_message, held

COUNTS = ("", "Delayed", "NotVisible")


@pytest.fixture
def patched() -> Iterator[None]:
    with PATCHES:
        yield


def queue_of(bodies: list[str]) -> Any:
    queue = Queue("q", "us-east-1", "123456789012")
    for body in bodies:
        message = Message(body, body)
        message.mark_sent()
        queue.add_message(message)
    return queue


def counts(queue: Any) -> list[Any]:
    names = ("approximate_number_of_messages", "approximate_number_of_messages_delayed")
    found: list[Any] = [
        getattr(queue, name) for name in (*names, "approximate_number_of_messages_not_visible")
    ]
    return [*found, [one.body for one in queue.messages]]


@given(st.data())
def test_deleting_takes_exactly_the_received_message(data: st.DataObject) -> None:
    queue = queue_of([str(number) for number in range(data.draw(st.integers(1, 6)))])
    chosen = data.draw(st.sampled_from(queue._messages))
    for _ in range(data.draw(st.integers(1, 3))):
        chosen.mark_received(30)
    rest = [one for one in queue._messages if one is not chosen]
    handle = data.draw(st.sampled_from([one for one in chosen.all_receipt_handles if one]))
    delete_message(queue, handle)
    assert queue._messages == rest
    delete_message(queue, handle)  # once more is no error, as on SQS
    assert queue._messages == rest
    with pytest.raises(ReceiptHandleIsInvalid):
        delete_message(queue, "unknown")


TIMES = st.sampled_from([0.0, -60_000.0, 60_000.0])


@given(st.lists(st.tuples(TIMES, TIMES), max_size=5))
def test_it_counts_as_moto_counts(times: list[tuple[float, float]]) -> None:
    queue = queue_of([str(number) for number in range(len(times))])
    for message, (visible, delayed) in zip(queue._messages, times, strict=True):
        message.visible_at = unix_time_millis() + visible if visible else 0.0
        message.delayed_until = unix_time_millis() + delayed if delayed else 0.0
    expected = [
        sum(one.visible and not one.delayed for one in queue._messages),
        sum(one.delayed for one in queue._messages),
        sum(not one.visible for one in queue._messages),
        [one.body for one in queue._messages if one.visible and not one.delayed],
    ]
    with PATCHES:
        assert counts(queue) == expected


def test_no_message_is_lost_when_others_are_deleted_at_the_same_time(patched: None) -> None:
    queue = queue_of([str(number) for number in range(400)])
    for message in queue._messages:
        message.mark_received(60)
    handles = [message.receipt_handle for message in queue._messages]

    def add() -> None:
        for number in range(400):
            queue.add_message(Message(f"new{number}", "x"))

    def delete(mine: list[str]) -> None:
        for handle in mine:
            queue.delete_message(handle)

    threads = [threading.Thread(target=add)]
    threads += [threading.Thread(target=delete, args=(handles[start::2],)) for start in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {message.id for message in queue._messages} == {f"new{number}" for number in range(400)}


def test_receivers_at_once_get_different_messages_while_others_are_deleted(aws: Aws, patched: None) -> None:  # noqa: F811
    aws.queue("q", VisibilityTimeout="600")
    backend = sqs_backends["123456789012"]["us-east-1"]
    for number in range(600):
        backend.send_message("q", str(number))
    received: list[str] = []
    failures: list[BaseException] = []

    def drain() -> None:
        try:
            while found := backend.receive_message("q", 5, 0, 600):
                received.extend(one.body for one in found)
                for one in found:
                    backend.delete_message("q", one.receipt_handle)
        except BaseException as error:  # noqa: BLE001  (told by the assertion below)
            failures.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=drain) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert failures == []
    assert sorted(received) == sorted(str(number) for number in range(600))


def test_a_long_poll_lets_messages_in(aws: Aws, patched: None) -> None:  # noqa: F811
    aws.queue("q")
    backend = sqs_backends["123456789012"]["us-east-1"]
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.extend(backend.receive_message("q", 1, 20, 600)))
    waiting.start()
    backend.send_message("q", "x")
    waiting.join(10)
    assert [one.body for one in found] == ["x"]


def test_counts_are_real_for_those_who_ask_for_them(aws: Aws, patched: None) -> None:  # noqa: F811
    url, _ = aws.queue("q", ("rule",))
    sqs = aws.client("sqs")
    for delay in (0, 0, 0, 600):
        sqs.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=delay)
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)
    names = [f"ApproximateNumberOfMessages{name}" for name in COUNTS]
    for asked in (names, ["All"]):
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
        assert [found[name] for name in names] == ["2", "1", "1"]
    assert set(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]) == {"Policy"}


def test_every_message_is_visible_or_waits_at_any_one_moment(aws: Aws, patched: None) -> None:  # noqa: F811
    url, _ = aws.queue("q", VisibilityTimeout="600")
    sqs, where = aws.client("sqs"), (aws.endpoint.account, aws.endpoint.region)
    for delay in (0, 0, 0, 600):
        sqs.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=delay)
    assert held(*where, "q") == (3, 1)
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]
    assert held(*where, "q") == (2, 2)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received[0]["ReceiptHandle"])
    assert held(*where, "q") == (2, 1)
    assert held(*where, "nowhere") == (0, 0)


def test_a_message_older_than_its_queue_keeps_it_is_not_delivered(aws: Aws, patched: None) -> None:  # noqa: F811
    url, _ = aws.queue("q", MessageRetentionPeriod="60")
    sqs, queue = aws.client("sqs"), sqs_backends["123456789012"]["us-east-1"].queues["q"]
    for body in ("old", "new"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    queue._messages[1].sent_timestamp -= 59_000
    assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    queue._messages[0].sent_timestamp -= 61_000
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_a_burst_of_thousands_takes_seconds(aws: Aws, patched: None) -> None:  # noqa: F811
    aws.queue("q")
    backend = sqs_backends["123456789012"]["us-east-1"]
    began = time.process_time()
    for _ in range(3000):
        backend.send_message("q", "x")
    for _ in range(100):
        for message in backend.receive_message("q", 10, 0, 600):
            backend.delete_message("q", message.receipt_handle)
    # moto itself: more than a minute.
    assert time.process_time() - began < 10
    assert len(backend.queues["q"]._messages) == 2000
