"""The deployed roles and policies, read from the moto server in this process.

Only parsed documents are cached, by their text: a policy that is changed in any way (API call, stack update, another
thread) applies to the next request.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from moto.backends import get_backend

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
        """The resource's own policy, if it has one."""
        ...


class MotoDeployed:
    """Reads moto's backends of account ACCOUNT. Thread-safe: copies, and holds no state."""

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
        document = _resource_policy(service, region or REGION, arn, resource)
        return _policy(document, "resource") if document else None


def moto_lookups() -> Lookups:
    """Lookups that read moto's state; what moto does not know keeps its default."""
    defaults = Lookups()

    def secret_arn(name: str) -> str:
        secret = _backend("secretsmanager").secrets.get(name)
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


_GLOBAL = {"iam", "s3"}  # services whose state moto keeps by partition, not by region


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
        raise NotSupported(
            f"role {role.name!r} has a policy that cannot be evaluated here: {error}"
        ) from error


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


def _backend(service: str, region: str = REGION) -> Any:
    """moto's state of a service in account ACCOUNT."""
    backends: Any = get_backend(service)
    account = backends[ACCOUNT]
    return account["aws"] if service in _GLOBAL else account[region]


def _iam() -> Any:
    return _backend("iam")


def _resource_policy(service: str, region: str, arn: str, resource: str) -> Any:
    """The policy document of a resource; None if there is none, no such resource, or none of a kind with policies."""
    if service not in ("s3", "sqs", "sns", "secretsmanager", "kms", "lambda"):
        return None
    backend = _backend(service, region)
    if service == "lambda":
        return _function_policy(backend, resource.removeprefix("function:").split(":")[0])
    found = {
        "s3": lambda: backend.buckets.get(resource.split("/")[0]),
        "sqs": lambda: backend.queues.get(resource),
        "sns": lambda: backend.topics.get(arn),
        "secretsmanager": lambda: backend.secrets.get(arn),
        "kms": lambda: backend.keys.get(resource.removeprefix("key/")),
    }[service]()
    return getattr(found, "policy", None)


def _function_policy(backend: Any, name: str) -> Any:
    for function in backend.list_functions():
        if function.function_name == name and function.policy.statements:
            return {"Version": "2012-10-17", "Statement": list(function.policy.statements)}
    return None


def _key_arn(key_id: str) -> str | None:
    kms = _backend("kms")
    plain = kms.get_key_id(key_id)
    if kms.get_alias_name(key_id).startswith("alias/"):
        plain = kms.any_id_to_key_id(key_id)
    key = kms.keys.get(plain)
    return str(key.arn) if key else None


def _bucket_key(name: str) -> str | None:
    rule = (getattr(_backend("s3").buckets.get(name), "encryption", None) or {}).get("Rule") or {}
    key = (rule.get("ApplyServerSideEncryptionByDefault") or {}).get("KMSMasterKeyID")
    return _key_arn(key) or str(key) if key else None


def _ciphertext_key(ciphertext: bytes) -> str | None:
    # moto's ciphertexts begin with the id of their key, 36 characters.
    key_id = ciphertext[:36].decode("ascii", "replace")
    return key_id if key_id in _backend("kms").keys else None


def _partition_key(table_name: str, index: str | None) -> str | None:
    table = _backend("dynamodb").tables.get(table_name)
    if table is None:
        return None
    schemas = {None: table.schema, **{one.name: one.schema for one in table.all_indexes()}}
    hashed = [key["AttributeName"] for key in schemas.get(index, []) if key["KeyType"] == "HASH"]
    return hashed[0] if hashed else None
