"""S3's CopyObject gives the copy a checksum of its own; moto gives it that of the source's parts.

AWS docs, "Checking object integrity for data uploads in Amazon S3": the copy of an object that was uploaded in parts
is one object, so its checksum is the one of all its bytes. With moto's, whoever reads the copy finds it damaged.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from moto.s3.models import FakeKey, S3Backend
from moto.s3.utils import compute_checksum


@cache
def install() -> None:
    """Mend moto's S3, in this process, for good. Calling it again changes nothing."""
    S3Backend.copy_object = _with_checksum_of_its_own(S3Backend.copy_object)


def _with_checksum_of_its_own(copy: Callable[..., None]) -> Callable[..., None]:
    @wraps(copy)
    def copied(backend: S3Backend, source: FakeKey, bucket: str, key: str, *rest: Any, **more: Any) -> None:
        copy(backend, source, bucket, key, *rest, **more)
        if source.checksum_type == "COMPOSITE":
            made = backend.get_object(bucket, key)
            assert made is not None
            checksum = compute_checksum(made.value, source.checksum_algorithm)
            made.checksum_value = checksum.decode() if isinstance(checksum, bytes) else checksum
            made.checksum_type = "FULL_OBJECT"

    return copied
