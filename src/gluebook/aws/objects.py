"""Objects in S3: read by version, written once, copied on the server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from boto3.s3.transfer import TransferConfig
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import ClientError

from gluebook.aws.sessions import new_session
from gluebook.core.model import ObjectVersion

_CONFLICT_TRIES = 3
_IN_ONE_REQUEST = TransferConfig(multipart_threshold=5 << 30)
# The limit of DeleteObjects.
_DELETED_AT_ONCE = 1000


class Objects:
    """The S3 operations of the pipeline."""

    def __init__(self, session: Session | None = None) -> None:
        # boto3 uses path style with an endpoint: a laptop's endpoint has no DNS name for each bucket.
        self._s3 = (session or new_session()).client(
            "s3", config=Config(max_pool_connections=32, retries={"mode": "standard", "max_attempts": 5})
        )

    def open_version(
        self, bucket: str, key: str, version_id: str, part: tuple[int, int] | None = None
    ) -> BinaryIO:
        """The exact bytes of one version, as a stream. Raises FileNotFoundError if it is gone.

        `part`: those from the first of two offsets up to the second, if there are any.
        """
        ranged = {"Range": f"bytes={part[0]}-{part[1] - 1}"} if part else {}
        try:
            found = self._s3.get_object(Bucket=bucket, Key=key, VersionId=version_id, **ranged)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion", "404"):
                raise FileNotFoundError(f"s3://{bucket}/{key} has no version {version_id}") from None
            raise
        body: BinaryIO = found["Body"]
        return body

    def sizes(self, bucket: str, prefix: str) -> dict[str, int]:
        """Keys below `prefix` and their sizes in bytes."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """The common prefixes of the keys below `prefix`, up to the next slash and without it."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, Delimiter="/"
        )
        return [item["Prefix"].rstrip("/") for page in pages for item in page.get("CommonPrefixes", [])]

    def versions(self, bucket: str, prefix: str, after: str = "") -> Iterator[list[ObjectVersion]]:
        """Versions of all objects below `prefix` whose keys come after `after`, page by page.

        Ordered by key, then newest first; all versions of a key are in one page. Delete markers are
        left out.
        """
        request = {"Bucket": bucket, "Prefix": prefix, **({"KeyMarker": after} if after else {})}
        held: list[ObjectVersion] = []
        for page in self._s3.get_paginator("list_object_versions").paginate(**request):
            held += [
                ObjectVersion(item["Key"], item["VersionId"], item["Size"])
                for item in page.get("Versions", [])
            ]
            # The last key may continue in the next page.
            whole = [version for version in held if version.key != held[-1].key]
            if whole:
                yield whole
                held = held[len(whole) :]
        if held:
            yield held

    def upload(self, path: Path, bucket: str, key: str) -> None:
        """Upload a local file, in parts if it is large."""
        self._s3.upload_file(str(path), bucket, key)

    def download(self, bucket: str, key: str, path: Path) -> None:
        """Download an object to a local file."""
        self._s3.download_file(bucket, key, str(path))

    def copy(self, bucket: str, source: str, target: str) -> None:
        """Copy within a bucket, on the server: in one request, or in parts above 5 GB.

        A copy in one request is atomic; a copy in parts may finish long after its source was deleted. Source: AWS
        docs, "CopyObject": up to 5 GB in a single atomic action.
        """
        self._s3.copy({"Bucket": bucket, "Key": source}, bucket, target, Config=_IN_ONE_REQUEST)

    def put_json(self, bucket: str, key: str, value: Any) -> None:
        """Write a JSON document, replacing any existing object."""
        self._s3.put_object(Bucket=bucket, Key=key, Body=_json(value), ContentType="application/json")

    def put_text(self, bucket: str, key: str, text: str, content_type: str) -> None:
        """Write a text as UTF-8, replacing any existing object; browsers use `content_type`."""
        self._s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType=content_type)

    def put_json_once(self, bucket: str, key: str, value: Any) -> bool:
        """Write a JSON document unless the key exists (If-None-Match). False if it does."""
        for attempt in range(_CONFLICT_TRIES):
            try:
                self._s3.put_object(
                    Bucket=bucket, Key=key, Body=_json(value), ContentType="application/json", IfNoneMatch="*"
                )
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in ("PreconditionFailed", "412"):
                    return False
                # Another request is writing or deleting the key: S3 asks for a retry.
                if code != "ConditionalRequestConflict" or attempt == _CONFLICT_TRIES - 1:
                    raise
            else:
                return True
        raise AssertionError("unreachable: the last attempt returns or raises")

    def get_json(self, bucket: str, key: str) -> Any:
        """A JSON document; None if there is none."""
        try:
            return json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except self._s3.exceptions.NoSuchKey:
            return None

    def delete(self, bucket: str, keys: Iterable[str]) -> None:
        """Delete objects, up to 1,000 with one request; missing keys are ignored."""
        left = list(keys)
        for start in range(0, len(left), _DELETED_AT_ONCE):
            wanted = [{"Key": key} for key in left[start : start + _DELETED_AT_ONCE]]
            answer = self._s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted, "Quiet": True})
            for refused in answer.get("Errors", []):
                raise ClientError(
                    {
                        "Error": {
                            "Code": refused["Code"],
                            "Message": f"{refused['Key']}: {refused['Message']}",
                        }
                    },
                    "DeleteObjects",
                )


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode()
