"""AWS::S3::Bucket and AWS::S3::BucketPolicy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..resource import Change, Existing, Made, Place, Properties, ResourceType, TemplateError
from ..shapes import call, truth


def _notification(value: Mapping[str, Any]) -> dict[str, Any]:
    _only(value, "NotificationConfiguration", {"EventBridgeConfiguration"})
    inner = value.get("EventBridgeConfiguration", {"EventBridgeEnabled": False})
    _only(inner, "NotificationConfiguration.EventBridgeConfiguration", {"EventBridgeEnabled"})
    return {"EventBridgeConfiguration": {}} if truth(inner.get("EventBridgeEnabled", True)) else {}


def _encryption_rules(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    key = "ServerSideEncryptionConfiguration"
    rules = []
    for rule in _only(value, "BucketEncryption", {key})[key]:
        renamed = dict(
            _only(rule, f"BucketEncryption.{key}", {"ServerSideEncryptionByDefault", "BucketKeyEnabled"})
        )
        renamed["ApplyServerSideEncryptionByDefault"] = renamed.pop("ServerSideEncryptionByDefault")
        rules.append(renamed)
    return rules


_RULE = {
    "AbortIncompleteMultipartUpload",
    "ExpirationDate",
    "ExpirationInDays",
    "ExpiredObjectDeleteMarker",
    "Id",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "Prefix",
    "Status",
    "TagFilters",
    "Transitions",
}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as CloudFormation writes it, as PutBucketLifecycleConfiguration takes it."""
    where = "LifecycleConfiguration.Rules"
    _only(rule, where, _RULE)
    if "NoncurrentVersionExpiration" in rule:
        # NewerNoncurrentVersions would be lost: the laptop's S3 doesn't keep it.
        _only(rule["NoncurrentVersionExpiration"], f"{where}.NoncurrentVersionExpiration", {"NoncurrentDays"})
    same = {"AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "Status"}
    result = {key: value for key, value in rule.items() if key in same}
    if "Id" in rule:
        result["ID"] = rule["Id"]
    expiration = {
        name: rule[key]
        for key, name in (
            ("ExpirationInDays", "Days"),
            ("ExpirationDate", "Date"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        )
        if key in rule
    }
    if expiration:
        result["Expiration"] = expiration
    for plural, names in (
        ("Transitions", {"TransitionInDays": "Days", "TransitionDate": "Date"}),
        ("NoncurrentVersionTransitions", {"TransitionInDays": "NoncurrentDays"}),
    ):
        if plural in rule:
            result[plural] = [{names.get(key, key): it[key] for key in it} for it in rule[plural]]
    return {**result, "Filter": _filter(rule)}


def _filter(rule: Mapping[str, Any]) -> dict[str, Any]:
    tags, prefix = rule.get("TagFilters", []), rule.get("Prefix", "")
    if not tags:
        return {"Prefix": prefix}
    if len(tags) == 1 and not prefix:
        return {"Tag": tags[0]}
    return {"And": {"Prefix": prefix, "Tags": tags}}


def _only(value: Mapping[str, Any], path: str, known: set[str]) -> Mapping[str, Any]:
    unknown = sorted(set(value) - known)
    if unknown:
        raise TemplateError(f"Encountered unsupported property {', '.join(unknown)} in {path}")
    return value


def _lifecycle(value: Mapping[str, Any]) -> dict[str, Any]:
    rules = _only(value, "LifecycleConfiguration", {"Rules"})["Rules"]
    return {"Rules": [_lifecycle_rule(rule) for rule in rules]}


@dataclass(frozen=True)
class _Aspect:
    """A property of a bucket that has operations of its own: `put` with `member`, and `delete`."""

    put: str
    member: str
    delete: str
    convert: Callable[[Any], Any] = lambda value: value
    without: Mapping[str, Any] = field(default_factory=dict)  # what `delete` takes besides the bucket


_ASPECTS = {
    "BucketEncryption": _Aspect(
        "PutBucketEncryption",
        "ServerSideEncryptionConfiguration",
        "DeleteBucketEncryption",
        lambda value: {"Rules": _encryption_rules(value)},
    ),
    "LifecycleConfiguration": _Aspect(
        "PutBucketLifecycleConfiguration", "LifecycleConfiguration", "DeleteBucketLifecycle", _lifecycle
    ),
    "NotificationConfiguration": _Aspect(
        "PutBucketNotificationConfiguration",
        "NotificationConfiguration",
        "PutBucketNotificationConfiguration",
        _notification,
        {"NotificationConfiguration": {}},
    ),
    "OwnershipControls": _Aspect(
        "PutBucketOwnershipControls", "OwnershipControls", "DeleteBucketOwnershipControls"
    ),
    "PublicAccessBlockConfiguration": _Aspect(
        "PutPublicAccessBlock", "PublicAccessBlockConfiguration", "DeletePublicAccessBlock"
    ),
    "Tags": _Aspect("PutBucketTagging", "Tagging", "DeleteBucketTagging", lambda value: {"TagSet": value}),
    # A bucket that had versions keeps them: AWS suspends versioning as well.
    "VersioningConfiguration": _Aspect(
        "PutBucketVersioning",
        "VersioningConfiguration",
        "PutBucketVersioning",
        without={"VersioningConfiguration": {"Status": "Suspended"}},
    ),
}


class Bucket(ResourceType):
    """Notifications go to EventBridge only; deleting the bucket deletes what is in it."""

    type_name = "AWS::S3::Bucket"
    implemented = frozenset({"BucketName", *_ASPECTS})
    attributes = frozenset({"Arn", "DomainName", "RegionalDomainName", "DualStackDomainName"})
    name_property = "BucketName"
    name_limit = 63
    name_lower = True

    def create(self, at: Place, properties: Properties) -> Made:
        s3, name = at.client("s3"), properties["BucketName"]
        # CreateBucket of a bucket one has already answers 200 in us-east-1; CloudFormation refuses it.
        if name in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
            raise TemplateError(f"{name} already exists")
        where = (
            {}
            if at.region == "us-east-1"
            else {"CreateBucketConfiguration": {"LocationConstraint": at.region}}
        )
        s3.create_bucket(Bucket=name, **where)
        try:
            for aspect in set(properties) - {"BucketName"}:
                self._put(s3, name, aspect, properties[aspect])
        except BaseException:
            s3.delete_bucket(Bucket=name)
            raise
        return Made(
            name,
            {
                "Arn": f"arn:aws:s3:::{name}",
                "DomainName": f"{name}.s3.amazonaws.com",
                "RegionalDomainName": f"{name}.s3.{at.region}.amazonaws.com",
                "DualStackDomainName": f"{name}.s3.dualstack.{at.region}.amazonaws.com",
            },
        )

    def update(self, at: Place, change: Change) -> Made:
        s3 = at.client("s3")
        for aspect in change.changed:
            if aspect in change.new:
                self._put(s3, change.made.ref, aspect, change.new[aspect])
            else:
                removed = _ASPECTS[aspect]
                call(s3, removed.delete, {"Bucket": change.made.ref, **removed.without})
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        s3 = at.client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=existing.made.ref):
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if versions:
                objects = [{"Key": it["Key"], "VersionId": it["VersionId"]} for it in versions]
                s3.delete_objects(Bucket=existing.made.ref, Delete={"Objects": objects, "Quiet": True})
        s3.delete_bucket(Bucket=existing.made.ref)

    def _put(self, s3: Any, bucket: str, name: str, value: Any) -> None:
        aspect = _ASPECTS[name]
        call(s3, aspect.put, {"Bucket": bucket, aspect.member: aspect.convert(value)})


class BucketPolicy(ResourceType):
    """A bucket's one policy."""

    type_name = "AWS::S3::BucketPolicy"
    deletes = ("s3", "DeleteBucketPolicy", "Bucket")

    def create(self, at: Place, properties: Properties) -> Made:
        self._put(at, properties)
        return Made(str(properties["Bucket"]))

    def update(self, at: Place, change: Change) -> Made:
        self._put(at, change.new)
        return change.made

    def _put(self, at: Place, properties: Properties) -> None:
        policy = json.dumps(properties["PolicyDocument"])
        at.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=policy)
