"""S3 through the Authorizer: real boto3 clients against a real moto server."""

from __future__ import annotations

import io
from typing import Any

import pytest
from werkzeug import Response

from unit.localaws.iam_laptop import (
    ACCOUNT,
    REGION,
    Laptop,
    allow,
    code,
    document,
    http,
    message,
    role_name,
    running,
    unique,
)


def test_a_role_may_do_what_its_policy_says_and_nothing_else(laptop: Laptop) -> None:
    bucket = laptop.bucket("raw/a", "other/b")
    s3 = laptop.as_role("s3", allow("s3:GetObject", f"arn:aws:s3:::{bucket}/raw/*"))
    assert s3.get_object(Bucket=bucket, Key="raw/a")["Body"].read() == b"raw/a"
    assert code(s3.get_object, Bucket=bucket, Key="other/b") == "AccessDenied"
    assert code(s3.put_object, Bucket=bucket, Key="raw/a", Body=b"x") == "AccessDenied"
    assert code(s3.head_object, Bucket=bucket, Key="other/b") == "403"
    assert laptop.client("s3").get_object(Bucket=bucket, Key="raw/a")["Body"].read() == b"raw/a"


def test_a_refusal_says_who_what_and_where(laptop: Laptop) -> None:
    bucket = laptop.bucket("a")
    arn = laptop.role()
    s3 = laptop.client("s3", laptop.authorizer.assume(arn, "lambda.amazonaws.com", "admit"))
    assert message(s3.get_object, Bucket=bucket, Key="a") == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role_name(arn)}/admit is not authorized to perform: "
        f"s3:GetObject on resource: arn:aws:s3:::{bucket}/a "
        "because no identity-based policy allows the s3:GetObject action"
    )


def test_a_listing_is_limited_by_its_prefix(laptop: Laptop) -> None:
    bucket = laptop.bucket("curated/a", "raw/b")
    only_curated = {"StringLike": {"s3:prefix": "curated/*"}}
    s3 = laptop.as_role("s3", allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", only_curated))
    assert s3.list_objects_v2(Bucket=bucket, Prefix="curated/")["KeyCount"] == 1
    assert code(s3.list_objects_v2, Bucket=bucket, Prefix="raw/") == "AccessDenied"
    assert code(s3.list_objects_v2, Bucket=bucket) == "AccessDenied"


def test_listing_versions_is_a_right_of_its_own_limited_by_its_prefix(laptop: Laptop) -> None:
    bucket = laptop.bucket("curated/a", "raw/b")
    arn = f"arn:aws:s3:::{bucket}"
    only_curated = {"StringLike": {"s3:prefix": "curated/*"}}
    s3 = laptop.as_role("s3", allow("s3:ListBucketVersions", arn, only_curated))
    assert len(s3.list_object_versions(Bucket=bucket, Prefix="curated/")["Versions"]) == 1
    assert code(s3.list_object_versions, Bucket=bucket, Prefix="raw/") == "AccessDenied"
    assert code(s3.list_object_versions, Bucket=bucket) == "AccessDenied"
    assert code(s3.list_objects_v2, Bucket=bucket, Prefix="curated/") == "AccessDenied"
    lister = laptop.as_role("s3", allow("s3:ListBucket", arn))
    assert code(lister.list_object_versions, Bucket=bucket) == "AccessDenied"


def test_deleting_an_object_is_judged_by_its_key_and_its_version_by_a_right_of_its_own(
    laptop: Laptop,
) -> None:
    bucket = laptop.bucket("mine/a", "theirs/a")
    s3 = laptop.as_role("s3", allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/mine/*"))
    assert code(s3.delete_object, Bucket=bucket, Key="theirs/a") == "AccessDenied"
    assert code(s3.delete_object, Bucket=bucket, Key="mine/a", VersionId="null") == "AccessDenied"
    assert code(s3.delete_object, Bucket=bucket, Key="mine/a") == ""
    left = laptop.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [one["Key"] for one in left] == ["theirs/a"]


def test_a_missing_object_is_only_missing_to_those_who_may_list(laptop: Laptop) -> None:
    bucket = laptop.bucket()
    read = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    blind = laptop.as_role("s3", read)
    assert code(blind.get_object, Bucket=bucket, Key="gone") == "AccessDenied"
    assert code(blind.head_object, Bucket=bucket, Key="gone") == "403"
    assert code(blind.get_object, Bucket=unique("none"), Key="gone") == "AccessDenied"
    seeing = laptop.as_role("s3", read, allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
    assert code(seeing.get_object, Bucket=bucket, Key="gone") == "NoSuchKey"
    assert code(seeing.head_object, Bucket=bucket, Key="gone") == "404"


def test_a_listing_limited_by_prefix_tells_what_is_missing_where_the_prefix_is_the_key_itself(
    laptop: Laptop,
) -> None:
    bucket = laptop.bucket()
    arn = f"arn:aws:s3:::{bucket}"
    mine = {"StringLike": {"s3:prefix": "mine/*"}}
    s3 = laptop.as_role("s3", allow("s3:GetObject", f"{arn}/*"), allow("s3:ListBucket", arn, mine))
    assert code(s3.get_object, Bucket=bucket, Key="mine/gone") == "NoSuchKey"
    assert code(s3.head_object, Bucket=bucket, Key="mine/gone") == "404"
    assert code(s3.get_object, Bucket=bucket, Key="theirs/gone") == "AccessDenied"
    assert code(s3.head_object, Bucket=bucket, Key="theirs/gone") == "403"
    assert "s3:ListBucket on resource" in message(s3.get_object, Bucket=bucket, Key="theirs/gone")
    without_prefix = {"Null": {"s3:prefix": "true"}}
    blind = laptop.as_role(
        "s3", allow("s3:GetObject", f"{arn}/*"), allow("s3:ListBucket", arn, without_prefix)
    )
    assert code(blind.get_object, Bucket=bucket, Key="mine/gone") == "AccessDenied"


@pytest.mark.parametrize(
    ("listing", "found"),
    [
        (("s3:ListBucket", "s3:ListBucketVersions"), ("NoSuchVersion", "404")),
        (("s3:ListBucket",), ("AccessDenied", "403")),
        (("s3:ListBucketVersions",), ("AccessDenied", "403")),
        ((), ("AccessDenied", "403")),
    ],
)
def test_a_version_that_was_deleted_is_only_missing_to_those_who_may_list_keys_and_versions(
    laptop: Laptop, listing: tuple[str, ...], found: tuple[str, str]
) -> None:
    bucket = laptop.bucket()
    owner = laptop.client("s3")
    owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    gone, kept = (owner.put_object(Bucket=bucket, Key="a", Body=b"x")["VersionId"] for _ in range(2))
    owner.delete_object(Bucket=bucket, Key="a", VersionId=gone)
    read = allow("s3:GetObjectVersion", f"arn:aws:s3:::{bucket}/*")
    listed = [
        allow(action, f"arn:aws:s3:::{bucket}", {"StringLike": {"s3:prefix": "a*"}}) for action in listing
    ]
    s3 = laptop.as_role("s3", read, *listed)
    assert code(s3.get_object, Bucket=bucket, Key="a", VersionId=kept) == ""
    assert code(s3.get_object, Bucket=bucket, Key="a", VersionId=gone) == found[0]
    assert code(s3.head_object, Bucket=bucket, Key="a", VersionId=gone) == found[1]


def test_the_report_counts_what_told_that_an_object_is_missing_and_what_hid_it(laptop: Laptop) -> None:
    bucket = laptop.bucket()
    arn = f"arn:aws:s3:::{bucket}"
    read = allow("s3:GetObject", f"{arn}/*")
    listing = allow("s3:ListBucket", arn, {"StringLike": {"s3:prefix": "mine/*"}})
    role = laptop.role(read, listing)
    s3 = laptop.client("s3", laptop.authorizer.assume(role, "lambda.amazonaws.com", "tests"))
    code(s3.get_object, Bucket=bucket, Key="mine/gone")
    code(s3.get_object, Bucket=bucket, Key="theirs/gone")
    report = laptop.authorizer.report()
    used = [one.count for one in report.used if (one.role, one.action) == (role_name(role), "s3:ListBucket")]
    denied = [
        one.count for one in report.denied if (one.role, one.action) == (role_name(role), "s3:ListBucket")
    ]
    assert (used, denied) == ([1], [1])


@pytest.mark.parametrize(
    ("granted", "reads", "writes", "parts"),
    [
        ((), "AccessDenied", "AccessDenied", "AccessDenied"),
        (("kms:Decrypt",), "", "AccessDenied", "AccessDenied"),
        (("kms:GenerateDataKey",), "AccessDenied", "", "AccessDenied"),
        (("kms:Decrypt", "kms:GenerateDataKey"), "", "", ""),
    ],
)
def test_a_bucket_that_encrypts_with_a_key_needs_permission_on_the_key_too(
    laptop: Laptop, granted: tuple[str, ...], reads: str, writes: str, parts: str
) -> None:
    key = laptop.client("kms").create_key()["KeyMetadata"]["Arn"]
    bucket = laptop.bucket("a")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    laptop.client("s3").put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    on_key = [allow(action, key, through_s3) for action in granted]
    s3 = laptop.as_role("s3", allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{bucket}/*"), *on_key)
    assert code(s3.get_object, Bucket=bucket, Key="a") == reads
    assert code(s3.put_object, Bucket=bucket, Key="b", Body=b"x") == writes
    assert code(s3.create_multipart_upload, Bucket=bucket, Key="c") == parts


def test_copying_a_version_needs_the_source_version_and_the_target(laptop: Laptop) -> None:
    bucket = laptop.bucket()
    owner = laptop.client("s3")
    owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = owner.put_object(Bucket=bucket, Key="raw/ü 1", Body=b"old")["VersionId"]
    owner.put_object(Bucket=bucket, Key="raw/ü 1", Body=b"new")
    put = allow("s3:PutObject", f"arn:aws:s3:::{bucket}/inbox/*")
    source = f"arn:aws:s3:::{bucket}/raw/*"
    newest = {"Bucket": bucket, "Key": "raw/ü 1"}

    def copies(client: Any, copy_source: dict[str, str]) -> str:
        return code(client.copy_object, Bucket=bucket, Key="inbox/x", CopySource=copy_source)

    reads_newest = laptop.as_role("s3", put, allow("s3:GetObject", source))
    reads_versions = laptop.as_role("s3", put, allow("s3:GetObjectVersion", source))
    assert copies(reads_newest, newest) == ""
    assert copies(reads_newest, {**newest, "VersionId": version}) == "AccessDenied"
    assert copies(reads_versions, newest) == "AccessDenied"
    assert copies(laptop.as_role("s3", put), newest) == "AccessDenied"
    assert copies(reads_versions, {**newest, "VersionId": version}) == ""
    assert owner.get_object(Bucket=bucket, Key="inbox/x")["Body"].read() == b"old"


def test_a_multipart_upload_is_allowed_as_a_put_and_can_be_denied(laptop: Laptop) -> None:
    bucket = laptop.bucket()
    s3 = laptop.as_role("s3", allow("s3:PutObject", f"arn:aws:s3:::{bucket}/up/*"))
    upload = s3.create_multipart_upload(Bucket=bucket, Key="up/x")["UploadId"]
    where = {"Bucket": bucket, "Key": "up/x", "UploadId": upload}
    tag = s3.upload_part(**where, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]})
    assert code(s3.abort_multipart_upload, **where) == "AccessDenied"
    assert code(s3.create_multipart_upload, Bucket=bucket, Key="down/x") == "AccessDenied"


def test_a_large_denied_upload_is_answered_and_not_cut_off(laptop: Laptop) -> None:
    bucket = laptop.bucket()
    s3 = laptop.as_role("s3")
    assert code(s3.put_object, Bucket=bucket, Key="x", Body=bytes(20_000_000)) == "AccessDenied"


def test_a_denied_upload_is_read_to_its_end_in_small_pieces() -> None:
    class Upload(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1) -> bytes:
            self.largest = max(self.largest, size if size is not None and size >= 0 else 1 << 62)
            return super().read(size)

    upload = Upload(bytes(1_000_000))
    environ = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/bucket/key",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=STRANGER/20260101/{REGION}/s3/aws4_request",
        "CONTENT_LENGTH": "1000000",
        "wsgi.input": upload,
    }
    with running() as laptop:
        assert Response.from_app(laptop.authorizer, environ).status == "403 FORBIDDEN"
    assert upload.tell() == 1_000_000
    assert upload.largest <= 65536


def test_a_bulk_delete_deletes_what_it_may_and_names_the_rest(laptop: Laptop) -> None:
    bucket = laptop.bucket("mine/a", "mine/b", "theirs/<c>&")
    s3 = laptop.as_role("s3", allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/mine/*"))

    def delete(*keys: str) -> Any:
        return s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})

    mixed = delete("mine/a", "theirs/<c>&")
    assert [one["Key"] for one in mixed["Deleted"]] == ["mine/a"]
    assert [(one["Key"], one["Code"]) for one in mixed["Errors"]] == [("theirs/<c>&", "AccessDenied")]
    none = delete("theirs/<c>&")
    assert "Deleted" not in none
    assert len(none["Errors"]) == 1
    assert "Errors" not in delete("mine/b")
    left = laptop.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [one["Key"] for one in left] == ["theirs/<c>&"]


def test_bulk_deleting_versions_needs_the_versions_action(laptop: Laptop) -> None:
    bucket = laptop.bucket()
    owner = laptop.client("s3")
    owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = owner.put_object(Bucket=bucket, Key="a", Body=b"1")["VersionId"]
    s3 = laptop.as_role("s3", allow("s3:DeleteObject"))
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a", "VersionId": version}]})
    assert answer["Errors"][0]["VersionId"] == version
    assert owner.get_object(Bucket=bucket, Key="a", VersionId=version)["Body"].read() == b"1"


def test_a_presigned_url_acts_as_the_one_who_signed_it(laptop: Laptop) -> None:
    bucket = laptop.bucket("a", "b")
    s3 = laptop.as_role("s3", allow("s3:GetObject", f"arn:aws:s3:::{bucket}/a"))
    keys = laptop.acting(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/a"))
    version_4 = laptop.new_client("s3", keys, signature_version="s3v4")
    for client in (s3, version_4):
        for key, status in (("a", 200), ("b", 403)):
            url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
            assert http(url)[0] == status
    assert http(f"{laptop.endpoint.url}/{bucket}/a")[0] == 403


def test_presigned_urls_can_be_forbidden_by_a_bucket_policy(laptop: Laptop) -> None:
    bucket = laptop.bucket("a")
    no_urls = allow(
        "s3:*", f"arn:aws:s3:::{bucket}/*", {"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}, "Deny"
    )
    laptop.client("s3").put_bucket_policy(Bucket=bucket, Policy=document({**no_urls, "Principal": "*"}))
    s3 = laptop.as_role("s3", allow("s3:GetObject"))
    assert code(s3.get_object, Bucket=bucket, Key="a") == ""
    assert http(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"}))[0] == 403


def test_a_bucket_policy_is_judged_with_its_conditions_and_binds_no_deployer(laptop: Laptop) -> None:
    bucket = laptop.bucket("a")
    tls_only = allow("s3:*", f"arn:aws:s3:::{bucket}/*", {"Bool": {"aws:SecureTransport": "false"}}, "Deny")
    everything = {**allow("s3:*", f"arn:aws:s3:::{bucket}/*", effect="Deny"), "Principal": "*"}
    owner, s3 = laptop.client("s3"), laptop.as_role("s3", allow("s3:*"))
    owner.put_bucket_policy(Bucket=bucket, Policy=document({**tls_only, "Principal": "*"}))
    assert code(s3.get_object, Bucket=bucket, Key="a") == ""
    owner.put_bucket_policy(Bucket=bucket, Policy=document(everything))
    assert code(s3.get_object, Bucket=bucket, Key="a") == "AccessDenied"
    assert code(owner.get_object, Bucket=bucket, Key="a") == ""
    assert "Errors" not in owner.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}]})


def test_a_bucket_policy_gives_takes_and_works_at_once(laptop: Laptop) -> None:
    bucket = laptop.bucket("a")
    arn = laptop.role()
    s3 = laptop.client("s3", laptop.authorizer.assume(arn, "lambda.amazonaws.com", "tests"))
    owner = laptop.client("s3")
    assert code(s3.get_object, Bucket=bucket, Key="a") == "AccessDenied"
    gives = {**allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), "Principal": {"AWS": arn}}
    owner.put_bucket_policy(Bucket=bucket, Policy=document(gives))
    assert code(s3.get_object, Bucket=bucket, Key="a") == ""
    takes = {**gives, "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    owner.put_bucket_policy(Bucket=bucket, Policy=document(gives, takes))
    assert "explicit deny in a resource-based policy" in message(s3.get_object, Bucket=bucket, Key="a")
    owner.delete_bucket_policy(Bucket=bucket)
    assert code(s3.get_object, Bucket=bucket, Key="a") == "AccessDenied"
