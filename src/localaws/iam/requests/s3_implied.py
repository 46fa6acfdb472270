"""Permissions beyond the action itself: to learn that an object is missing, and to use a bucket's KMS key."""

from __future__ import annotations

from localaws.endpoint import ACCOUNT
from localaws.iam.call import Call
from localaws.iam.lookups import Lookups
from localaws.iam.policy import Need

_KEY_ACTIONS = {
    "s3:GetObject": ("Decrypt",),
    "s3:GetObjectVersion": ("Decrypt",),
    "s3:PutObject": ("GenerateDataKey",),
}


def listing_needs(need: Need) -> list[Need]:
    """With which permissions a reader gets 404 for a missing object or version, rather than 403.

    AWS docs, GetObject and HeadObject: without s3:ListBucket a missing key answers 403. A ListBucket that depends on
    s3:prefix counts if the prefix is the key itself: no page says so; github.com/kopia/kopia/pull/3072 reports it and
    github.com/ceph/ceph/pull/68577 reproduces it, to match AWS. Whether a missing version takes s3:ListBucket or
    s3:ListBucketVersions no page says: here it takes both.
    """
    if need.action not in ("s3:GetObject", "s3:GetObjectVersion"):
        return []
    bucket, _, key = need.resource.partition("/")
    actions = ["ListBucket"] + ["ListBucketVersions"] * (need.action == "s3:GetObjectVersion")
    return [Need(f"s3:{action}", bucket, {"s3:prefix": key}) for action in actions]


def key_needs(call: Call, found: list[Need], lookups: Lookups) -> list[Need]:
    """What reading and writing a bucket that encrypts with a KMS key also needs, on the key.

    AWS docs, "Using server-side encryption with AWS KMS keys (SSE-KMS)": kms:GenerateDataKey to upload, kms:Decrypt
    to download, both for a multipart upload. By the bucket's default, not by what an object was written with.
    """
    needed: list[Need] = []
    for need in found:
        actions = _KEY_ACTIONS.get(need.action, ())
        if need.context.get("s3:objectcreationoperation") == "false":
            actions = (*actions, "Decrypt")
        key = (
            lookups.bucket_key(need.resource.removeprefix("arn:aws:s3:::").split("/")[0]) if actions else None
        )
        if key:
            context = {"kms:viaservice": f"s3.{call.region}.amazonaws.com", "kms:calleraccount": ACCOUNT}
            needed += [Need(f"kms:{action}", key, context) for action in actions]
    return needed
