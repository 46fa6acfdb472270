"""Events that are lost, late, doubled and overtaken, when a test says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.stack_kit import Stage, eventually, running_stage, stage, unique  # noqa: F401
from localaws.errors import LocalAwsError
from localaws.events import EventBus, event
from localaws.events.later import Later


def happen(stage: Stage, source: str, *names: str) -> None:  # noqa: F811
    for name in names:
        stage.aws.bus.put(event(source, "Happened", {"name": name}))


@pytest.fixture
def arrivals(stage: Stage) -> tuple[str, str, str]:  # noqa: F811
    """A source of events and the (URL, ARN) of the queue that gets them."""
    source, (url, arn) = unique("source"), stage.queue()
    stage.rule(source, arn)
    return source, url, arn


Arrivals = tuple[str, str, str]


def names(stage: Stage, url: str) -> list[str]:  # noqa: F811
    return [json.loads(body)["detail"]["name"] for body in stage.bodies(url)]


def test_without_faults_every_event_arrives_once(stage: Stage, arrivals: Arrivals) -> None:  # noqa: F811
    source, url, _ = arrivals
    happen(stage, source, "a", "b")
    assert stage.aws.wait_idle(20)
    assert names(stage, url) == ["a", "b"]


def test_a_delivery_is_lost_doubled_or_normal_as_decided(stage: Stage, arrivals: Arrivals) -> None:  # noqa: F811
    source, url, arn = arrivals
    plan: dict[str, Sequence[float]] = {"lost": [], "normal": [0], "doubled": [0, 0]}
    asked: list[tuple[str, str]] = []

    def decide(happened: dict[str, Any], target_arn: str) -> Sequence[float]:
        asked.append((happened["detail"]["name"], target_arn))
        return plan[happened["detail"]["name"]]

    stage.aws.faults.deliveries(decide)
    happen(stage, source, *plan)
    assert stage.aws.wait_idle(20)
    assert names(stage, url) == ["normal", "doubled", "doubled"]
    assert asked == [(name, arn) for name in plan]


def test_a_late_delivery_is_overtaken_and_keeps_the_laptop_from_being_idle(
    stage: Stage,  # noqa: F811
    arrivals: Arrivals,
) -> None:
    source, url, _ = arrivals
    stage.aws.faults.deliveries(lambda happened, _: [0, 1.0] if happened["detail"]["name"] == "a" else [0.2])
    happen(stage, source, "a", "b")
    eventually(lambda: int(depth(stage, url)) == 2)
    assert not stage.aws.bus.idle()
    assert not stage.aws.idle()
    assert stage.aws.wait_idle(20)
    assert names(stage, url) == ["a", "b", "a"]


def depth(stage: Stage, url: str) -> str:  # noqa: F811
    asked = ["ApproximateNumberOfMessages"]
    found = stage.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=asked)
    return str(found["Attributes"][asked[0]])


def test_each_target_is_decided_about_by_itself(stage: Stage) -> None:  # noqa: F811
    source, (first_url, first), (second_url, second) = unique("source"), stage.queue(), stage.queue()
    stage.rule(source, first, second)
    stage.aws.faults.deliveries(lambda _, target_arn: [0] if target_arn == second else [])
    happen(stage, source, "a")
    assert stage.aws.wait_idle(20)
    assert (names(stage, first_url), names(stage, second_url)) == ([], ["a"])


def test_functions_get_doubled_events_too(stage: Stage) -> None:  # noqa: F811
    told, source = stage.bucket(events=False), unique("source")
    name = stage.function(
        f"""
        import boto3
        def handler(event, context):
            boto3.client("s3").put_object(Bucket="{told}", Key="x", Body=event["id"].encode())
        """,
        "s3:PutObject",
    )
    arn = stage.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    stage.client("lambda").add_permission(
        FunctionName=name, StatementId="bus", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
    )
    stage.rule(source, arn)
    stage.aws.faults.deliveries(lambda _, __: [0, 0.1])
    happened = event(source, "Happened", {})
    stage.aws.bus.put(happened)
    assert stage.aws.wait_idle(30)
    assert stage.lines(told) == [happened["id"]] * 2


def test_switched_off_nothing_is_decided_any_more(stage: Stage, arrivals: Arrivals) -> None:  # noqa: F811
    source, url, _ = arrivals
    stage.aws.faults.deliveries(lambda _, __: [])
    happen(stage, source, "lost")
    assert stage.aws.wait_idle(20)
    stage.aws.faults.deliveries(None)
    happen(stage, source, "a")
    assert stage.aws.wait_idle(20)
    assert names(stage, url) == ["a"]


def test_a_decision_that_fails_loses_no_event_and_is_told(stage: Stage, arrivals: Arrivals) -> None:  # noqa: F811
    source, url, _ = arrivals

    def broken(happened: dict[str, Any], target_arn: str) -> Sequence[float]:
        raise KeyError("oops")

    stage.aws.faults.deliveries(broken)
    happen(stage, source, "a")
    assert stage.aws.wait_idle(20)
    assert names(stage, url) == ["a"]
    with pytest.raises(LocalAwsError, match="oops"):
        stage.aws.faults.clear()
    stage.aws.faults.clear()  # told once


def test_the_bus_closes_although_a_delivery_waits(stage: Stage, arrivals: Arrivals) -> None:  # noqa: F811
    source, _, _ = arrivals
    bus = EventBus(stage.aws.endpoint, stage.aws.authorizer.check_service, lambda _name, _event: None)
    decided = threading.Event()

    def late(happened: dict[str, Any], target_arn: str) -> Sequence[float]:
        decided.set()
        return [3600]

    bus.deliveries = late
    bus.put(event(source, "Happened", {"name": "never"}))
    assert decided.wait(20)
    bus.close()
    assert not bus.idle()


@given(st.lists(st.integers(-3, 3)))
def test_what_is_due_comes_in_the_order_of_its_time(seconds: list[int]) -> None:
    later: Later[tuple[int, int]] = Later()
    for number, wait in enumerate(seconds):
        later.add(wait * 1000, (wait, number))
    past = [(wait, number) for number, wait in enumerate(seconds) if wait <= 0]
    if past:
        assert later.wait_seconds() == 0
    assert later.due() == sorted(past)
    assert later.due() == []
    assert (later.wait_seconds() is None) == (len(past) == len(seconds))
