"""S3: 404 or 403 for what is missing, keys with any character."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from verify_aws.kit import Place, allow, answer_of

STRANGE_KEY = "dt=2026-01-05/a b+c%41\u00fc\n\x01.json"


def probes(place: Place) -> Iterator[tuple[str, str]]:
    """(probe, answer)"""
    yield from _missing(place)
    yield from _keys(place)


def _missing(place: Place) -> Iterator[tuple[str, str]]:
    bucket = place.bucket("missing", versioned=True)
    arn, s3 = f"arn:aws:s3:::{bucket}", place.client("s3")
    s3.put_object(Bucket=bucket, Key="there/file", Body=b"x")
    gone = s3.put_object(Bucket=bucket, Key="here/file", Body=b"x")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="here/file", VersionId=gone)
    read = allow(["s3:GetObject", "s3:GetObjectVersion"], f"{arn}/*")
    listing = {
        "without ListBucket": (),
        "with ListBucket of the key's prefix": (
            allow(["s3:ListBucket", "s3:ListBucketVersions"], arn, StringLike={"s3:prefix": ["here/*"]}),
        ),
        "with ListBucket of another prefix": (
            allow(["s3:ListBucket", "s3:ListBucketVersions"], arn, StringLike={"s3:prefix": ["there/*"]}),
        ),
    }
    for number, (grants, statements) in enumerate(listing.items()):
        mine = place.client("s3", place.role(f"missing-{number}", read, *statements))
        place.eventually(partial(mine.get_object, Bucket=bucket, Key="there/file"))
        key = {"Bucket": bucket, "Key": "here/file"}
        version = {**key, "VersionId": gone}
        yield f"s3: read a missing key {grants}", answer_of(partial(mine.get_object, **key))
        yield (
            f"s3: head a missing key {grants}",
            answer_of(partial(mine.head_object, **key)),
        )
        yield (
            f"s3: read a missing version {grants}",
            answer_of(partial(mine.get_object, **version)),
        )


def _keys(place: Place) -> Iterator[tuple[str, str]]:
    bucket, s3 = place.bucket("keys", versioned=True), place.client("s3")
    s3.put_object(Bucket=bucket, Key=STRANGE_KEY, Body=b"x")
    listed = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    yield (
        "s3: a key with control characters is listed",
        "as it is" if listed == [STRANGE_KEY] else str(listed),
    )
    listed = [one["Key"] for one in s3.list_object_versions(Bucket=bucket)["Versions"]]
    yield "s3: its versions are listed", "as it is" if listed == [STRANGE_KEY] else str(listed)
