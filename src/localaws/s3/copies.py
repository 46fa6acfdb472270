"""CopyObject: a checksum of the copy's own, and conditions on the destination. moto has neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.s3.exceptions import PreconditionFailed
from moto.s3.models import FakeKey, S3Backend
from moto.s3.utils import compute_checksum


def copy_with_checksum(
    copy: Callable[..., None],
    backend: S3Backend,
    source: FakeKey,
    bucket: str,
    key: str,
    *rest: Any,
    **more: Any,
) -> None:
    """The copy of an object that was uploaded in parts is one object: its checksum is that of all its bytes.

    moto gives it that of the source's parts, by which readers find it damaged. AWS docs: "Checking object integrity
    for data uploads in Amazon S3".
    """
    copy(backend, source, bucket, key, *rest, **more)
    if source.checksum_type == "COMPOSITE":
        made = backend.get_object(bucket, key)
        assert made is not None
        checksum = compute_checksum(made.value, source.checksum_algorithm)
        made.checksum_value = checksum.decode() if isinstance(checksum, bytes) else checksum
        made.checksum_type = "FULL_OBJECT"


def copy_if(copy: Callable[[Any], Any], response: Any) -> Any:
    """Raises PreconditionFailed for If-None-Match and If-Match. AWS docs: "Conditional writes"."""
    existing = response.backend.get_object(response.bucket_name, response.parse_key_name())
    if response.headers.get("If-None-Match") == "*" and existing is not None:
        raise PreconditionFailed("If-None-Match")
    match = response.headers.get("If-Match")
    if match and (existing is None or existing.etag.strip('"') != match.strip('"')):
        raise PreconditionFailed("If-Match")
    return copy(response)
