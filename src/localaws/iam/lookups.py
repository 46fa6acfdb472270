"""What authorisation must know about deployed things beyond the request: their ARNs, keys and owners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from localaws.endpoint import ACCOUNT, REGION


def _workgroup_arn(name: str) -> str:
    return f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/{name}"


def _namespace_arn(name: str) -> str:
    return f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:namespace/{name}"


def _secret_arn(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}"


def _key_arn(key_id: str) -> str:
    return key_id if key_id.startswith("arn:") else f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"


def _role_arn(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:iam::{ACCOUNT}:role/{name}"


def _unknown(_: object) -> None:
    return None


def _no_partition_key(_table: str, _index: str | None) -> None:
    return None


@dataclass
class Lookups:
    """Replace a callable to teach the authoriser where to look.

    `workgroup_arn`, `namespace_arn`: name ▸ ARN (on AWS it ends in an id, not in the name).
    `secret_arn`: name or partial ARN ▸ full ARN, with the random suffix. `key_arn`: id, alias or ARN ▸ key
    ARN. `bucket_key`: bucket ▸ ARN of the key it encrypts with, None for S3's own. `ciphertext_key`: ciphertext ▸
    id of the key that made it. `role_arn`: name or ARN ▸ ARN.
    `partition_key`: (table, index) ▸ attribute name. `statement_owner`: Data API statement id ▸ the
    aws:userid that submitted it; None counts as the caller's own.
    """

    workgroup_arn: Callable[[str], str] = _workgroup_arn
    namespace_arn: Callable[[str], str] = _namespace_arn
    secret_arn: Callable[[str], str] = _secret_arn
    key_arn: Callable[[str], str] = _key_arn
    bucket_key: Callable[[str], str | None] = _unknown
    ciphertext_key: Callable[[bytes], str | None] = _unknown
    role_arn: Callable[[str], str] = _role_arn
    partition_key: Callable[[str, str | None], str | None] = _no_partition_key
    statement_owner: Callable[[str], str | None] = _unknown
