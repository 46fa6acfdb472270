"""Queues are drained into functions, batch by batch, by the function's role."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from moto.sqs.models import Queue

from infra.players_kit import Aws, aws, closing, eventually  # noqa: F401
from localaws.errors import LocalAwsError
from localaws.functions import Functions
from localaws.mappings import Mappings
from localaws.mappings.shapes import reported_failures
from localaws.sqs.queues import delete_message

Handler = Callable[[dict[str, Any]], Any]
Start = Callable[..., Mappings]


@pytest.fixture
def start(aws: Aws) -> Iterator[Start]:  # noqa: F811
    """Deploys a function "admit" mapped to a queue "arrivals", and plays the mapping into a Python callable."""
    with ExitStack() as players:

        def started(handle: Handler, window_scale: float = 0.01, **settings: Any) -> Mappings:
            aws.function("admit", "def handler(event, context): pass")
            aws.client("lambda").create_event_source_mapping(
                FunctionName="admit", EventSourceArn=aws.arn("sqs", "arrivals"), **settings
            )
            mappings = Mappings(
                aws.endpoint,
                aws.roles,
                lambda _name, event: handle(event),
                fallback_seconds=0.1,
                refresh_seconds=0.1,
                window_scale=window_scale,
            )
            players.enter_context(closing(mappings))
            mappings.refresh()
            return mappings

        yield started


def send(aws: Aws, url: str, bodies: list[str]) -> None:  # noqa: F811
    for first in range(0, len(bodies), 10):
        entries = [
            {"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies[first : first + 10])
        ]
        aws.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def test_a_batch_of_more_than_ten_is_collected_within_the_window_and_deleted_afterwards(
    aws: Aws,  # noqa: F811
    start: Start,
) -> None:
    url, arn = aws.queue("arrivals")
    send(aws, url, [str(number) for number in range(25)])
    events: list[dict[str, Any]] = []
    mappings = start(events.append, BatchSize=100, MaximumBatchingWindowInSeconds=20)
    eventually(lambda: events and mappings.idle())
    assert [sorted(int(one["body"]) for one in event["Records"]) for event in events] == [list(range(25))]
    assert mappings.waiting() == 0
    record = events[0]["Records"][0]
    assert set(record) == {
        *("messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody"),
        *("eventSource", "eventSourceARN", "awsRegion"),
    }
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:sqs", arn)
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_no_batch_is_larger_than_its_size(aws: Aws, start: Start) -> None:  # noqa: F811
    url, _ = aws.queue("arrivals")
    send(aws, url, [str(number) for number in range(30)])
    sizes: list[int] = []
    bodies: set[str] = set()

    def handle(event: dict[str, Any]) -> None:
        sizes.append(len(event["Records"]))
        bodies.update(one["body"] for one in event["Records"])

    mappings = start(handle, BatchSize=12, MaximumBatchingWindowInSeconds=1)
    eventually(lambda: len(bodies) == 30 and mappings.idle())
    assert max(sizes) <= 12


def test_the_window_is_waited_for_and_takes_late_messages_in(aws: Aws, start: Start) -> None:  # noqa: F811
    url, arn = aws.queue("arrivals")
    send(aws, url, ["early"])
    events: list[dict[str, Any]] = []
    mappings = start(events.append, 1.0, BatchSize=2, MaximumBatchingWindowInSeconds=300)
    eventually(lambda: mappings.waiting() == 1)  # taken, and held for the window
    assert (events, mappings.idle()) == ([], False)
    send(aws, url, ["late"])
    mappings.wake(arn)
    eventually(lambda: events)  # full, long before the window is over
    assert [one["body"] for one in events[0]["Records"]] == ["early", "late"]


def test_the_queue_is_read_and_emptied_by_the_functions_role(aws: Aws, start: Start) -> None:  # noqa: F811
    url, _ = aws.queue("arrivals")
    send(aws, url, ["x"])
    mappings = start(lambda event: None)
    eventually(lambda: mappings.idle() and mappings.waiting() == 0)
    assert aws.operations("ASIAADMIT-ROLE") == {
        *(("sqs", "GetQueueAttributes"), ("sqs", "ReceiveMessage"), ("sqs", "DeleteMessageBatch"))
    }
    assert aws.roles.asked == [(aws.role("admit-role"), "lambda.amazonaws.com", "admit")]


def test_a_failed_batch_comes_back_and_ends_in_the_dead_letter_queue(aws: Aws, start: Start) -> None:  # noqa: F811
    dead_url, dead_arn = aws.queue("dead")
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    url, _ = aws.queue("arrivals", VisibilityTimeout="0", RedrivePolicy=redrive)
    send(aws, url, ["poison"])
    counts: list[str] = []

    def fail(event: dict[str, Any]) -> None:
        counts.append(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
        raise LocalAwsError("bad")

    start(fail, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    assert eventually(lambda: aws.messages(dead_url)) == ["poison"]
    assert counts == ["1", "2"]


def test_only_reported_messages_stay(aws: Aws, start: Start) -> None:  # noqa: F811
    url, _ = aws.queue("arrivals", VisibilityTimeout="600")
    send(aws, url, [str(number) for number in range(10)])
    handled: list[int] = []

    def partly(event: dict[str, Any]) -> dict[str, Any]:
        bad = [one["messageId"] for one in event["Records"] if int(one["body"]) % 5 == 0]
        handled.append(len(event["Records"]))
        return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}

    mappings = start(partly, FunctionResponseTypes=["ReportBatchItemFailures"])
    eventually(lambda: sum(handled) == 10 and mappings.idle())
    assert mappings.waiting() == 2


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "unknown"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
        ({"batchItemFailures": [{"wrong": "key"}]}, {"a", "b"}),
        ({"batchItemFailures": "text"}, {"a", "b"}),
        ("text", {"a", "b"}),
        (7, {"a", "b"}),
    ],
)
def test_a_report_that_makes_no_sense_fails_the_whole_batch(result: Any, failed: set[str]) -> None:
    assert reported_failures(result, {"a", "b"}) == failed


def test_not_more_batches_run_at_once_than_the_mapping_allows(aws: Aws, start: Start) -> None:  # noqa: F811
    url, _ = aws.queue("arrivals")
    send(aws, url, [str(number) for number in range(8)])
    lock, running, most, done = threading.Lock(), [0], [0], [0]
    both = threading.Barrier(2)

    def handle(event: dict[str, Any]) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        both.wait(20)  # two do run side by side
        with lock:
            running[0] -= 1
            done[0] += 1

    mappings = start(handle, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    eventually(lambda: done[0] == 8 and mappings.idle())
    assert most == [2]


def test_a_disabled_mapping_is_left_alone_and_an_enabled_one_picked_up(aws: Aws, start: Start) -> None:  # noqa: F811
    url, _ = aws.queue("arrivals")
    events: list[dict[str, Any]] = []
    mappings = start(events.append, Enabled=False)
    send(aws, url, ["x"])
    assert mappings.idle()  # no mapping, no queue
    client = aws.client("lambda")
    (one,) = client.list_event_source_mappings()["EventSourceMappings"]
    client.update_event_source_mapping(UUID=one["UUID"], Enabled=True)
    eventually(lambda: events)


def test_a_mapping_with_an_unknown_setting_is_refused_by_name(
    aws: Aws,  # noqa: F811
    start: Start,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url, _ = aws.queue("arrivals")
    send(aws, url, ["x"])
    events: list[dict[str, Any]] = []
    start(events.append, FilterCriteria={"Filters": [{"Pattern": "{}"}]})
    eventually(lambda: "FilterCriteria" in caplog.text)
    assert events == []


def test_a_role_that_may_not_be_assumed_leaves_the_messages_alone(
    aws: Aws,  # noqa: F811
    start: Start,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url, _ = aws.queue("arrivals")
    send(aws, url, ["x"])
    aws.roles.refused.add("admit-role")
    events: list[dict[str, Any]] = []
    start(events.append)
    eventually(lambda: "may not assume" in caplog.text)
    assert aws.messages(url) == ["x"]
    assert events == []


def test_a_deployed_function_drains_its_queue(aws: Aws, start: Start) -> None:  # noqa: F811
    url, _ = aws.queue("arrivals")
    with closing(Functions(aws.endpoint, aws.roles)) as functions:
        results: list[Any] = []
        code = "def handler(event, context): return [one['body'] for one in event['Records']]"
        aws.function("real", code)
        mappings = start(lambda event: results.append(functions.invoke("real", event)))
        send(aws, url, ["a", "b"])
        eventually(lambda: results and mappings.idle())
        assert sorted(one for result in results for one in result) == ["a", "b"]


def test_close_ends_the_threads_and_gives_moto_its_own_delete_back(aws: Aws, start: Start) -> None:  # noqa: F811
    aws.queue("arrivals")
    before, original = set(threading.enumerate()), Queue.delete_message
    mappings = start(lambda event: None)
    assert Queue.delete_message is delete_message
    mappings.close()
    assert Queue.delete_message is original
    ours = [one for one in set(threading.enumerate()) - before if one.name.startswith("localaws")]
    assert ours == []
