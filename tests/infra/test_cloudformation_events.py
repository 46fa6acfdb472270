"""What moto would do on its own is off; created objects and put events are told to listeners."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from infra.cloudformation_server import client, serving
from localaws.endpoint import Endpoint
from localaws.s3 import ObjectCreated, listen_to_objects

FIVE_MB = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with serving() as it:
        s3 = client(it, "s3")
        for bucket in ("told", "versioned", "untold"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
        for bucket in ("told", "versioned"):
            s3.put_bucket_notification_configuration(
                Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )
        yield it


@pytest.fixture
def racing() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual: what can go wrong between two steps does."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


def test_a_put_is_told_once_with_what_was_stored(endpoint: Endpoint, told: list[ObjectCreated]) -> None:
    answer = client(endpoint, "s3").put_object(Bucket="versioned", Key="a b/é+1.csv", Body=b"12345")
    (event,) = told
    assert (event.bucket, event.key, event.size) == ("versioned", "a b/é+1.csv", 5)
    assert (event.etag, event.version_id) == (answer["ETag"].strip('"'), answer["VersionId"])
    assert event.reason == "PutObject"


def test_a_copy_and_a_multipart_upload_are_told_once(endpoint: Endpoint, told: list[ObjectCreated]) -> None:
    s3 = client(endpoint, "s3")
    upload = s3.create_multipart_upload(Bucket="told", Key="big")["UploadId"]
    parts = []
    for number, body in ((1, b"x" * FIVE_MB), (2, b"y")):
        etag = s3.upload_part(Bucket="told", Key="big", UploadId=upload, PartNumber=number, Body=body)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
    s3.complete_multipart_upload(Bucket="told", Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    s3.copy_object(Bucket="told", Key="copy", CopySource={"Bucket": "told", "Key": "big"})
    assert [(it.key, it.size, it.reason) for it in told] == [
        ("big", FIVE_MB + 1, "CompleteMultipartUpload"),
        ("copy", FIVE_MB + 1, "CopyObject"),
    ]
    assert {it.version_id for it in told} == {None}


def test_a_bucket_without_event_bridge_a_failed_put_and_a_deletion_are_not_told(
    endpoint: Endpoint, told: list[ObjectCreated]
) -> None:
    s3 = client(endpoint, "s3")
    s3.put_object(Bucket="untold", Key="k", Body=b"")
    s3.put_object(Bucket="told", Key="k", Body=b"")
    writes: tuple[Callable[[], object], ...] = (
        lambda: s3.put_object(Bucket="told", Key="k", Body=b"", IfNoneMatch="*"),
        lambda: s3.copy_object(Bucket="told", Key="k", CopySource="told/k", IfNoneMatch="*"),
    )
    for write in writes:
        with pytest.raises(ClientError, match="PreconditionFailed"):
            write()
    s3.delete_object(Bucket="told", Key="k")
    assert [(it.bucket, it.key) for it in told] == [("told", "k")]


def test_the_object_with_its_metadata_is_there_when_the_listener_is_called(endpoint: Endpoint) -> None:
    s3, seen = client(endpoint, "s3"), []

    def look(event: ObjectCreated) -> None:
        # From within the listener, by another request: nothing may be locked any more.
        seen.append(s3.head_object(Bucket=event.bucket, Key=event.key)["Metadata"])
        if event.key == "first":
            s3.put_object(Bucket="told", Key="second", Body=b"", Metadata={"m": "2"})

    stop = listen_to_objects(look)
    try:
        s3.put_object(Bucket="told", Key="first", Body=b"", Metadata={"m": "1"})
    finally:
        stop()
    s3.put_object(Bucket="told", Key="third", Body=b"")
    assert seen == [{"m": "1"}, {"m": "2"}]


def test_a_failing_listener_neither_fails_the_put_nor_the_other_listeners(
    endpoint: Endpoint, told: list[ObjectCreated], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: ObjectCreated) -> None:
        raise RuntimeError("on purpose")

    stop = listen_to_objects(fail)
    late: list[ObjectCreated] = []
    stop_late = listen_to_objects(late.append)
    client(endpoint, "s3").put_object(Bucket="told", Key="k", Body=b"")
    stop()
    stop_late()
    assert len(told) == len(late) == 1
    assert "A listener failed for s3://told/k" in caplog.text


def test_sequencers_order_the_versions_of_a_key_as_they_are_stored(
    endpoint: Endpoint, told: list[ObjectCreated], racing: None
) -> None:
    s3 = client(endpoint, "s3")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket="versioned", Key="race", Body=b"%d" % n), range(80)))
    by_sequencer = [it.version_id for it in sorted(told, key=lambda it: it.sequencer)]
    listed = s3.list_object_versions(Bucket="versioned", Prefix="race")["Versions"]
    assert by_sequencer[::-1] == [it["VersionId"] for it in listed]
    assert len({it.sequencer for it in told}) == 80
    assert all(int(it.sequencer, 16) and len(it.sequencer) == 16 for it in told)


def test_only_one_of_many_writers_creates_an_object_that_must_not_exist(
    endpoint: Endpoint, racing: None
) -> None:
    s3, barrier = client(endpoint, "s3"), threading.Barrier(8)
    body = b"x" * 500_000  # so that storing takes a while

    def write(number: int) -> bool:
        barrier.wait(10)
        try:
            s3.put_object(Bucket="untold", Key=f"once{number // 8}", Body=body, IfNoneMatch="*")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(48))) == 6


def test_notifications_other_than_event_bridge_are_refused(endpoint: Endpoint) -> None:
    queue = {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:q", "Events": ["s3:ObjectCreated:*"]}
    with pytest.raises(ClientError, match="notifies EventBridge only, not by QueueConfiguration"):
        client(endpoint, "s3").put_bucket_notification_configuration(
            Bucket="told", NotificationConfiguration={"QueueConfigurations": [queue]}
        )


def make_function(endpoint: Endpoint) -> str:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam, functions = client(endpoint, "iam"), client(endpoint, "lambda")
    try:
        return str(functions.get_function(FunctionName="silent")["Configuration"]["FunctionArn"])
    except ClientError:
        role = iam.create_role(RoleName="silent", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    return str(
        functions.create_function(
            FunctionName="silent",
            Runtime="python3.11",
            Handler="h.h",
            Role=role,
            Code={"ZipFile": b"zip"},
        )["FunctionArn"]
    )


def test_a_message_stays_in_a_queue_that_is_mapped_to_a_function(endpoint: Endpoint) -> None:
    make_function(endpoint)
    sqs, functions = client(endpoint, "sqs"), client(endpoint, "lambda")
    url = sqs.create_queue(QueueName="mapped")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="silent")
    sqs.send_message(QueueUrl=url, MessageBody="here")
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "here"
    with pytest.raises(ClientError, match="feeds functions from SQS only"):
        functions.create_event_source_mapping(
            EventSourceArn="arn:aws:kinesis:us-east-1:123456789012:stream/s", FunctionName="silent"
        )


def test_an_invocation_that_nobody_plays_is_an_error(endpoint: Endpoint) -> None:
    make_function(endpoint)
    with pytest.raises(ClientError, match="silent was not invoked"):
        client(endpoint, "lambda").invoke(FunctionName="silent", Payload=b"{}")


def test_put_events_that_nobody_plays_fail_instead_of_being_delivered(endpoint: Endpoint) -> None:
    events, sqs = client(endpoint, "events"), client(endpoint, "sqs")
    url = sqs.create_queue(QueueName="target")["QueueUrl"]
    events.put_rule(Name="r", EventPattern='{"source": ["me"]}')
    targets = [{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:123456789012:target"}]
    events.put_targets(Rule="r", Targets=targets)
    answer = events.put_events(Entries=[{"Source": "me", "DetailType": "Thing", "Detail": "{}"}])
    assert answer["FailedEntryCount"] == 1
    assert "no event bus is running" in answer["Entries"][0]["ErrorMessage"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
