"""The principal that makes a request, and the Principal element of resource policies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from localaws.errors import ApiError, NotSupported

_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}


@dataclass(frozen=True)
class Principal:
    """The caller: a role's session (`role_arn` and `session_arn`) or an AWS `service`."""

    account: str
    role_arn: str | None = None
    session_arn: str | None = None
    service: str | None = None

    def __str__(self) -> str:
        return self.session_arn or self.service or f"arn:aws:iam::{self.account}:root"


class Match(Enum):
    """How a Principal element matches a principal."""

    NO = "not meant"
    ACCOUNT = "its account"  # delegates the decision to the account's identity policies
    NAMED = "itself"


@dataclass(frozen=True)
class PrincipalElement:
    """Principal (or, if `negated`, NotPrincipal) of one statement."""

    aws: frozenset[str]
    services: frozenset[str]
    negated: bool

    def match(self, principal: Principal) -> Match:
        """AWS docs: "AWS JSON policy elements: Principal" and "... NotPrincipal"."""
        if self.negated:
            return Match.NO if self._excludes(principal) else Match.NAMED
        if "*" in self.aws:
            return Match.NAMED
        if principal.service is not None:
            return Match.NAMED if principal.service in self.services else Match.NO
        if {principal.role_arn, principal.session_arn} & self.aws:
            return Match.NAMED
        return Match.ACCOUNT if _account_names(principal) & self.aws else Match.NO

    def _excludes(self, principal: Principal) -> bool:
        """NotPrincipal excludes a role's session only if the session, its role and its account are all listed."""
        if principal.service is not None:
            return principal.service in self.services
        named = {principal.role_arn, principal.session_arn} <= self.aws
        return named and bool(_account_names(principal) & self.aws)


def parse(element: Any, *, negated: bool, effect: str) -> PrincipalElement:
    """Raises NotSupported for a kind of principal, or a use of NotPrincipal, that AWS doesn't have."""
    if negated and effect == "Allow":
        raise NotSupported("NotPrincipal with Effect Allow: AWS doesn't support it; name the principals")
    if element == "*":
        return PrincipalElement(frozenset("*"), frozenset(), negated)
    if not isinstance(element, Mapping):
        raise ApiError("MalformedPolicyDocument", f'Principal must be "*" or an object: {element!r}')
    unknown = set(element) - _KINDS
    if unknown:
        raise NotSupported(f"kind of principal {sorted(unknown)} is not known; known are {sorted(_KINDS)}")
    aws = frozenset(map(str, listed(element.get("AWS", []))))
    for name in aws:
        if "*" in name and name != "*":
            message = f"principal {name!r}: AWS has no wildcards inside a principal; use aws:PrincipalArn"
            raise NotSupported(message)
    return PrincipalElement(aws, frozenset(map(str, listed(element.get("Service", [])))), negated)


def _account_names(principal: Principal) -> set[str]:
    return {principal.account, f"arn:aws:iam::{principal.account}:root"}


def listed(value: Any) -> list[Any]:
    """The value as a list: policies may give a single value instead of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def role_name(role_arn: str) -> str:
    """The name in a role's ARN, without its path. Raises ApiError ValidationError if it is not a role's ARN."""
    found = re.fullmatch(r"arn:aws:iam::\d{12}:role/(?:.+/)?([\w+=,.@-]+)", role_arn)
    if found is None:
        raise ApiError("ValidationError", f"{role_arn!r} is not the ARN of a role")
    return found[1]
