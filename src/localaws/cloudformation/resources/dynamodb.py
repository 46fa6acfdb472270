"""AWS::DynamoDB::Table."""

from __future__ import annotations

from typing import Any

from ..resource import Change, Existing, Made, Place, Properties, ResourceType, TemplateError, without
from ..shapes import call, retag, truth

_TTL, _RECOVERY = "TimeToLiveSpecification", "PointInTimeRecoverySpecification"


class Table(ResourceType):
    """`Ref` is the table's name."""

    type_name = "AWS::DynamoDB::Table"
    deletes = ("dynamodb", "DeleteTable", "TableName")
    not_implemented = frozenset(
        {
            *("ContributorInsightsSpecification", "ImportSourceSpecification"),
            *("KinesisStreamSpecification", "OnDemandThroughput", "ResourcePolicy", "TableClass"),
            *("VectorIndexes", "WarmThroughput"),
        }
    )
    needed = frozenset({"AttributeDefinitions"})
    replacing = frozenset({"LocalSecondaryIndexes"})
    unchangeable = frozenset({"SSESpecification", "StreamSpecification"})
    attributes = frozenset({"Arn", "StreamArn"})
    name_property = "TableName"
    name_limit = 255

    def create(self, at: Place, properties: Properties) -> Made:
        dynamodb, name = at.client("dynamodb"), properties["TableName"]
        table = without(properties, _TTL, _RECOVERY, "SSESpecification", "StreamSpecification")
        # AWS docs: CloudFormation's default is PROVISIONED.
        table.setdefault("BillingMode", "PROVISIONED")
        if "SSESpecification" in properties:
            encryption = dict(properties["SSESpecification"])
            encryption["Enabled"] = encryption.pop("SSEEnabled", False)
            table["SSESpecification"] = encryption
        if "StreamSpecification" in properties:
            table["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
        description = call(dynamodb, "CreateTable", table)["TableDescription"]
        attributes = {"Arn": description["TableArn"]}
        if "LatestStreamArn" in description:
            attributes["StreamArn"] = description["LatestStreamArn"]
        made = Made(name, attributes)
        try:
            _expire(dynamodb, name, properties.get(_TTL))
            _recover(dynamodb, name, properties.get(_RECOVERY))
        except BaseException:
            self.delete(at, Existing(made, properties))
            raise
        return made

    def check(self, change: Change) -> None:
        super().check(change)
        old, new = _indexes(change.old), _indexes(change.new)
        changed = [name for name in new if name in old and old[name] != new[name]]
        if changed:
            raise TemplateError(f"An index can't be changed, only deleted and added: {', '.join(changed)}")

    def update(self, at: Place, change: Change) -> Made:
        dynamodb, name = at.client("dynamodb"), change.made.ref
        if _TTL in change.changed:
            old, new = change.old.get(_TTL), change.new.get(_TTL)
            _expire(dynamodb, name, new or {**(old or {}), "Enabled": False})
        if _RECOVERY in change.changed:
            off = {"PointInTimeRecoveryEnabled": False}
            _recover(dynamodb, name, change.new.get(_RECOVERY, off))
        settings = change.changed & {"BillingMode", "DeletionProtectionEnabled", "ProvisionedThroughput"}
        defaults = {"BillingMode": "PROVISIONED", "DeletionProtectionEnabled": False}
        wanted = {key: change.new.get(key, defaults.get(key)) for key in settings}
        wanted = {key: value for key, value in wanted.items() if value is not None}
        if wanted:
            call(dynamodb, "UpdateTable", {"TableName": name, **wanted})
        for one in _index_updates(change):
            attributes = change.new["AttributeDefinitions"]
            update = {
                "TableName": name,
                "AttributeDefinitions": attributes,
                "GlobalSecondaryIndexUpdates": [one],
            }
            call(dynamodb, "UpdateTable", update)
        retag(dynamodb, change.made.attributes["Arn"], change)
        return change.made


def _expire(dynamodb: Any, name: str, specification: dict[str, Any] | None) -> None:
    if specification:
        call(dynamodb, "UpdateTimeToLive", {"TableName": name, _TTL: specification})


def _recover(dynamodb: Any, name: str, specification: dict[str, Any] | None) -> None:
    if specification is not None:
        if truth(specification.get("PointInTimeRecoveryEnabled", False)):
            call(dynamodb, "UpdateContinuousBackups", {"TableName": name, _RECOVERY: specification})
        else:
            off = {"PointInTimeRecoveryEnabled": False}
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=off)


def _indexes(properties: Properties) -> dict[str, dict[str, Any]]:
    return {index["IndexName"]: index for index in properties.get("GlobalSecondaryIndexes", [])}


def _index_updates(change: Change) -> list[dict[str, Any]]:
    """The index updates, which DynamoDB takes one at a time."""
    old, new = _indexes(change.old), _indexes(change.new)
    removed = [{"Delete": {"IndexName": name}} for name in old if name not in new]
    return removed + [{"Create": index} for name, index in new.items() if name not in old]
