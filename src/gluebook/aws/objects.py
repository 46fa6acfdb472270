"""Objects in S3: read by version, written once, copied on the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


class Objects:
    """S3 as the pipeline uses it."""

    def __init__(self, session: boto3.session.Session | None = None) -> None:
        # Path style, where an endpoint is given: a laptop's endpoint has no name per bucket.
        self._s3 = (session or boto3.session.Session()).client(
            "s3", config=Config(max_pool_connections=32, retries={"mode": "standard", "max_attempts": 5})
        )

    def open_version(self, bucket: str, key: str, version_id: str) -> BinaryIO:
        """The exact bytes of one version, as a stream. Raises FileNotFoundError if it is gone."""
        try:
            body: BinaryIO = self._s3.get_object(Bucket=bucket, Key=key, VersionId=version_id)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion", "404"):
                raise FileNotFoundError(f"s3://{bucket}/{key} has no version {version_id}") from None
            raise
        return body

    def sizes(self, bucket: str, prefix: str) -> dict[str, int]:
        """Keys below `prefix` and their sizes in bytes."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def upload(self, path: Path, bucket: str, key: str) -> None:
        """Put a local file, in parts if it is large."""
        self._s3.upload_file(str(path), bucket, key)

    def download(self, bucket: str, key: str, path: Path) -> None:
        """Get an object into a local file."""
        self._s3.download_file(bucket, key, str(path))

    def copy(self, bucket: str, source: str, target: str) -> None:
        """Copy within a bucket, on the server; in parts above 5 GB."""
        self._s3.copy({"Bucket": bucket, "Key": source}, bucket, target)

    def put_json(self, bucket: str, key: str, value: Any) -> None:
        """Write a JSON document, whatever was there."""
        self._s3.put_object(Bucket=bucket, Key=key, Body=_json(value), ContentType="application/json")

    def put_json_once(self, bucket: str, key: str, value: Any) -> bool:
        """Write a JSON document if nothing is there yet (If-None-Match). False if something was."""
        try:
            self._s3.put_object(
                Bucket=bucket, Key=key, Body=_json(value), ContentType="application/json", IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "412"):
                return False
            raise
        return True

    def get_json(self, bucket: str, key: str) -> Any:
        """A JSON document; None if there is none."""
        try:
            return json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except self._s3.exceptions.NoSuchKey:
            return None

    def delete(self, bucket: str, keys: Iterator[str] | list[str]) -> None:
        """Remove objects; those that aren't there don't matter."""
        for key in keys:
            self._s3.delete_object(Bucket=bucket, Key=key)


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode()
