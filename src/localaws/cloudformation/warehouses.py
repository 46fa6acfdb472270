"""The Redshift Serverless namespaces and workgroups that exist. moto has no such service."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from moto.cloudformation.models import cloudformation_backends

from localaws.endpoint import Endpoint


@dataclass(frozen=True)
class Namespace:
    """A namespace: its database, the roles its COPY may use, its administrator and the secret with the password."""

    name: str
    arn: str
    database: str
    iam_roles: tuple[str, ...] = ()
    default_iam_role: str | None = None  # what `IAM_ROLE default` means
    admin: str = "admin"
    admin_secret: str | None = None  # its ARN


@dataclass(frozen=True)
class Workgroup:
    """A workgroup; `database` is its namespace's."""

    name: str
    arn: str  # ...:workgroup/<id>, as policies must name it
    namespace: str
    database: str


@dataclass
class Registry:
    """What exists in one account and region."""

    namespaces: dict[str, Namespace] = field(default_factory=dict)
    workgroups: dict[str, Workgroup] = field(default_factory=dict)


def registry(endpoint: Endpoint) -> Registry:
    """The registry of the endpoint's account and region, created empty if there is none yet.

    It lives with moto's stacks, as all of moto's state does: resetting moto forgets it.
    """
    backend = cloudformation_backends[endpoint.account][endpoint.region]
    kept: Registry = vars(backend).setdefault("redshift_serverless", Registry())
    return kept


def workgroups(endpoint: Endpoint) -> dict[str, Workgroup]:
    """The deployed workgroups by name."""
    return dict(registry(endpoint).workgroups)


def namespaces(endpoint: Endpoint) -> dict[str, Namespace]:
    """The deployed namespaces by name."""
    return dict(registry(endpoint).namespaces)


def identity(kind: str, name: str) -> str:
    """The uuid of the namespace or workgroup `name`: the same one every time."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"redshift-serverless/{kind}/{name}"))
