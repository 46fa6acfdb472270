"""A DynamoDB table with string keys `pk` and `sk`: transactions, consistent queries, scans."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

Item = dict[str, Any]

_CONFLICT_TRIES = 6
_CONFLICT_PAUSE_SECONDS = 0.05


class Table:
    """The table `name`, spoken to in plain Python values."""

    def __init__(self, name: str, session: boto3.session.Session | None = None) -> None:
        self.name = name
        self._table = (session or boto3.session.Session()).resource("dynamodb").Table(name)
        self._client = self._table.meta.client

    def get(self, key: Item) -> Item | None:
        """The item at `key`, read consistently."""
        found: Item | None = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return found

    def put(self, item: Item) -> None:
        """Write an item, whatever was there."""
        self._table.put_item(Item=item)

    def delete(self, key: Item) -> None:
        """Remove an item, if there is one."""
        self._table.delete_item(Key=key)

    def put_action(self, item: Item, condition: str | None = None) -> Item:
        """A put for `transact`."""
        put: Item = {"TableName": self.name, "Item": item}
        if condition:
            put["ConditionExpression"] = condition
        return {"Put": put}

    def delete_action(self, key: Item) -> Item:
        """A delete for `transact`."""
        return {"Delete": {"TableName": self.name, "Key": key}}

    def update_action(
        self, key: Item, changes: Item, condition: str, values: Item, entry: Item | None = None
    ) -> Item:
        """An update for `transact`: sets `changes` (None removes), appends `entry`, if any, to the history.

        `condition` names attributes as `#name` and the extra `values` as `:name`.
        """
        attributes = {*changes, *_placeholders(condition)}
        kept = {name: value for name, value in changes.items() if value is not None}
        gone = [f"#{name}" for name in changes if name not in kept]
        sets = [f"#{name} = :new_{name}" for name in kept]
        if entry is not None:
            sets.append("history = list_append(history, :entry)")
        return {
            "Update": {
                "TableName": self.name,
                "Key": key,
                "UpdateExpression": f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(gone)}" if gone else ""),
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
                "ExpressionAttributeValues": {
                    **{f":new_{name}": value for name, value in kept.items()},
                    **{f":{name}": value for name, value in values.items()},
                    **({} if entry is None else {":entry": [entry]}),
                },
            }
        }

    def check_action(self, key: Item, condition: str, values: Item) -> Item:
        """A condition on another item for `transact`."""
        return {
            "ConditionCheck": {
                "TableName": self.name,
                "Key": key,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {f"#{name}": name for name in _placeholders(condition)},
                "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
            }
        }

    def transact(self, actions: list[Item]) -> bool:
        """Write all (at most 100) or nothing. False if a condition didn't hold; conflicts are tried again."""
        for attempt in range(_CONFLICT_TRIES):
            try:
                self._client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException":
                    raise
                codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
                if codes <= {"None", "ConditionalCheckFailed"}:
                    return False
                if "TransactionConflict" not in codes or attempt == _CONFLICT_TRIES - 1:
                    raise
                time.sleep(random.uniform(0, _CONFLICT_PAUSE_SECONDS * 2**attempt))
            else:
                return True
        raise AssertionError("unreachable: the last try returns or raises")

    def query(self, pk: str, *, prefix: str = "", limit: int = 0) -> list[Item]:
        """Items of partition `pk` in order of `sk`, read consistently; at most `limit` if given."""
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk" + (" AND begins_with(sk, :prefix)" if prefix else ""),
            "ExpressionAttributeValues": {":pk": pk, **({":prefix": prefix} if prefix else {})},
            "ConsistentRead": True,
        }
        items: list[Item] = []
        while True:
            if limit:
                request["Limit"] = limit - len(items)
            page = self._table.query(**request)
            items += page["Items"]
            if "LastEvaluatedKey" not in page or (limit and len(items) >= limit):
                return items
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def scan(self, sk: str) -> Iterator[Item]:
        """Every item with this `sk`, in no order; reads the whole table, page by page."""
        request: dict[str, Any] = {
            "FilterExpression": "sk = :sk",
            "ExpressionAttributeValues": {":sk": sk},
        }
        while True:
            page = self._table.scan(**request)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _placeholders(condition: str) -> set[str]:
    return {word[1:] for word in condition.replace(",", " ").replace("(", " ").split() if word[0] == "#"}
