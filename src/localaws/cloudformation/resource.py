"""What a resource type is: how to create, change and delete one through its service's own API."""

from __future__ import annotations

import secrets
import string
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, ClassVar

from botocore import xform_name

from localaws.cloudformation.schemas import schema_of, value_at
from localaws.endpoint import Endpoint
from localaws.errors import LocalAwsError, NotSupported

Properties = Mapping[str, Any]


class TemplateError(LocalAwsError):
    """The template, or a parameter given to it, is wrong or needs what the laptop does not implement."""


@dataclass(frozen=True)
class Made:
    """A resource that exists: what `Ref` and `Fn::GetAtt` give for it."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Existing:
    """A resource that exists, with the properties it was given, its name included."""

    made: Made
    properties: Properties


@dataclass(frozen=True)
class Change:
    """A resource that exists, its properties in the deployed template and in the new one."""

    made: Made
    old: Properties
    new: Properties

    @cached_property
    def changed(self) -> frozenset[str]:
        """The names of the properties that differ, appear or disappear."""
        names = set(self.old) | set(self.new)
        return frozenset(name for name in names if self.old.get(name) != self.new.get(name))


@dataclass(frozen=True)
class Place:
    """Where a resource is created: at which endpoint, in which stack, under which logical id."""

    endpoint: Endpoint
    stack: str
    logical_id: str

    @property
    def account(self) -> str:
        """The account's 12 digits."""
        return self.endpoint.account

    @property
    def region(self) -> str:
        """The region's name."""
        return self.endpoint.region

    def client(self, service: str) -> Any:
        """A boto3 client of `service` there, acting as the deployer."""
        return _client(self.endpoint, service)

    def generated_name(self, limit: int = 64, lower: bool = False) -> str:
        """A name as CloudFormation generates it: STACK-LOGICALID-12 random characters.

        AWS docs: "Name type" (aws-properties-name).
        """
        suffix = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(12))
        room = limit - len(suffix) - 1
        name = f"{f'{self.stack}-{self.logical_id}'[:room].rstrip('-')}-{suffix}"
        return name.lower() if lower else name


@lru_cache(maxsize=256)
def _client(endpoint: Endpoint, service: str) -> Any:
    return endpoint.client(service)


class ResourceType(ABC):
    """One CloudFormation resource type, created through its service's public API.

    So what exists is what that service describes; there is no second record of it.
    """

    type_name: ClassVar[str]
    # The properties that the laptop implements: `implemented`, or all of the schema's but `not_implemented`.
    implemented: ClassVar[frozenset[str]] = frozenset()
    not_implemented: ClassVar[frozenset[str]] = frozenset()
    needed: ClassVar[frozenset[str]] = frozenset()  # properties that are required here, beyond the schema's
    replacing: ClassVar[frozenset[str]] = frozenset()  # properties whose change replaces, beyond the schema's
    unchangeable: ClassVar[frozenset[str]] = frozenset()  # AWS changes these in place; the laptop cannot
    attributes: ClassVar[frozenset[str]] = frozenset()  # what Fn::GetAtt may ask for
    deletes: ClassVar[tuple[str, str, str]]  # (service, operation, its member that takes what `Ref` gives)
    name_property: ClassVar[str | None] = None
    name_limit: ClassVar[int] = 64
    name_lower: ClassVar[bool] = False
    name_unique: ClassVar[bool] = True  # False: a replacement may have the same name (layer versions)

    @abstractmethod
    def create(self, at: Place, properties: Properties) -> Made:
        """Create it. Raises the service's ClientError, or LocalAwsError."""

    @abstractmethod
    def update(self, at: Place, change: Change) -> Made:
        """Apply `change`, which neither `replaces` nor changes an `unchangeable` property. Raises as `create`."""

    def delete(self, at: Place, existing: Existing) -> None:
        """Delete it; here by the API's operation `deletes`. Raises as `create`."""
        service, operation, member = self.deletes
        getattr(at.client(service), xform_name(operation))(**{member: existing.made.ref})

    def problem(self, names: set[str]) -> str:
        """What is wrong with properties of these names in a template; "" if nothing is."""
        schema = schema_of(self.type_name)
        if unknown := names - schema.properties:
            return f"Encountered unsupported property {', '.join(sorted(unknown))}"
        if lacking := names - (self.implemented or schema.properties) | names & self.not_implemented:
            return f"the laptop does not implement property {', '.join(sorted(lacking))}"
        if missing := (schema.required | self.needed) - names:
            return f"required property {', '.join(sorted(missing))} is missing"
        return ""

    def replaces(self, change: Change) -> bool:
        """Whether AWS makes a new resource for `change`. AWS docs: "Update requires: Replacement"."""
        pointers = schema_of(self.type_name).replacing
        return bool(change.changed & self.replacing) or any(
            value_at(change.old, pointer) != value_at(change.new, pointer) for pointer in pointers
        )

    def check(self, change: Change) -> None:
        """Refuse a `change` that can't be applied, before anything is touched. Raises LocalAwsError."""
        impossible = change.changed & self.unchangeable
        if impossible:
            raise refuse_change(self.type_name, impossible)


class Fixed(ResourceType):
    """A type of which every property requires replacement, so that it is never updated in place."""

    def update(self, at: Place, change: Change) -> Made:
        raise refuse_change(f"{self.type_name} {at.logical_id}", change.changed)


def refuse_change(type_name: str, names: Iterable[str]) -> NotSupported:
    """The error for a change that AWS applies in place and the laptop cannot."""
    return NotSupported(
        f"the laptop cannot change {', '.join(sorted(names))} of an existing {type_name}; "
        "delete the stack and deploy it again"
    )


def without(properties: Properties, *names: str) -> dict[str, Any]:
    """The properties but those named."""
    return {key: value for key, value in properties.items() if key not in names}
