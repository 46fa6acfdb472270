"""EventBridge and Lambda: keys in events, schedules, windows of event source mappings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from verify_aws.kit import Place, answer_of

KEY = "dt=2026-01-05/a b+c%41\u00fc.json"
SCHEDULES = ("rate(1 minute)", "rate(1 minutes)", "rate(0 minutes)", "rate(5 minutes)", "rate(5 minute)")


def probes(place: Place) -> Iterator[tuple[str, str]]:
    """(probe, answer)"""
    yield "eventbridge: a key in an S3 event", _key_in_event(place)
    events = place.client("events")
    for number, schedule in enumerate(SCHEDULES):
        rule = f"{place.name}-schedule-{number}"
        answer = answer_of(partial(events.put_rule, Name=rule, ScheduleExpression=schedule, State="DISABLED"))
        if answer == "ok":
            place.later(partial(events.delete_rule, Name=rule))
        yield f"eventbridge: {schedule}", answer


def _key_in_event(place: Place) -> str:
    bucket, s3 = place.bucket("events", versioned=True), place.client("s3")
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    sqs, events, rule = place.client("sqs"), place.client("events"), f"{place.name}-arrived"
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps(pattern))["RuleArn"]
    place.later(lambda: events.delete_rule(Name=rule))
    allowed = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
        },
    }
    url = sqs.create_queue(QueueName=f"{place.name}-arrived", Attributes={"Policy": json.dumps(allowed)})[
        "QueueUrl"
    ]
    place.later(lambda: sqs.delete_queue(QueueUrl=url))
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    place.later(lambda: events.remove_targets(Rule=rule, Ids=["queue"]))

    def received() -> str | None:
        # Again each time: a new rule takes a while on AWS.
        s3.put_object(Bucket=bucket, Key=KEY, Body=b"x")
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages", []):
            return str(json.loads(message["Body"])["detail"]["object"]["key"])
        return None

    key = place.until("an event of S3", received)
    return "as it is" if key == KEY else str(key)
