"""The record of a role's requests, as CloudTrail delivers it; delivered here by the test."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from localaws.s3 import ObjectCreated, listen_to_objects
from verify_aws import requests
from verify_aws.kit import Place, allow, answer_of
from verify_aws.laptop import on_laptop
from verify_aws.requests import Requests, Trail, record, requests_of


def event(name: str, role: str = "job", error: str | None = None, **parameters: str) -> dict[str, Any]:
    """A data event. Source: AWS CloudTrail User Guide, "CloudTrail record contents"."""
    return {
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"userName": role}}},
        "requestParameters": {"bucketName": "lake", **parameters},
        **({"errorCode": error} if error else {}),
    }


def test_requests_are_told_by_the_actions_that_they_need() -> None:
    found = requests_of(
        [
            event("HeadObject", key="staging/a"),
            event("HeadObject", error="NoSuchKey", key="staging/b"),
            event("ListObjects", prefix="staging/a/"),
            event("CopyObject", key="staging/a"),
            event("GetBucketLocation"),
            event("ListObjects", error="AccessDenied", prefix="staging/"),
            event("DeleteObjects", error="AccessDenied"),
            event("PutObject", role="another", key="staging/c"),
            {"eventName": "PutObject", "userIdentity": {"type": "AWSService"}},
        ],
        "job",
    )
    assert found == Requests(
        frozenset({"s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:GetBucketLocation"}),
        frozenset({"s3:ListBucket of staging/", "s3:DeleteObject of the bucket"}),
    )


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with on_laptop() as made:
        yield made


def test_the_laptop_names_what_a_role_has_used_and_what_it_was_refused(place: Place) -> None:
    bucket = place.bucket("asked")
    recorder = record(place, bucket)
    keys = place.role("asking", allow("s3:PutObject", f"arn:aws:s3:::{bucket}/a/*"))
    s3 = place.client("s3", keys)
    assert answer_of(lambda: s3.put_object(Bucket=bucket, Key="a/1", Body=b"")) == "ok"
    assert answer_of(lambda: s3.get_object(Bucket=bucket, Key="a/1")) == "403 AccessDenied"
    assert answer_of(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="a/")) == "403 AccessDenied"
    assert recorder.made_by(f"{place.name}-asking", "a/1") == Requests(
        frozenset({"s3:PutObject"}), frozenset({"s3:GetObject of a/1", "s3:ListBucket of the bucket"})
    )


def test_a_trail_is_complete_when_the_last_request_is_delivered(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "_DELIVERY", timedelta(0))
    monkeypatch.setattr(requests, "_PATIENCE_SECONDS", 30)
    bucket, s3 = place.bucket("data"), place.client("s3")
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )

    def deliver(number: int, *events: dict[str, Any]) -> None:
        body = gzip.compress(json.dumps({"Records": events}).encode())
        s3.put_object(Bucket=f"{place.name}-trail", Key=f"AWSLogs/1/CloudTrail/{number}.json.gz", Body=body)

    def created(one: ObjectCreated) -> None:
        recorded = event("PutObject", role="deployer", key=one.key)
        threading.Thread(target=deliver, args=(1, recorded)).start()

    stop = listen_to_objects(created)
    try:
        trail = Trail(place, bucket)
    finally:
        stop()
    monkeypatch.setattr(requests, "_PATIENCE_SECONDS", 0.3)
    with pytest.raises(TimeoutError, match="the record of last"):
        trail.made_by("job", "last")
    deliver(2, event("PutObject", key="last"))
    deliver(3, event("GetObject", key="first"))
    assert trail.made_by("job", "last") == Requests(frozenset({"s3:GetObject", "s3:PutObject"}), frozenset())
