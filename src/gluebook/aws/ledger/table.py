"""A DynamoDB table with string keys `pk` and `sk`: transactions, consistent queries, scans."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import ClientError

from gluebook.aws.sessions import new_session
from gluebook.core.history import MOST_CHANGES, shortened

Item = dict[str, Any]

# As many connections as the largest thread pool.
_POOL = Config(max_pool_connections=32)
_CONFLICT_TRIES = 6
# The limit of BatchGetItem.
_MOST_KEYS = 100
_CONFLICT_PAUSE_SECONDS = 0.05
# A change is appended while the history has room; else the history is read and replaced by a shorter one.
_APPEND, _HAS_ROOM = "history = list_append(history, :entry)", "size(history) < :full"
_REPLACE, _IS_AS_READ = "history = :shortened", "size(history) = :seen"
_SHORTENING_TRIES = 3
# Why DynamoDB cancels a transaction. AWS docs: "TransactWriteItems", CancellationReasons.
_CONDITION_FAILED, _TOO_LARGE = "ConditionalCheckFailed", "ValidationError"


class Table:
    """The table `name`, with items as plain Python values."""

    def __init__(self, name: str, session: Session | None = None) -> None:
        self.name = name
        # The resource's client takes plain values, and is thread-safe.
        self._client = (session or new_session()).resource("dynamodb", config=_POOL).meta.client

    def get(self, key: Item) -> Item | None:
        """The item at `key`, read consistently."""
        found: Item | None = self._client.get_item(TableName=self.name, Key=key, ConsistentRead=True).get(
            "Item"
        )
        return found

    def get_all(self, keys: list[Item]) -> list[Item]:
        """The existing items at `keys`, in no order, read consistently, 100 at a time."""
        found: list[Item] = []
        for start in range(0, len(keys), _MOST_KEYS):
            left = keys[start : start + _MOST_KEYS]
            for attempt in itertools.count():
                asked = {self.name: {"Keys": left, "ConsistentRead": True}}
                answer = self._client.batch_get_item(RequestItems=asked)
                found += answer["Responses"].get(self.name, [])
                left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
                if not left:
                    break
                time.sleep(random.uniform(0, _CONFLICT_PAUSE_SECONDS * 2 ** min(attempt, _CONFLICT_TRIES)))
        return found

    def put(self, item: Item) -> None:
        """Write an item, replacing any existing one."""
        self._client.put_item(TableName=self.name, Item=item)

    def delete(self, key: Item) -> None:
        """Delete an item, if there is one."""
        self._client.delete_item(TableName=self.name, Key=key)

    def put_action(self, item: Item, condition: str | None = None) -> Item:
        """A put for `transact`."""
        put: Item = {"TableName": self.name, "Item": item}
        if condition:
            put["ConditionExpression"] = condition
        return {"Put": put}

    def delete_action(self, key: Item) -> Item:
        """A delete for `transact`."""
        return {"Delete": {"TableName": self.name, "Key": key}}

    def delete_if(self, key: Item, name: str, value: str) -> bool:
        """Delete an item if its attribute `name` equals `value`; False otherwise."""
        delete: Item = {
            "TableName": self.name,
            "Key": key,
            "ConditionExpression": "#name = :value",
            "ExpressionAttributeNames": {"#name": name},
            "ExpressionAttributeValues": {":value": value},
        }
        return self.transact([{"Delete": delete}])

    def update_action(
        self, key: Item, changes: Item, condition: str, values: Item, entry: Item | None = None
    ) -> Item:
        """An update for `transact`: sets `changes` (None removes), adds `entry`, if any, to the history.

        `condition` names attributes as `#name` and the extra `values` as `:name`.
        """
        attributes = {*changes, *_placeholders(condition)}
        kept = {name: value for name, value in changes.items() if value is not None}
        gone = [f"#{name}" for name in changes if name not in kept]
        sets = [f"#{name} = :new_{name}" for name in kept]
        if entry is not None:
            sets.append(_APPEND)
            condition = f"{condition} AND {_HAS_ROOM}"
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
                    **({} if entry is None else {":entry": [entry], ":full": MOST_CHANGES}),
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
        """Write all actions (at most 100) or none. False if a condition does not hold; conflicts are retried.

        A history that is too long, or too large for its item, is shortened.
        """
        trying = actions
        for _ in range(_SHORTENING_TRIES):
            refused = self._refused(trying)
            if not refused:
                return True
            trying = [
                self._shortening(action, refused[place]) if place in refused else action
                for place, action in enumerate(actions)
            ]
            if trying == actions:
                break
        return False

    def _refused(self, actions: list[Item]) -> dict[int, str]:
        """Write all or nothing. Returns the refusal code of each refused action by its index; empty if written."""
        for attempt in range(_CONFLICT_TRIES):
            try:
                self._client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException":
                    raise
                codes = [reason["Code"] for reason in error.response.get("CancellationReasons", [])]
                refused = {place: code for place, code in enumerate(codes) if code != "None"}
                if refused and all(_may_be_history(actions[place], code) for place, code in refused.items()):
                    return refused
                if "TransactionConflict" not in codes or attempt == _CONFLICT_TRIES - 1:
                    raise
                time.sleep(random.uniform(0, _CONFLICT_PAUSE_SECONDS * 2**attempt))
            else:
                return {}
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _shortening(self, action: Item, refused_as: str) -> Item:
        """The same action with a shorter history, if the history may be the reason for the refusal."""
        if not _adds_to_history(action):
            return action
        update = action["Update"]
        history = (self.get(update["Key"]) or {}).get("history", [])
        if refused_as == _CONDITION_FAILED and len(history) < MOST_CHANGES:
            return action
        values = dict(update["ExpressionAttributeValues"])
        del values[":full"]
        values |= {":shortened": shortened([*history, *values.pop(":entry")]), ":seen": len(history)}
        changed = {
            "UpdateExpression": update["UpdateExpression"].replace(_APPEND, _REPLACE),
            "ConditionExpression": update["ConditionExpression"].replace(_HAS_ROOM, _IS_AS_READ),
            "ExpressionAttributeValues": values,
        }
        return {"Update": {**update, **changed}}

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
            page = self._client.query(TableName=self.name, **request)
            items += page["Items"]
            if "LastEvaluatedKey" not in page or (limit and len(items) >= limit):
                return items
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def count(self, pk: str, since: str) -> int:
        """Number of items of partition `pk` with a sort key >= `since`."""
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND sk >= :since",
            "ExpressionAttributeValues": {":pk": pk, ":since": since},
            "Select": "COUNT",
            "ConsistentRead": True,
        }
        counted = 0
        while True:
            page = self._client.query(TableName=self.name, **request)
            counted += int(page["Count"])
            if "LastEvaluatedKey" not in page:
                return counted
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def scan(self, prefix: str, names: Iterable[str]) -> Iterator[Item]:
        """The attributes `names` of all items whose `sk` begins with `prefix`; reads the whole table by pages."""
        placeholders = {f"#{name}": name for name in names}
        request: dict[str, Any] = {
            "FilterExpression": "begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":prefix": prefix},
            "ExpressionAttributeNames": placeholders,
            "ProjectionExpression": ", ".join(placeholders),
        }
        while True:
            page = self._client.scan(TableName=self.name, **request)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _may_be_history(action: Item, code: str) -> bool:
    return code == _CONDITION_FAILED or (code == _TOO_LARGE and _adds_to_history(action))


def _adds_to_history(action: Item) -> bool:
    return ":entry" in action.get("Update", {}).get("ExpressionAttributeValues", {})


def _placeholders(condition: str) -> set[str]:
    return set(re.findall(r"#(\w+)", condition))
