"""The deployed roles and policies, read from the moto server in this process.

Nothing is remembered but the reading of a document, by its text: whatever way a policy was changed (API call,
stack update, another thread), the next request is judged by the new one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from localaws.endpoint import ACCOUNT, REGION
from localaws.errors import ApiError, NotSupported
from localaws.iam.lookups import Lookups
from localaws.iam.policy import Policy
from localaws.iam.statements import Kind


@dataclass(frozen=True)
class Role:
    """A deployed role. `policies`: (name, policy), inline and attached; `tags`: keys in lower case."""

    name: str
    arn: str
    role_id: str
    trust: Policy
    policies: tuple[tuple[str, Policy], ...]
    boundary: Policy | None
    tags: tuple[tuple[str, str], ...]
    max_session_seconds: int


class Deployed(Protocol):
    """Where roles and policies are read from."""

    def role(self, name: str) -> Role:
        """Raises ApiError NoSuchEntity if there is no such role."""
        ...

    def roles(self) -> list[str]: ...

    def resource_policy(self, action: str, arn: str) -> Policy | None:
        """The policy that hangs on the resource, if it has one."""
        ...


class MotoDeployed:
    """Reads moto's backends of account ACCOUNT. Thread-safe: takes copies, holds nothing."""

    def role(self, name: str) -> Role:
        for role in list(_iam().roles.values()):
            if role.name == name:
                return _read_role(role)
        raise ApiError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)

    def roles(self) -> list[str]:
        return sorted(role.name for role in list(_iam().roles.values()))

    def resource_policy(self, action: str, arn: str) -> Policy | None:
        """Of a bucket, queue, topic, secret, key or function; of a role: its trust policy."""
        service, region, resource = _parts(arn)
        if service == "iam":
            return self.role(resource.rpartition("/")[2]).trust if action == "sts:AssumeRole" else None
        read = _RESOURCE_POLICIES.get(service)
        document = read(region or REGION, arn, resource) if read else None
        return _policy(document, "resource") if document else None


def moto_lookups() -> Lookups:
    """Lookups that ask moto, where moto knows; the rest keeps its defaults."""
    defaults = Lookups()

    def secret_arn(name: str) -> str:
        secret = _secret(REGION, name)
        return str(secret.arn) if secret else defaults.secret_arn(name)

    def role_arn(name: str) -> str:
        found = [role.arn for role in list(_iam().roles.values()) if role.name == name]
        return str(found[0]) if found else defaults.role_arn(name)

    return Lookups(
        secret_arn=secret_arn,
        role_arn=role_arn,
        key_arn=lambda key: _key_arn(key) or defaults.key_arn(key),
        bucket_key=_bucket_key,
        ciphertext_key=_ciphertext_key,
        partition_key=_partition_key,
    )


@lru_cache(maxsize=2048)
def _read(text: str, kind: Kind) -> Policy:
    return Policy.parse(text, kind)


def _policy(document: Any, kind: Kind) -> Policy:
    if isinstance(document, bytes):
        document = document.decode()
    return _read(document if isinstance(document, str) else json.dumps(document, sort_keys=True), kind)


def _read_role(role: Any) -> Role:
    try:
        return _role(role)
    except (NotSupported, ApiError) as error:
        raise NotSupported(f"role {role.name!r} has a policy that can't be judged here: {error}") from error


def _role(role: Any) -> Role:
    attached = [(one.name, _default_version(one)) for one in list(role.managed_policies.values())]
    policies = [*list(role.policies.items()), *attached]
    tags = role.tags.values() if isinstance(role.tags, dict) else role.tags or []
    return Role(
        name=role.name,
        arn=role.arn,
        role_id=role.id,
        trust=_policy(role.assume_role_policy_document, "trust"),
        policies=tuple((name, _policy(document, "identity")) for name, document in policies),
        boundary=_boundary(role.permissions_boundary_arn),
        tags=tuple((tag["Key"].lower(), tag["Value"]) for tag in tags),
        max_session_seconds=int(role.max_session_duration or 3600),
    )


def _boundary(arn: str | None) -> Policy | None:
    if not arn:
        return None
    if arn not in _iam().managed_policies:
        raise NotSupported(f"permissions boundary {arn} is not deployed: deploy it or take it off the role")
    return _policy(_default_version(_iam().managed_policies[arn]), "identity")


def _default_version(policy: Any) -> Any:
    return next(one.document for one in policy.versions if one.version_id == policy.default_version_id)


def _parts(arn: str) -> tuple[str, str, str]:
    """(service, region, resource) of an ARN, empty where it has none."""
    parts = [*arn.split(":", 5), *[""] * 6]
    return parts[2], parts[3], parts[5]


def _iam() -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[ACCOUNT]["aws"]


def _bucket_policy(_region: str, _arn: str, resource: str) -> Any:
    from moto.s3.models import s3_backends

    bucket = s3_backends[ACCOUNT]["aws"].buckets.get(resource.split("/")[0])
    return bucket.policy if bucket else None


def _queue_policy(region: str, _arn: str, resource: str) -> Any:
    from moto.sqs.models import sqs_backends

    queue = sqs_backends[ACCOUNT][region].queues.get(resource)
    return queue.policy if queue else None


def _topic_policy(region: str, arn: str, _resource: str) -> Any:
    from moto.sns.models import sns_backends

    topic = sns_backends[ACCOUNT][region].topics.get(arn)
    return topic.policy if topic else None


def _secret(region: str, name: str) -> Any:
    from moto.secretsmanager.models import secretsmanager_backends

    return secretsmanager_backends[ACCOUNT][region].secrets.get(name)


def _secret_policy(region: str, arn: str, _resource: str) -> Any:
    secret = _secret(region, arn)
    return getattr(secret, "policy", None)


def _key_policy(region: str, _arn: str, resource: str) -> Any:
    from moto.kms.models import kms_backends

    key = kms_backends[ACCOUNT][region].keys.get(resource.removeprefix("key/"))
    return key.policy if key else None


def _function_policy(region: str, _arn: str, resource: str) -> Any:
    from moto.awslambda.models import lambda_backends

    name = resource.removeprefix("function:").split(":")[0]
    for function in _functions_named(lambda_backends[ACCOUNT][region], name):
        if function.policy.statements:
            return {"Version": "2012-10-17", "Statement": list(function.policy.statements)}
    return None


def _functions_named(backend: Any, name: str) -> Iterator[Any]:
    return (function for function in backend.list_functions() if function.function_name == name)


def _key_arn(key_id: str) -> str | None:
    from moto.kms.models import kms_backends

    backend = kms_backends[ACCOUNT][REGION]
    plain = backend.get_key_id(key_id)
    if backend.get_alias_name(key_id).startswith("alias/"):
        plain = backend.any_id_to_key_id(key_id)
    key = backend.keys.get(plain)
    return str(key.arn) if key else None


def _bucket_key(name: str) -> str | None:
    from moto.s3.models import s3_backends

    bucket = s3_backends[ACCOUNT]["aws"].buckets.get(name)
    default = ((getattr(bucket, "encryption", None) or {}).get("Rule") or {}).get(
        "ApplyServerSideEncryptionByDefault"
    )
    key = (default or {}).get("KMSMasterKeyID")
    return _key_arn(key) or str(key) if key else None


def _ciphertext_key(ciphertext: bytes) -> str | None:
    from moto.kms.models import kms_backends

    # moto's ciphertexts begin with the id of their key, 36 characters.
    key_id = ciphertext[:36].decode("ascii", "replace")
    return key_id if key_id in kms_backends[ACCOUNT][REGION].keys else None


def _partition_key(table_name: str, index: str | None) -> str | None:
    from moto.dynamodb.models import dynamodb_backends

    table = dynamodb_backends[ACCOUNT][REGION].tables.get(table_name)
    if table is None:
        return None
    schemas = {None: table.schema, **{one.name: one.schema for one in table.all_indexes()}}
    hashed = [key["AttributeName"] for key in schemas.get(index, []) if key["KeyType"] == "HASH"]
    return hashed[0] if hashed else None


_RESOURCE_POLICIES = {
    "s3": _bucket_policy,
    "sqs": _queue_policy,
    "sns": _topic_policy,
    "secretsmanager": _secret_policy,
    "kms": _key_policy,
    "lambda": _function_policy,
}
