"""What authorisation has to know of deployed resources: their ARNs, keys and owners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from localaws.endpoint import ACCOUNT, REGION


def _arn(kind: str, name: str) -> str:
    """The ARN of a `name`, which may be an ARN, if ARNs of this kind end in the name."""
    return name if name.startswith("arn:") else f"arn:aws:{kind}{name}"


_HERE = f"{REGION}:{ACCOUNT}"


@dataclass
class Lookups:
    """Defaults that know only names; replace a callable where more is known.

    `workgroup_arn`, `namespace_arn`: name ▸ ARN (on AWS it ends in an id, not in the name).
    `secret_arn`: name or partial ARN ▸ full ARN, with the random suffix. `key_arn`: id, alias or ARN ▸ key ARN.
    `role_arn`: name or ARN ▸ ARN. `bucket_key`: bucket ▸ ARN of the key it encrypts with, None for S3's own.
    `ciphertext_key`: ciphertext ▸ id of the key that made it. `partition_key`: (table, index) ▸ attribute name.
    `statement_owner`: Data API statement id ▸ the aws:userid that submitted it; None if it is not known.
    """

    workgroup_arn: Callable[[str], str] = lambda name: _arn(f"redshift-serverless:{_HERE}:workgroup/", name)
    namespace_arn: Callable[[str], str] = lambda name: _arn(f"redshift-serverless:{_HERE}:namespace/", name)
    secret_arn: Callable[[str], str] = lambda name: _arn(f"secretsmanager:{_HERE}:secret:", name)
    key_arn: Callable[[str], str] = lambda key_id: _arn(f"kms:{_HERE}:key/", key_id)
    role_arn: Callable[[str], str] = lambda name: _arn(f"iam::{ACCOUNT}:role/", name)
    bucket_key: Callable[[str], str | None] = lambda _: None
    ciphertext_key: Callable[[bytes], str | None] = lambda _: None
    partition_key: Callable[[str, str | None], str | None] = lambda _table, _index: None
    statement_owner: Callable[[str], str | None] = lambda _: None
