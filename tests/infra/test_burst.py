"""Thousands of objects are stored at once, and their events take the usual way."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from typing import Any

import pytest

from infra.stack_kit import Stage, running_stage, stage  # noqa: F401
from localaws.errors import LocalAwsError


def details(stage: Stage, url: str) -> list[dict[str, Any]]:  # noqa: F811
    return [json.loads(body)["detail"] for body in stage.bodies(url)]


def test_an_object_stored_straight_is_what_put_object_stores(stage: Stage) -> None:  # noqa: F811
    bucket, s3 = stage.bucket(), stage.client("s3")
    url, arn = stage.queue()
    stage.rule("aws.s3", arn)
    s3.put_object(Bucket=bucket, Key="d/ü +.csv", Body=b"body")
    assert stage.aws.put_objects(bucket, [("d/ü +.csv", b"body")]) == 1
    assert stage.aws.wait_idle(20)
    usual, straight = details(stage, url)
    new, old = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert {straight["object"]["version-id"], usual["object"]["version-id"]} == {
        new["VersionId"],
        old["VersionId"],
    }
    assert straight["object"]["version-id"] == new["VersionId"]
    assert straight["object"]["sequencer"] > usual["object"]["sequencer"]
    differing = {"version-id", "sequencer"}
    assert _without(straight["object"], differing) == _without(usual["object"], differing)
    assert _without(straight, {"object", "request-id"}) == _without(usual, {"object", "request-id"})
    heads = [s3.head_object(Bucket=bucket, Key="d/ü +.csv", VersionId=one["VersionId"]) for one in (new, old)]
    compared = ("ContentLength", "ContentType", "ETag", "Metadata")
    assert [heads[0][name] for name in compared] == [heads[1][name] for name in compared]
    assert s3.get_object(Bucket=bucket, Key="d/ü +.csv")["Body"].read() == b"body"


def _without(found: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


def test_events_are_repeated_and_lost_as_wanted(stage: Stage) -> None:  # noqa: F811
    bucket, (url, arn) = stage.bucket(), stage.queue()
    stage.rule("aws.s3", arn)
    items = [(f"k{number}", b"x") for number in range(4)]
    assert stage.aws.put_objects(bucket, items, repeat=lambda number: number) == 6
    assert stage.aws.wait_idle(20)
    found = stage.bodies(url)
    counted = Counter(json.loads(body)["detail"]["object"]["key"] for body in found)
    assert counted == {"k1": 1, "k2": 2, "k3": 3}
    assert len({json.loads(body)["id"] for body in found}) == 3  # a repeated event is the same event
    assert stage.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 4


def test_a_bucket_whose_events_go_nowhere_only_stores(stage: Stage) -> None:  # noqa: F811
    bucket = stage.bucket(events=False)
    assert stage.aws.put_objects(bucket, [("a", b"1"), ("a", b"2")]) == 0
    assert stage.lines(bucket) == ["1", "2"]


def test_a_missing_bucket_is_named(stage: Stage) -> None:  # noqa: F811
    with pytest.raises(LocalAwsError, match="s3://nowhere/a"):
        stage.aws.put_objects("nowhere", [("a", b"")])


def test_a_burst_is_stored_sent_and_drained_in_batches_within_seconds(stage: Stage) -> None:  # noqa: F811
    told, bucket = stage.bucket(events=False), stage.bucket()
    _, arn, _ = stage.mapped(
        f"""
        import boto3, json
        s3 = boto3.client("s3")
        def handler(event, context):
            keys = [json.loads(one["body"])["detail"]["object"]["key"] for one in event["Records"]]
            s3.put_object(Bucket="{told}", Key="x", Body=json.dumps(keys).encode())
        """,
        "s3:PutObject",
        queue={"VisibilityTimeout": "720"},
        BatchSize=1000,
        MaximumBatchingWindowInSeconds=1,
    )
    stage.rule("aws.s3", arn)
    began = time.process_time()
    stage.aws.put_objects(bucket, ((f"k{number}", b"x" * 500) for number in range(1500)))
    assert stage.aws.wait_idle(60)
    # Object by object over HTTP this takes half a minute.
    assert time.process_time() - began < 20
    batches = [json.loads(line) for line in stage.lines(told)]
    assert sorted(key for keys in batches for key in keys) == sorted(f"k{number}" for number in range(1500))
    assert len(batches) < 10


def test_no_version_is_lost_when_others_of_its_key_are_deleted(stage: Stage) -> None:  # noqa: F811
    bucket, s3 = stage.bucket(events=False), stage.client("s3")
    doomed = [s3.put_object(Bucket=bucket, Key="a", Body=b"x")["VersionId"] for _ in range(60)]

    def delete() -> None:
        for version in doomed:
            s3.delete_object(Bucket=bucket, Key="a", VersionId=version)

    deleting = threading.Thread(target=delete)
    deleting.start()
    stage.aws.put_objects(bucket, (("a", f"{number}".encode()) for number in range(2000)))
    deleting.join()
    kept = {version["ETag"].strip('"') for version in versions(s3, bucket)}
    assert kept == {hashlib.md5(f"{number}".encode()).hexdigest() for number in range(2000)}


def versions(s3: Any, bucket: str) -> list[dict[str, Any]]:
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return [one for page in pages for one in page["Versions"]]
