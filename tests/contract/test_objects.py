"""Objects in S3: exact versions, written once."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from contract.moto_aws import client, moto_endpoint, session  # noqa: F401
from fakes import FakeObjects
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


@pytest.mark.parametrize("size", [20, 6_000_000])
def test_a_part_of_a_version_is_read_by_offsets_and_may_end_behind_it(
    s3: Any, bucket: str, objects: Objects, size: int
) -> None:
    body = b"0123456789" * (size // 10)
    version = put(s3, bucket, KEY, body)
    put(s3, bucket, KEY, b"newer")
    assert objects.open_version(bucket, KEY, version, (3, 8)).read() == b"34567"
    assert objects.open_version(bucket, KEY, version, (size - 2, size + 9)).read() == b"89"
    assert objects.open_version(bucket, KEY, version).read() == body


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


def test_a_large_object_is_copied_in_one_request(s3: Any, bucket: str, objects: Objects) -> None:
    """A copy in parts is not atomic. An object made of parts has a dash in its ETag."""
    put(s3, bucket, "staging/large", b"x" * (9 << 20))
    objects.copy(bucket, "staging/large", "curated/large")
    copied = s3.head_object(Bucket=bucket, Key="curated/large")
    assert copied["ContentLength"] == 9 << 20
    assert "-" not in copied["ETag"]


def test_a_copy_of_what_was_uploaded_in_parts_is_read_whole(
    s3: Any, objects: Objects, bucket: str, tmp_path: Path
) -> None:
    """boto3 compares what it reads with the checksum that S3 tells: that of the copy, not of the source's parts."""
    (tmp_path / "large").write_bytes(bytes(range(256)) * (9 << 12))
    objects.upload(tmp_path / "large", bucket, "staging/parts")
    objects.copy(bucket, "staging/parts", "curated/parts")
    read = s3.get_object(Bucket=bucket, Key="curated/parts")["Body"].read()
    assert read == (tmp_path / "large").read_bytes()


# -- what the stand-in of the unit tests promises, too -----------------------------------------------------


class Stand:
    """S3 or its fake, with a versioned bucket."""

    def __init__(self, objects: Any, put: Any, remove: Any) -> None:
        self.objects, self.put, self.remove = objects, put, remove


@pytest.fixture(params=["real", "fake"])
def stand(request: pytest.FixtureRequest) -> Stand:
    if request.param == "fake":
        fake = FakeObjects(page=3)
        return Stand(
            fake,
            lambda key, body: fake.put("raw", key, body),
            lambda key, version: fake.remove_version("raw", key, version),
        )
    s3, bucket = request.getfixturevalue("s3"), request.getfixturevalue("bucket")
    real = InBucket(request.getfixturevalue("objects"), bucket)
    return Stand(
        real,
        lambda key, body: put(s3, bucket, key, body),
        lambda key, version: s3.delete_object(Bucket=bucket, Key=key, VersionId=version),
    )


class InBucket:
    """`Objects` whose bucket `raw` is another one; lists three versions at once."""

    def __init__(self, objects: Objects, bucket: str) -> None:
        self._objects, self._bucket = objects, bucket
        listing = objects._s3.list_object_versions
        objects._s3.list_object_versions = lambda **request: listing(**{**request, "MaxKeys": 3})

    def __getattr__(self, name: str) -> Any:
        return lambda bucket, *args, **more: getattr(self._objects, name)(self._bucket, *args, **more)


def pages(stand: Stand, prefix: str = "", after: str = "") -> list[list[tuple[str, str, int]]]:
    return [
        [(version.key, version.version_id, version.size) for version in page]
        for page in stand.objects.versions("raw", prefix, after)
    ]


def test_versions_come_by_key_the_newest_first_and_those_of_a_key_in_one_page(stand: Stand) -> None:
    wrote = [(f"k{n % 4}", b"x" * n) for n in range(10)]
    ids = [(key, stand.put(key, body), len(body)) for key, body in wrote]
    newest_first = ids[::-1]
    expected = sorted(newest_first, key=lambda version: version[0])
    found = pages(stand)
    assert [version for page in found for version in page] == expected
    keys = [{key for key, _, _ in page} for page in found]
    assert len(keys) > 1
    assert sum(map(len, keys)) == len(set().union(*keys)) == 4


def test_versions_below_a_prefix_and_after_a_key_are_listed_alone(stand: Stand) -> None:
    for key in ("a/1", "a/2", "a/3", "b/1"):
        stand.put(key, b"x")
    listed = [[version[0] for page in pages(stand, *where) for version in page] for where in WHERE]
    assert listed == [["a/1", "a/2", "a/3"], ["a/2", "a/3", "b/1"], ["a/3"], []]


WHERE = [("a/",), ("", "a/1"), ("a/", "a/2"), ("a/", "a/3")]


def test_delete_markers_are_no_versions_and_deleted_versions_are_gone(stand: Stand) -> None:
    first, second, other = stand.put("a", b"1"), stand.put("a", b"22"), stand.put("b", b"333")
    stand.objects.delete("raw", ["a"])
    assert pages(stand, "a") == [[("a", second, 2), ("a", first, 1)]]
    assert stand.objects.sizes("raw", "") == {"b": 3}
    stand.remove("a", first)
    stand.remove("b", other)
    assert pages(stand) == [[("a", second, 2)]]


def test_an_empty_listing_has_no_page(stand: Stand) -> None:
    assert pages(stand) == []


def test_folders_are_what_keys_begin_with_up_to_the_next_slash(stand: Stand) -> None:
    for key in ("inbox/d-1/1/x", "inbox/d-1/2/y", "inbox/d-2/1/x", "inbox/e-1/1/x", "inbox/d-file"):
        stand.put(key, b"x")
    assert stand.objects.folders("raw", "inbox/d-") == ["inbox/d-1", "inbox/d-2"]
    assert stand.objects.folders("raw", "inbox/") == ["inbox/d-1", "inbox/d-2", "inbox/e-1"]
    assert stand.objects.folders("raw", "nothing/") == []


def test_what_was_deleted_can_be_written_once_again(stand: Stand) -> None:
    assert stand.objects.put_json_once("raw", "m.json", {"n": 1}) is True
    stand.objects.delete("raw", ["m.json", "never-was"])
    assert stand.objects.get_json("raw", "m.json") is None
    assert stand.objects.put_json_once("raw", "m.json", {"n": 2}) is True
    assert stand.objects.put_json_once("raw", "m.json", {"n": 3}) is False
    assert stand.objects.get_json("raw", "m.json") == {"n": 2}


def test_what_json_has_no_word_for_is_refused(stand: Stand) -> None:
    with pytest.raises(TypeError):
        stand.objects.put_json("raw", "x.json", {"n": {1, 2}})
