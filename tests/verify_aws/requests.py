"""Which requests a role makes of a bucket: by CloudTrail's data events on AWS, by the authorizer on a laptop."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from localaws.iam import UsageReport
from verify_aws.kit import Place, allow

# CloudTrail delivers about every five minutes, "within an average of about 5 minutes" of a request.
_DELIVERY = timedelta(minutes=5)
_PATIENCE_SECONDS = 1200.0
# What a request needs; others need the action of their own name. Source: Amazon S3 User Guide, "Required permissions
# for Amazon S3 API operations".
_ACTIONS = {
    "HeadObject": ("s3:GetObject",),
    "ListObjects": ("s3:ListBucket",),
    "ListObjectsV2": ("s3:ListBucket",),
    "HeadBucket": ("s3:ListBucket",),
    "CreateMultipartUpload": ("s3:PutObject",),
    "UploadPart": ("s3:PutObject",),
    "CompleteMultipartUpload": ("s3:PutObject",),
    "CopyObject": ("s3:GetObject", "s3:PutObject"),
    "UploadPartCopy": ("s3:GetObject", "s3:PutObject"),
    "DeleteObjects": ("s3:DeleteObject",),
    "ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
}


@dataclass(frozen=True)
class Requests:
    """`actions`: what was needed and allowed; `refused`: "<action> of <key or prefix>" of what was denied."""

    actions: frozenset[str]
    refused: frozenset[str]


class Recorder(Protocol):
    """Records the requests that are made of one bucket."""

    def made_by(self, role: str, last_key: str) -> Requests:
        """The requests of a role, given by its name, up to the one that stored `last_key`."""
        ...


def record(place: Place, bucket: str) -> Recorder:
    """Record the requests that are made of a bucket from now on."""
    if place.laptop is not None:
        return _Reported(place.laptop.report, f"arn:aws:s3:::{bucket}")
    return Trail(place, bucket)


@dataclass(frozen=True)
class _Reported:
    """The authorizer's report. It is complete as soon as the requests are answered."""

    report: Callable[[], UsageReport]
    bucket_arn: str

    def made_by(self, role: str, last_key: str) -> Requests:
        found = self.report()
        actions = {
            one.action
            for one in found.grants
            if one.role == role and one.used and one.resource.startswith(self.bucket_arn)
        }
        refused = {
            f"{one.action} of {one.resource.removeprefix(self.bucket_arn).lstrip('/') or 'the bucket'}"
            for one in found.denied
            if one.role == role and one.resource.startswith(self.bucket_arn)
        }
        return Requests(frozenset(actions), frozenset(refused))


class Trail:
    """A trail of the data events of one bucket, and the bucket to which they are delivered.

    Data events are not part of CloudTrail's event history. Source: AWS CloudTrail User Guide, "Logging data events".
    """

    def __init__(self, place: Place, bucket: str) -> None:
        self._place, self._bucket = place, bucket
        self._logs = place.bucket("trail")
        name = f"{place.name}-trail"
        self._let_in(f"arn:aws:cloudtrail:{place.region}:{place.account}:trail/{name}")
        trail = place.client("cloudtrail")
        # Refused until the bucket's policy is in force.
        place.eventually(
            lambda: trail.create_trail(Name=name, S3BucketName=self._logs, IncludeGlobalServiceEvents=False)
        )
        place.later(lambda: trail.delete_trail(Name=name))
        selected = {
            "eventCategory": {"Equals": ["Data"]},
            "resources.type": {"Equals": ["AWS::S3::Object"]},
            "resources.ARN": {"StartsWith": [f"arn:aws:s3:::{bucket}/"]},
        }
        fields = [{"Field": name, **of} for name, of in selected.items()]
        trail.put_event_selectors(
            TrailName=name, AdvancedEventSelectors=[{"Name": "the bucket", "FieldSelectors": fields}]
        )
        trail.start_logging(Name=name)
        self._wait_until_it_records()

    def _let_in(self, trail_arn: str) -> None:
        """The bucket policy that CloudTrail asks for: User Guide, "Amazon S3 bucket policy for CloudTrail"."""
        arn = f"arn:aws:s3:::{self._logs}"
        service = {"Principal": {"Service": "cloudtrail.amazonaws.com"}}
        mine = {"aws:SourceArn": trail_arn}
        put = {**mine, "s3:x-amz-acl": "bucket-owner-full-control"}
        statements = [
            {**allow("s3:GetBucketAcl", arn, StringEquals=mine), **service},
            {**allow("s3:PutObject", f"{arn}/AWSLogs/*", StringEquals=put), **service},
        ]
        self._place.client("s3").put_bucket_policy(
            Bucket=self._logs, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements})
        )

    def _wait_until_it_records(self) -> None:
        """A new trail takes a while: without this the first requests would be missing."""
        s3 = self._place.client("s3")

        def recorded() -> bool:
            s3.put_object(Bucket=self._bucket, Key="recorded", Body=b"")
            return _stored(self._records(), "recorded")

        self._place.until("the trail's first record", recorded, _PATIENCE_SECONDS)

    def made_by(self, role: str, last_key: str) -> Requests:
        """See Recorder. Records are delivered in no order, so it also waits until no more are delivered."""

        def complete() -> bool:
            quiet = datetime.now(UTC) - max(self._delivered().values()) > _DELIVERY
            return quiet and _stored(self._records(), last_key)

        self._place.until(f"the record of {last_key}", complete, _PATIENCE_SECONDS)
        return requests_of(self._records(), role)

    def _delivered(self) -> dict[str, datetime]:
        """The log files, and when each was delivered."""
        pages = self._place.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self._logs)
        return {
            one["Key"]: one["LastModified"]
            for page in pages
            for one in page.get("Contents", [])
            if one["Key"].endswith(".json.gz")
        }

    def _records(self) -> Iterator[Mapping[str, Any]]:
        s3 = self._place.client("s3")
        for key in self._delivered():
            body = s3.get_object(Bucket=self._logs, Key=key)["Body"].read()
            yield from json.loads(gzip.decompress(body))["Records"]


def _stored(records: Iterable[Mapping[str, Any]], key: str) -> bool:
    return any(
        one["eventName"] == "PutObject" and (one.get("requestParameters") or {}).get("key") == key
        for one in records
    )


def requests_of(records: Iterable[Mapping[str, Any]], role: str) -> Requests:
    """A role's requests, of records of S3's data events.

    Source: AWS CloudTrail User Guide, "CloudTrail record contents"; the session issuer is the role.
    """
    actions: set[str] = set()
    refused: set[str] = set()
    for one in records:
        issuer = one.get("userIdentity", {}).get("sessionContext", {}).get("sessionIssuer", {})
        if issuer.get("userName") != role:
            continue
        needed = _ACTIONS.get(one["eventName"], (f"s3:{one['eventName']}",))
        if one.get("errorCode") == "AccessDenied":
            asked = one.get("requestParameters") or {}
            refused |= {
                f"{action} of {asked.get('key') or asked.get('prefix') or 'the bucket'}" for action in needed
            }
        else:
            actions |= set(needed)
    return Requests(frozenset(actions), frozenset(refused))
