"""The Amazon Redshift Serverless API, for questions about what is deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from localaws.errors import ApiError


class Namespace(Protocol):
    """A deployed namespace; `admin_secret` is the ARN of the secret that Redshift manages, if it does."""

    @property
    def name(self) -> str: ...
    @property
    def arn(self) -> str: ...
    @property
    def database(self) -> str: ...
    @property
    def admin(self) -> str: ...
    @property
    def admin_secret(self) -> str | None: ...


class ServerlessApi:
    """Answers "redshift-serverless": GetNamespace. `namespaces`: those that are deployed, by name."""

    def __init__(self, namespaces: Callable[[], Mapping[str, Namespace]]) -> None:
        self._namespaces = namespaces

    def __call__(self, operation: str, body: dict[str, Any], caller: object) -> dict[str, Any]:  # noqa: ARG002  the services' signature
        """Answers `operation`. Raises ApiError."""
        if operation != "GetNamespace":
            raise ApiError(
                "UnknownOperationException", f"redshift-serverless:{operation} isn't supported here"
            )
        return {"namespace": self._described(body["namespaceName"])}

    def arn(self, name: str) -> str:
        """A namespace's ARN. Raises ApiError if there is none of this name."""
        return self._find(name).arn

    def _find(self, name: str) -> Namespace:
        found = self._namespaces().get(name)
        if found is None:
            raise ApiError("ResourceNotFoundException", f"The namespace {name} was not found.")
        return found

    def _described(self, name: str) -> dict[str, Any]:
        """AWS docs: "GetNamespace". Members without a value are left out."""
        found = self._find(name)
        secret = {} if found.admin_secret is None else {"adminPasswordSecretArn": found.admin_secret}
        return {
            "adminUsername": found.admin,
            "dbName": found.database,
            "namespaceArn": found.arn,
            "namespaceId": found.arn.rpartition("/")[2],
            "namespaceName": found.name,
            "status": "AVAILABLE",
            **secret,
        }
