"""AWS events, in the shapes that AWS sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aws_events import aws_event
from gluebook.core.events import (
    CrawlEnded,
    Ignored,
    JobEnded,
    ObjectArrived,
    StartWanted,
    StatementEnded,
    Tick,
    parse_event,
    parse_queue_message,
    start_wanted,
)
from gluebook.core.loading import batch_of_statement
from gluebook.errors import ContractError

RUN = "jr_5f0c5c1b2d6c7c1f4b5e0c3a1c8f5f0e8d2b9a7c6e5d4f3a2b1c0d9e8f7a6b5c"


def test_an_object_arrives_with_key_version_size_and_sequencer() -> None:
    assert parse_event(aws_event("s3_object_created")) == ObjectArrived(
        bucket="gluebook-raw",
        key="support_tickets/servicenow/dt=2026-01-05/Export 1+2 (März) 100%.csv.gz",
        version_id="IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
        size=5,
        sequencer="00617F08299329D189",
    )


@pytest.mark.parametrize(
    "key",
    [
        "app_logs/mongod/dt%3D2026-01-05/a+b%2Bc%2520%C3%A9.log",
        "app_logs/mongod/dt=2026-01-05/a+b%20c.log",
        "app_logs/mongod/dt=2026-01-05/a\nb\x1b[2J\u202e.log",
    ],
)
def test_a_key_in_an_event_is_the_key_as_it_is(key: str) -> None:
    event = aws_event("s3_object_created")
    event["detail"]["object"]["key"] = key
    arrived = parse_queue_message(json.dumps(event))
    assert isinstance(arrived, ObjectArrived)
    assert arrived.key == key


def test_an_object_arrives_through_a_queue() -> None:
    [record] = aws_event("sqs_s3_object_created")["Records"]
    assert parse_queue_message(record["body"]) == ObjectArrived(
        bucket="gluebook-raw",
        key="app_logs/mongod/dt=2026-01-05/mongod.log",
        version_id="3HL4kqtJvjVBH40Nrjfkd",
        size=2048,
        sequencer="00617F0837B476E463",
    )


@pytest.mark.parametrize("version", [None, "", "absent"])
def test_an_object_without_a_version_says_which_bucket_needs_versioning(version: str | None) -> None:
    event = aws_event("s3_object_created_unversioned")
    if version != "absent":
        event["detail"]["object"]["version-id"] = version
    with pytest.raises(ContractError, match="enable versioning on bucket gluebook-raw"):
        parse_event(event)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("glue_job_succeeded", JobEnded("gluebook-support_tickets", RUN, "SUCCEEDED", "Job run succeeded")),
        (
            "glue_job_failed",
            JobEnded("gluebook-support_tickets", RUN, "FAILED", "Command failed with exit code 1"),
        ),
        ("glue_job_running", Ignored("job run is RUNNING")),
        ("glue_crawler_succeeded", CrawlEnded("gluebook-support_tickets", "Succeeded")),
        ("glue_crawler_started", Ignored("crawler is Started")),
        (
            "redshift_statement_finished",
            StatementEnded(
                "d9b6c0c9-0747-4bf4-b142-e8883122f766",
                "gluebook-load:support_tickets-20260105T101700-1a2b3c4d:1",
                "FINISHED",
            ),
        ),
        ("scheduled", Tick()),
    ],
)
def test_each_event_of_aws_is_understood(name: str, expected: object) -> None:
    assert parse_event(aws_event(name)) == expected


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED"])
def test_every_end_of_a_job_run_counts(state: str) -> None:
    event = aws_event("glue_job_succeeded")
    event["detail"]["state"] = state
    assert isinstance(parse_event(event), JobEnded)


@pytest.mark.parametrize("state", ["STARTING", "RUNNING", "STOPPING", "WAITING", "QUEUED"])
def test_a_job_run_under_way_asks_for_nothing(state: str) -> None:
    event = aws_event("glue_job_succeeded")
    event["detail"]["state"] = state
    assert parse_event(event) == Ignored(f"job run is {state}")


def test_a_crawl_that_failed_has_ended_too() -> None:
    event = aws_event("glue_crawler_succeeded")
    event["detail"]["state"] = "Failed"
    assert parse_event(event) == CrawlEnded("gluebook-support_tickets", "Failed")


def test_a_statement_without_a_name_is_not_a_load() -> None:
    event = aws_event("redshift_statement_finished")
    del event["detail"]["statementName"]
    ended = parse_event(event)
    assert isinstance(ended, StatementEnded)
    assert batch_of_statement(ended.name) is None


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("s3_object_created", ("bucket",)),
        ("s3_object_created", ("bucket", "name")),
        ("s3_object_created", ("object",)),
        ("s3_object_created", ("object", "key")),
        ("glue_job_succeeded", ("jobName",)),
        ("glue_job_succeeded", ("jobRunId",)),
        ("glue_job_succeeded", ("state",)),
        ("glue_crawler_succeeded", ("crawlerName",)),
        ("glue_crawler_succeeded", ("state",)),
        ("redshift_statement_finished", ("statementId",)),
        ("redshift_statement_finished", ("state",)),
    ],
)
def test_a_missing_field_is_named_with_the_event(name: str, path: tuple[str, ...]) -> None:
    event = aws_event(name)
    place = event["detail"]
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    with pytest.raises(ContractError, match=f"{event['id']} '{event['detail-type']}' lacks '{path[-1]}'"):
        parse_event(event)


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("s3_object_created", None),
        ("s3_object_created", "detail"),
        ("s3_object_created", []),
        ("s3_object_created", {"bucket": "b", "object": {"key": "k", "version-id": "v"}}),
        ("s3_object_created", {"bucket": {"name": "b"}, "object": None}),
        ("s3_object_created", {"bucket": {"name": "b"}, "object": {"key": 7, "version-id": "v"}}),
        (
            "s3_object_created",
            {"bucket": {"name": "b"}, "object": {"key": "k", "version-id": "v", "size": "many"}},
        ),
        ("glue_job_succeeded", None),
        ("glue_crawler_succeeded", "Succeeded"),
        ("redshift_statement_finished", 7),
    ],
)
def test_an_event_of_another_shape_is_refused_not_a_crash(name: str, detail: Any) -> None:
    event = {**aws_event(name), "detail": detail}
    with pytest.raises(ContractError, match=event["id"]):
        parse_event(event)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}},
        {"source": "aws.glue", "detail-type": "Glue Data Catalog Table State Change", "detail": {}},
        {"source": "somebody", "detail-type": "Object Created", "detail": {}},
    ],
)
def test_unknown_kinds_are_ignored_by_name(event: dict[str, Any]) -> None:
    found = parse_event(event)
    assert isinstance(found, Ignored)
    assert f"{event.get('source')!r} {event.get('detail-type')!r}" in found.reason


@pytest.mark.parametrize("body", ["", "no json", "{", '"Object Created"', "[]", "7", "null"])
def test_a_message_that_is_no_json_object_is_refused_with_its_beginning(body: str) -> None:
    with pytest.raises(ContractError, match="queue message is not") as caught:
        parse_queue_message(body)
    assert repr(body) in str(caught.value)


def test_a_refusal_of_a_long_message_stays_short() -> None:
    with pytest.raises(ContractError) as caught:
        parse_queue_message(json.dumps(["x" * 10_000]))
    assert len(str(caught.value)) < 200


def test_the_word_that_a_start_is_wanted_arrives_as_it_was_sent() -> None:
    assert parse_queue_message(start_wanted("app_logs")) == StartWanted("app_logs")


def test_a_word_of_ours_that_lacks_its_dataset_is_refused() -> None:
    event = {**json.loads(start_wanted("app_logs")), "detail": {}}
    with pytest.raises(ContractError, match="lacks 'dataset'"):
        parse_event(event)
