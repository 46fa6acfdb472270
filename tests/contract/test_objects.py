"""Objects in S3: exact versions, written once."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from contract.moto_aws import client, moto_endpoint, session  # noqa: F401
from gluebook.aws.objects import Objects
from localaws.endpoint import Endpoint


@pytest.fixture
def s3(endpoint: Endpoint) -> Any:
    return client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    """A versioned bucket of its own for every test."""
    name = f"raw-{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def objects(endpoint: Endpoint) -> Objects:
    return Objects(session())


def put(s3: Any, bucket: str, key: str, body: bytes) -> str:
    version: str = s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
    return version


KEY = "support_tickets/servicenow/dt=2026-01-05/März 1+2 100%.csv"


def test_the_exact_bytes_of_a_version_are_read_though_a_newer_one_lies_on_top(
    s3: Any, bucket: str, objects: Objects
) -> None:
    first, second = put(s3, bucket, KEY, b"old"), put(s3, bucket, KEY, b"new")
    assert objects.open_version(bucket, KEY, first).read() == b"old"
    assert objects.open_version(bucket, KEY, second).read() == b"new"


def test_a_version_is_read_though_its_object_was_deleted(s3: Any, bucket: str, objects: Objects) -> None:
    version = put(s3, bucket, KEY, b"old")
    s3.delete_object(Bucket=bucket, Key=KEY)
    assert objects.open_version(bucket, KEY, version).read() == b"old"


def test_a_version_comes_as_a_stream(s3: Any, bucket: str, objects: Objects) -> None:
    version = put(s3, bucket, KEY, b"x" * 100_000)
    stream = objects.open_version(bucket, KEY, version)
    assert [len(stream.read(60_000)), len(stream.read(60_000)), stream.read(60_000)] == [60_000, 40_000, b""]


def test_a_version_that_is_gone_is_named(s3: Any, bucket: str, objects: Objects) -> None:
    version = put(s3, bucket, KEY, b"old")
    put(s3, bucket, KEY, b"new")
    s3.delete_object(Bucket=bucket, Key=KEY, VersionId=version)
    with pytest.raises(FileNotFoundError, match=f"has no version {version}"):
        objects.open_version(bucket, KEY, version)


def test_an_object_that_never_was_is_named(bucket: str, objects: Objects) -> None:
    with pytest.raises(FileNotFoundError, match=f"s3://{bucket}/nothing has no version"):
        objects.open_version(bucket, "nothing", str(uuid.uuid4()))


def test_what_is_written_once_stays_as_it_was(bucket: str, objects: Objects) -> None:
    assert objects.put_json_once(bucket, "manifests/b.json", {"entries": ["ä"]}) is True
    assert objects.put_json_once(bucket, "manifests/b.json", {"entries": []}) is False
    assert objects.get_json(bucket, "manifests/b.json") == {"entries": ["ä"]}


def test_what_is_written_always_is_replaced(bucket: str, objects: Objects) -> None:
    objects.put_json(bucket, "results/b.json", {"n": 1})
    objects.put_json(bucket, "results/b.json", {"n": 2})
    assert objects.get_json(bucket, "results/b.json") == {"n": 2}


def test_a_document_that_is_not_there_is_none(bucket: str, objects: Objects) -> None:
    assert objects.get_json(bucket, "nothing.json") is None


def test_a_listing_has_every_page(
    s3: Any, bucket: str, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        put(s3, bucket, f"staging/b/{number}", b"x" * number)
    put(s3, bucket, "staging/b2/0", b"other")
    listing = objects._s3.list_objects_v2
    monkeypatch.setattr(
        objects._s3, "list_objects_v2", lambda **request: listing(**{**request, "MaxKeys": 3})
    )
    assert objects.sizes(bucket, "staging/b/") == {f"staging/b/{number}": number for number in range(7)}
    assert objects.sizes(bucket, "nothing/") == {}


def test_files_go_up_are_copied_come_down_and_are_removed(
    bucket: str, objects: Objects, tmp_path: Path
) -> None:
    (tmp_path / "up").write_bytes(b"rows")
    objects.upload(tmp_path / "up", bucket, "staging/a b+c.parquet")
    objects.copy(bucket, "staging/a b+c.parquet", "curated/d.parquet")
    objects.download(bucket, "curated/d.parquet", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == b"rows"
    objects.delete(bucket, ["staging/a b+c.parquet", "staging/never-was"])
    assert objects.sizes(bucket, "") == {"curated/d.parquet": 4}
