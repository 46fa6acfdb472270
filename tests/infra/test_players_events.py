"""The event bus delivers what rules match to the targets that let it in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from infra.players_kit import Aws, aws, closing  # noqa: F401
from localaws.errors import NotSupported
from localaws.events import EventBus, event, glue_crawler_event, glue_job_event, object_created_event
from localaws.events.targets import target_input

PATTERN = {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "raw/"}]}}}


class Invoked:
    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.woken: list[str] = []

    def __call__(self, name: str, event: dict[str, Any]) -> None:
        self.calls.append((name, event))


@pytest.fixture
def invoked() -> Invoked:
    return Invoked()


@pytest.fixture
def bus(aws: Aws, invoked: Invoked) -> Iterator[EventBus]:  # noqa: F811
    with closing(EventBus(aws.endpoint, aws.check_service, invoked, invoked.woken.append)) as made:
        yield made


def created(key: str = "raw/a b.csv") -> dict[str, Any]:
    return object_created_event(
        bucket="b", key=key, size=3, etag='"abc"', sequencer="0055AED6DCD90281E5", version_id="v1"
    )


def test_a_matching_event_arrives_in_the_queue_as_it_is(aws: Aws, bus: EventBus, invoked: Invoked) -> None:  # noqa: F811
    url, arn = aws.queue("arrivals", (aws.arn("events", "rule/arrived"),))
    aws.rule("arrived", PATTERN, ({"Arn": arn},))
    sent = created()
    bus.put(sent)
    bus.put(created("other/x"))
    assert bus.wait_idle(20)
    assert [json.loads(body) for body in aws.messages(url)] == [sent]
    assert invoked.woken == [arn]
    assert bus.failures() == ()


def test_a_burst_arrives_whole(aws: Aws, bus: EventBus) -> None:  # noqa: F811
    url, arn = aws.queue("arrivals", (aws.arn("events", "rule/arrived"),))
    aws.rule("arrived", PATTERN, ({"Arn": arn},))
    for number in range(57):
        bus.put(created(f"raw/{number}"))
    assert bus.wait_idle(20)
    keys = {json.loads(body)["detail"]["object"]["key"] for body in aws.messages(url)}
    assert keys == {f"raw/{number}" for number in range(57)}


def test_a_queue_whose_policy_names_another_rule_gets_nothing_and_the_failure_is_kept(
    aws: Aws,  # noqa: F811
    bus: EventBus,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url, arn = aws.queue("arrivals", (aws.arn("events", "rule/other"),))
    dead_url, dead_arn = aws.queue("dead", (aws.arn("events", "rule/arrived"),))
    rule = aws.rule("arrived", PATTERN, ({"Arn": arn, "DeadLetterConfig": {"Arn": dead_arn}},))
    sent = created()
    bus.put(sent)
    assert bus.wait_idle(20)
    assert aws.messages(url) == []
    assert [json.loads(body) for body in aws.messages(dead_url)] == [sent]
    (failure,) = bus.failures()
    assert (failure.rule_arn, failure.target_arn, failure.code) == (rule, arn, "NO_PERMISSIONS")
    assert failure.dead_letter
    assert "FailedInvocation" in caplog.text


def test_a_function_is_invoked_only_if_its_policy_lets_the_rule_in(
    aws: Aws,  # noqa: F811
    bus: EventBus,
    invoked: Invoked,
) -> None:
    arn = aws.function("load", "def handler(event, context): pass")
    rule = aws.rule("ended", {"source": ["aws.glue"]}, ({"Arn": arn},))
    sent = glue_job_event("clean", "jr_1", "SUCCEEDED")
    bus.put(sent)
    assert bus.wait_idle(20)
    assert invoked.calls == []
    assert [failure.code for failure in bus.failures()] == ["NO_PERMISSIONS"]
    aws.client("lambda").add_permission(
        FunctionName="load",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    bus.put(sent)
    assert bus.wait_idle(20)
    assert invoked.calls == [("load", sent)]


def test_a_disabled_rule_a_rule_without_a_pattern_and_other_rules_failures_change_nothing(
    aws: Aws,  # noqa: F811
    bus: EventBus,
) -> None:
    rules = [aws.arn("events", f"rule/{name}") for name in ("off", "clock", "z-good")]
    url, arn = aws.queue("arrivals", tuple(rules))
    aws.rule("a-broken", PATTERN, ({"Arn": aws.arn("kinesis", "stream/s")},))
    aws.rule("off", PATTERN, ({"Arn": arn},), State="DISABLED")
    aws.rule("clock", None, ({"Arn": arn},), ScheduleExpression="rate(1 hour)")
    aws.rule("z-good", PATTERN, ({"Arn": arn},))
    bus.put(created())
    assert bus.wait_idle(20)
    assert len(aws.messages(url)) == 1
    assert ["kinesis" in failure.reason for failure in bus.failures()] == [True]


def test_put_does_not_wait_for_the_delivery(aws: Aws) -> None:  # noqa: F811
    entered, go_on = threading.Event(), threading.Event()

    def slow(queue_arn: str) -> None:
        entered.set()
        assert go_on.wait(20)

    _, arn = aws.queue("arrivals", (aws.arn("events", "rule/arrived"),))
    aws.rule("arrived", PATTERN, ({"Arn": arn},))
    with closing(EventBus(aws.endpoint, aws.check_service, Invoked(), slow)) as bus:
        bus.put(created())
        assert entered.wait(20)
        bus.put(created())
        assert not bus.idle()
        go_on.set()
        assert bus.wait_idle(20)


def test_events_put_by_the_api_are_delivered_and_bad_ones_refused_one_by_one(aws: Aws, bus: EventBus) -> None:  # noqa: F811
    url, arn = aws.queue("own", (aws.arn("events", "rule/own"),))
    aws.rule("own", {"source": ["mine"]}, ({"Arn": arn},))
    answer = aws.client("events").put_events(
        Entries=[
            {"Source": "mine", "DetailType": "Thing", "Detail": '{"a": 1}'},
            {"Source": "mine", "DetailType": "Thing", "Detail": "{broken"},
            {"Source": "mine", "DetailType": "Thing", "Detail": "{}", "EventBusName": "another"},
        ]
    )
    assert bus.wait_idle(20)
    assert answer["FailedEntryCount"] == 2
    assert [one.get("ErrorCode") for one in answer["Entries"]] == [None, "MalformedDetail", "NotSupported"]
    (got,) = [json.loads(body) for body in aws.messages(url)]
    assert (got["id"], got["detail"]) == (answer["Entries"][0]["EventId"], {"a": 1})


def test_an_object_created_event_has_the_shape_aws_documents() -> None:
    made = created()
    assert made["detail"]["object"] == {
        "key": "raw/a b.csv",
        "size": 3,
        "etag": "abc",
        "version-id": "v1",
        "sequencer": "0055AED6DCD90281E5",
    }
    assert list(made) == [
        *("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail")
    ]
    assert made["resources"] == ["arn:aws:s3:::b"]
    assert set(made["detail"]) == {
        *("version", "bucket", "object", "request-id", "requester", "source-ip-address", "reason")
    }


def test_glue_events_have_the_shape_aws_documents() -> None:
    made = glue_job_event("clean", "jr_1", "FAILED", "ValueError: bad")
    assert made["detail-type"] == "Glue Job State Change"
    assert made["detail"] == {
        "jobName": "clean",
        "severity": "ERROR",
        "state": "FAILED",
        "jobRunId": "jr_1",
        "message": "ValueError: bad",
    }
    assert glue_job_event("clean", "jr_1", "TIMEOUT")["detail"]["severity"] == "WARN"
    assert glue_crawler_event("c", "Started")["detail"]["message"] == "Crawler Started"
    with pytest.raises(KeyError):
        glue_job_event("clean", "jr_1", "RUNNING")


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({"Input": '{"fixed": 1}'}, '{"fixed": 1}'),
        ({"InputPath": "$.detail.a"}, '{"b": ["x", "y"]}'),
        ({"InputPath": "$.detail.a.b[1]"}, '"y"'),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"b": "$.detail.a.b", "n": "$.detail.n", "gone": "$.detail.gone"},
                    "InputTemplate": '{"list": <b>, "text": "n=<n><gone>", "n": <n>, "rule": <aws.events.rule-name>}',
                }
            },
            '{"list": ["x", "y"], "text": "n=7", "n": 7, "rule": "r"}',
        ),
    ],
)
def test_a_targets_input_is_made_as_it_says(target: dict[str, Any], text: str) -> None:
    made = event("s", "t", {"a": {"b": ["x", "y"]}, "n": 7})
    assert target_input({"Id": "1", "Arn": "a", **target}, made, "arn:aws:events:us-east-1:1:rule/r") == text


def test_a_target_setting_that_is_unknown_is_refused_by_name() -> None:
    with pytest.raises(NotSupported, match="KinesisParameters"):
        target_input({"Id": "1", "Arn": "a", "KinesisParameters": {}}, {}, "r")
    with pytest.raises(NotSupported, match="JSON path"):
        target_input({"Id": "1", "Arn": "a", "InputPath": "$..x"}, {}, "r")


RULE = "arn:aws:events:us-east-1:123456789012:rule/arrived"
DENY_PLAIN_HTTP = {
    "Effect": "Deny",
    "Principal": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([{}], True),
        ([{"Principal": "*", "Action": ["sqs:*"], "Resource": "*"}], True),
        ([{"Principal": {"Service": "s3.amazonaws.com"}}], False),
        ([{"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/arr*"}}}], True),
        ([{"Condition": {"ArnEquals": {"AWS:SourceArn": RULE + "-2"}}}], False),
        ([{"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}}], False),
        ([{}, DENY_PLAIN_HTTP], True),
        ([{}, {"Effect": "Deny"}], False),
        # Each of an ARN's six parts is compared by itself: this pattern has five.
        ([{"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:rule/arrived"}}}], False),
        # A condition key that does not exist: nobody knows whom the statement denies.
        ([{}, {"Effect": "Deny", "Condition": {"StringEquals": {"aws:SourceArm": RULE}}}], False),
        ([{"Condition": {"StringLike": {"aws:SourceArn": "${aws:nothing}*"}}}], False),
    ],
)
def test_the_queues_policy_decides_as_iam_does_whether_the_event_arrives(
    aws: Aws,  # noqa: F811
    bus: EventBus,
    statements: list[dict[str, Any]],
    allowed: bool,
) -> None:
    url, arn = aws.queue("arrivals")
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = {"Version": "2012-10-17", "Statement": [allow | statement for statement in statements]}
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    aws.rule("arrived", PATTERN, ({"Arn": arn},))
    bus.put(created())
    assert bus.wait_idle(20)
    assert len(aws.messages(url)) == allowed
    assert len(bus.failures()) == (not allowed)
