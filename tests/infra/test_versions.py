"""ListObjectVersions gives every version once, newest first, however it is paged and whatever happens meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.s3.models import s3_backends

from infra.cloudformation_server import client, serving
from localaws.endpoint import ACCOUNT, Endpoint

Entry = tuple[str, str]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def s3(endpoint: Endpoint) -> Any:
    return client(endpoint, "s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    return versioned(s3)


def versioned(s3: Any) -> str:
    name = f"versions-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def fill(bucket: str, keys: list[str]) -> list[str]:
    """Store a version of each key, in this process; their ids."""
    backend = s3_backends[ACCOUNT]["aws"]
    return [str(backend.put_object(bucket, key, b"x").version_id) for key in keys]


def entries(page: dict[str, Any]) -> list[Entry]:
    """(key, version id) of a page that holds no delete markers."""
    return [(one["Key"], one["VersionId"]) for one in page.get("Versions", [])]


def pages(s3: Any, bucket: str, **asked: Any) -> list[dict[str, Any]]:
    return list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket, **asked))


def test_many_versions_of_one_key_come_newest_first_over_several_pages(s3: Any, bucket: str) -> None:
    before, after = fill(bucket, ["a"]), fill(bucket, ["c"])
    ids = fill(bucket, ["b"] * 2500)
    found = pages(s3, bucket)
    assert [len(entries(page)) for page in found] == [1000, 1000, 502]
    assert [one for page in found for one in entries(page)] == [
        ("a", before[0]),
        *(("b", one) for one in reversed(ids)),
        ("c", after[0]),
    ]
    latest = [one["VersionId"] for page in found for one in page["Versions"] if one["IsLatest"]]
    assert latest == [before[0], ids[-1], after[0]]


def test_more_than_a_thousand_keys_come_in_the_order_of_their_bytes(s3: Any, bucket: str) -> None:
    keys = [f"{letter}/{number}" for letter in ("Z", "a", "ä", "\U0001f600") for number in range(300)]
    fill(bucket, keys)
    found = [key for page in pages(s3, bucket) for key, _ in entries(page)]
    assert found == sorted(keys, key=str.encode)


def test_no_page_holds_more_than_a_thousand_whatever_is_asked_for(s3: Any, bucket: str) -> None:
    fill(bucket, ["a"] * 1001)
    page = s3.list_object_versions(Bucket=bucket, MaxKeys=5000)
    assert (len(page["Versions"]), page["MaxKeys"], page["IsTruncated"]) == (1000, 1000, True)
    nothing = s3.list_object_versions(Bucket=bucket, MaxKeys=0)
    assert (entries(nothing), nothing["IsTruncated"]) == ([], False)


def test_a_key_marker_alone_goes_on_with_the_next_key(s3: Any, bucket: str) -> None:
    ids = fill(bucket, ["a", "b", "b", "c", "c"])
    assert entries(s3.list_object_versions(Bucket=bucket, KeyMarker="b")) == [("c", ids[4]), ("c", ids[3])]
    assert len(entries(s3.list_object_versions(Bucket=bucket, KeyMarker="aa"))) == 4
    assert entries(s3.list_object_versions(Bucket=bucket, KeyMarker="d")) == []


def test_the_markers_of_a_page_are_its_last_version(s3: Any, bucket: str) -> None:
    ids = fill(bucket, ["a", "b", "b"])
    page = s3.list_object_versions(Bucket=bucket, MaxKeys=2)
    assert (page["NextKeyMarker"], page["NextVersionIdMarker"]) == ("b", ids[2])
    rest = s3.list_object_versions(Bucket=bucket, KeyMarker="b", VersionIdMarker=ids[2])
    assert entries(rest) == [("b", ids[1])]
    assert (rest["IsTruncated"], "NextKeyMarker" in rest) == (False, False)


def test_a_bucket_is_emptied_page_by_page(s3: Any, bucket: str) -> None:
    fill(bucket, [f"{number % 7}" for number in range(2345)])
    deleted = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        doomed = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in page["Versions"]]
        deleted += len(s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed})["Deleted"])
    assert deleted == 2345
    assert pages(s3, bucket)[0].get("Versions") is None


def test_delete_markers_are_listed_beside_the_versions_they_hide(s3: Any, bucket: str) -> None:
    (version,) = fill(bucket, ["a"])
    marker = s3.delete_object(Bucket=bucket, Key="a")["VersionId"]
    page = s3.list_object_versions(Bucket=bucket)
    assert [(one["VersionId"], one["IsLatest"]) for one in page["Versions"]] == [(version, False)]
    assert [(one["VersionId"], one["IsLatest"]) for one in page["DeleteMarkers"]] == [(marker, True)]
    first = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    assert ("Versions" in first, len(first["DeleteMarkers"])) == (False, 1)


def test_keys_that_look_encoded_come_back_as_they_are(s3: Any, bucket: str) -> None:
    keys = ["a b", "a%20b", "a+b", "ü/?&<>", "é"]
    fill(bucket, keys)
    assert sorted(key for page in pages(s3, bucket) for key, _ in entries(page)) == sorted(keys)


def test_common_prefixes_count_and_are_paged_like_versions(s3: Any, bucket: str) -> None:
    fill(bucket, ["x/a/1", "x/a/2", "x/b", "x/c/1", "x/d/1", "y"])
    found = pages(s3, bucket, Prefix="x/", Delimiter="/", PaginationConfig={"PageSize": 2})
    shown = [
        ([one["Prefix"] for one in page.get("CommonPrefixes", [])], [key for key, _ in entries(page)])
        for page in found
    ]
    assert shown == [(["x/a/"], ["x/b"]), (["x/c/", "x/d/"], [])]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"VersionIdMarker": "v"}, "without a key marker"),
        ({"KeyMarker": "a", "VersionIdMarker": "v"}, "Invalid version id"),
        ({"MaxKeys": -1}, "max-keys"),
    ],
)
def test_markers_and_sizes_that_make_no_sense_are_refused(
    s3: Any, bucket: str, asked: dict[str, Any], says: str
) -> None:
    with pytest.raises(ClientError, match=says) as caught:
        s3.list_object_versions(Bucket=bucket, **asked)
    assert caught.value.response["Error"]["Code"] == "InvalidArgument"


KEYS = st.lists(st.sampled_from(["a", "a/1", "a/2", "b", "b/1", "c"]), max_size=25)


@settings(max_examples=60, deadline=None)
@given(keys=KEYS, size=st.integers(1, 4), chance=st.data())
def test_all_pages_together_are_the_whole_whatever_is_deleted_between_them(
    endpoint: Endpoint, keys: list[str], size: int, chance: st.DataObject
) -> None:
    bucket, backend = versioned(client(endpoint, "s3")), s3_backends[ACCOUNT]["aws"]
    ids = fill(bucket, keys)
    expected = sorted(zip(keys, range(len(keys)), ids, strict=True), key=lambda one: (one[0], -one[1]))
    found: list[Entry] = []
    key_marker = version_marker = None
    while True:
        listed, _, _, key_marker, version_marker = backend.list_object_versions(
            bucket, key_marker=key_marker, version_id_marker=version_marker, max_keys=size
        )
        found += [(one.name, one.version_id) for one in listed]
        if key_marker is None:
            break
        for key, version in chance.draw(st.lists(st.sampled_from(found), max_size=2)):
            backend.delete_object(bucket, key, version_id=version)
    assert found == [(key, version) for key, _, version in expected]
