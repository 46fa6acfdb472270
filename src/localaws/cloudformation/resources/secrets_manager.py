"""AWS::SecretsManager::Secret."""

from __future__ import annotations

import json
from typing import Any

from ..resource import Change, Existing, Made, Place, Properties, ResourceType, TemplateError, without
from ..shapes import call, retag


class Secret(ResourceType):
    """A secret, given or generated. `Ref` is its ARN."""

    type_name = "AWS::SecretsManager::Secret"
    not_implemented = frozenset({"ReplicaRegions", "Type"})
    unchangeable = frozenset({"KmsKeyId"})
    attributes = frozenset({"Id"})
    name_property = "Name"
    name_limit = 512

    def create(self, at: Place, properties: Properties) -> Made:
        manager = at.client("secretsmanager")
        wanted = {**without(properties, "GenerateSecretString"), "SecretString": _value(manager, properties)}
        arn = call(manager, "CreateSecret", wanted)["ARN"]
        return Made(arn, {"Id": arn})

    def update(self, at: Place, change: Change) -> Made:
        manager = at.client("secretsmanager")
        if change.changed & {"GenerateSecretString", "SecretString"}:
            value = _value(manager, change.new)
            manager.put_secret_value(SecretId=change.made.ref, SecretString=value)
        if "Description" in change.changed:
            manager.update_secret(SecretId=change.made.ref, Description=change.new.get("Description", ""))
        retag(manager, change.made.ref, change)
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        at.client("secretsmanager").delete_secret(SecretId=existing.made.ref, ForceDeleteWithoutRecovery=True)


def _value(manager: Any, properties: Properties) -> str:
    if "SecretString" in properties and "GenerateSecretString" in properties:
        raise TemplateError("SecretString and GenerateSecretString exclude each other")
    if "SecretString" in properties:
        given = properties["SecretString"]
        return given if isinstance(given, str) else json.dumps(given)
    return _generate(manager, dict(properties.get("GenerateSecretString", {})))


def _generate(manager: Any, wish: dict[str, Any]) -> str:
    """A random text, or the template with the random text under the key. AWS docs: GenerateSecretString."""
    template, key = wish.pop("SecretStringTemplate", None), wish.pop("GenerateStringKey", None)
    if (template is None) != (key is None):
        raise TemplateError("SecretStringTemplate and GenerateStringKey belong together")
    password = str(call(manager, "GetRandomPassword", wish)["RandomPassword"])
    if template is None:
        return password
    try:
        fields = json.loads(template)
    except ValueError as reason:
        raise TemplateError(f"SecretStringTemplate is not JSON: {reason}") from reason
    return json.dumps({**fields, str(key): password})
