"""One DynamoDB table in memory and in this process: conditions, transactions, consistent queries, sort keys in order.

For what is played thousands of times, where a server is too slow. It implements the expressions that a ledger uses,
and refuses others. It has DynamoDB's limits.
"""

# boto3's names, and conditions that all take the same arguments.
# ruff: noqa: ARG002, ARG005, N803

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from botocore.exceptions import ClientError

from localaws.dynamodb.limits import MOST_ACTIONS, MOST_PAGE_BYTES, MOST_TRANSACTION_BYTES
from localaws.dynamodb.sizes import check_item, check_key

Item = dict[str, Any]
Answer = TypeVar("Answer")


class Door(Protocol):
    """A door for calls: takes the call's name and whether it writes."""

    def __call__(self, what: str, writes: bool, call: Callable[[], Answer]) -> Answer: ...


Test = Callable[[Item | None, Item, Item], bool]

_MOST_KEYS = 100
_COMPARED = re.compile(r"(#\w+) (=|<=) (:\w+)")
_LENGTH = re.compile(r"size\((\w+)\) (=|<) (:\w+)")
_ONE_OF = re.compile(r"(#\w+) IN \((.*)\)")
_ABSENT = re.compile(r"attribute_(not_)?exists\((#?\w+)\)")
_APPENDED = "history = list_append(history, :entry)"


class Dynamo:
    """One table; stands for a boto3 session, its resource and its client. Calls go through `door`."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._partitions: dict[str, dict[str, Item]] = {}
        self._sizes: dict[tuple[str, str], int] = {}
        self.meta = self
        self.client = self

    # -- as boto3 names it -----------------------------------------------------------------------------

    def resource(self, name: str, config: object = None) -> Dynamo:
        assert name == "dynamodb"
        return self

    def get_item(self, TableName: str, Key: Item, ConsistentRead: bool) -> Item:
        assert ConsistentRead
        return self._door("GetItem", False, lambda: self._got(Key))

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Item:
        ((name, asked),) = RequestItems.items()
        assert asked["ConsistentRead"] and len({tuple(key.values()) for key in asked["Keys"]}) == len(
            asked["Keys"]
        )

        def call() -> Item:
            assert len(asked["Keys"]) <= _MOST_KEYS
            found = [self._got(key).get("Item") for key in asked["Keys"]]
            return {"Responses": {name: list(filter(None, found))}}

        return self._door("BatchGetItem", False, call)

    def put_item(self, TableName: str, Item: Item) -> None:
        self._door("PutItem", True, lambda: self._put(Item))

    def delete_item(self, TableName: str, Key: Item) -> None:
        self._door("DeleteItem", True, lambda: self._delete(Key["pk"], Key["sk"]))

    def query(self, TableName: str, **request: Any) -> Item:
        return self._door("Query", False, lambda: self._queried(**request))

    def scan(
        self,
        TableName: str,
        FilterExpression: str,
        ExpressionAttributeNames: dict[str, str],
        ExpressionAttributeValues: Item,
        ProjectionExpression: str,
        ExclusiveStartKey: Item | None = None,
    ) -> Item:
        assert FilterExpression == "begins_with(sk, :prefix)"
        prefix = ExpressionAttributeValues[":prefix"]
        names = {ExpressionAttributeNames[each] for each in ProjectionExpression.split(", ")}

        def call() -> Item:
            items = (item for partition in self._partitions.values() for item in partition.values())
            page = self._page(items, ExclusiveStartKey)
            found = (item for item in page["Items"] if item["sk"].startswith(prefix))
            return {**page, "Items": [{name: item[name] for name in names & item.keys()} for item in found]}

        return self._door("Scan", False, call)

    def transact_write_items(self, TransactItems: list[Item]) -> None:
        self._door("TransactWriteItems", True, lambda: self._transact(TransactItems))

    # -- what it does ----------------------------------------------------------------------------------

    def _partition(self, key: Item) -> dict[str, Item]:
        return self._partitions.setdefault(key["pk"], {})

    def _got(self, key: Item) -> Item:
        check_key(key, "GetItem")
        found = self._partition(key).get(key["sk"])
        return {"Item": dict(found)} if found else {}

    def _put(self, item: Item) -> None:
        self._sizes[item["pk"], item["sk"]] = check_item(item, "PutItem")
        self._partition(item)[item["sk"]] = dict(item)

    def _delete(self, pk: str, sk: str) -> None:
        check_key({"pk": pk, "sk": sk}, "DeleteItem")
        self._partitions.setdefault(pk, {}).pop(sk, None)

    def _page(self, items: Iterable[Item], after: Item | None, most: int = 0) -> Item:
        """Items in order, up to a megabyte, and the key to continue from if there are more."""
        found: list[Item] = []
        size, skipping = 0, after is not None
        for item in items:
            key = {"pk": item["pk"], "sk": item["sk"]}
            if skipping:
                skipping = key != after
                continue
            size += self._sizes[item["pk"], item["sk"]]
            if found and (size > MOST_PAGE_BYTES or len(found) == most):
                return {"Items": found, "LastEvaluatedKey": {"pk": found[-1]["pk"], "sk": found[-1]["sk"]}}
            found.append(item)
        return {"Items": found}

    def _queried(
        self,
        KeyConditionExpression: str,
        ExpressionAttributeValues: Item,
        ConsistentRead: bool,
        Limit: int = 0,
        Select: str = "",
        ExclusiveStartKey: Item | None = None,
    ) -> Item:
        assert ConsistentRead
        pk, _, rest = KeyConditionExpression.partition(" AND ")
        keep: dict[str, Callable[[str], bool]] = {
            "": lambda sk: True,
            "begins_with(sk, :prefix)": lambda sk: sk.startswith(ExpressionAttributeValues[":prefix"]),
            "sk >= :since": lambda sk: sk >= ExpressionAttributeValues[":since"],
        }
        assert pk == "pk = :pk"
        partition = self._partitions.get(ExpressionAttributeValues[":pk"], {})
        items = (dict(partition[sk]) for sk in sorted(partition) if keep[rest](sk))
        page = self._page(items, ExclusiveStartKey, Limit)
        if Select == "COUNT":
            page["Count"] = len(page.pop("Items"))
        return page

    def _transact(self, actions: list[Item]) -> None:
        assert 0 < len(actions) <= MOST_ACTIONS
        parts = [next(iter(action.items())) for action in actions]
        keys = [_key_of(kind, part) for kind, part in parts]
        assert len(set(keys)) == len(keys), f"two actions on one item: {keys}"
        held = [self._holds(key, part) for key, (_, part) in zip(keys, parts, strict=True)]
        if not all(held):
            raise _cancelled(["None" if holds else "ConditionalCheckFailed" for holds in held])
        # Computed before anything is written, because an item may be too large.
        items, sizes = {}, []
        for place, (kind, part) in enumerate(parts):
            try:
                if kind in ("Put", "Update"):
                    items[place] = part["Item"] if kind == "Put" else self._updated(part)
                    sizes.append(check_item(items[place], "TransactWriteItems"))
                check_key({"pk": keys[place][0], "sk": keys[place][1]}, "TransactWriteItems")
            except ClientError:
                raise _cancelled(
                    ["ValidationError" if one == place else "None" for one in range(len(parts))]
                ) from None
        assert sum(sizes) <= MOST_TRANSACTION_BYTES
        for place, (kind, _) in enumerate(parts):
            if place in items:
                self._put(items[place])
            elif kind == "Delete":
                self._delete(*keys[place])

    def _holds(self, key: tuple[str, str], part: Item) -> bool:
        condition = part.get("ConditionExpression")
        if condition is None:
            return True
        item = self._partitions.get(key[0], {}).get(key[1])
        names, values = part.get("ExpressionAttributeNames", {}), part.get("ExpressionAttributeValues", {})
        return all(test(item, names, values) for test in _tests(condition))

    def _updated(self, part: Item) -> Item:
        item: Item = self._got(part["Key"]).get("Item") or dict(part["Key"])
        names, values = part["ExpressionAttributeNames"], part["ExpressionAttributeValues"]
        sets, _, removes = part["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        if _APPENDED in sets:
            item["history"] = [*item["history"], *values[":entry"]]
            sets = sets.replace(_APPENDED, "").rstrip(", ")
        for one in filter(None, sets.split(", ")):
            name, _, value = one.partition(" = ")
            item[names.get(name, name)] = values[value]
        for name in filter(None, removes.split(", ")):
            item.pop(names[name], None)
        return item


def _cancelled(codes: list[str]) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    return ClientError(
        {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons},
        "TransactWriteItems",
    )


def _key_of(kind: str, part: Item) -> tuple[str, str]:
    key = part["Item"] if kind == "Put" else part["Key"]
    return key["pk"], key["sk"]


@lru_cache(maxsize=256)
def _tests(condition: str) -> tuple[Test, ...]:
    return tuple(_test(term) for term in condition.split(" AND "))


def _test(term: str) -> Test:
    if match := _ABSENT.fullmatch(term):
        absent, name = bool(match[1]), match[2]
        return lambda item, names, values: (item is None or names.get(name, name) not in item) == absent
    if match := _ONE_OF.fullmatch(term):
        one, wanted = match[1], match[2].split(", ")
        return lambda item, names, values: (
            item is not None and item.get(names[one]) in [values[value] for value in wanted]
        )
    if match := _LENGTH.fullmatch(term):
        name, operator, wanted = match.groups()
        return lambda item, names, values: (
            item is not None
            and name in item
            and (len(item[name]) < values[wanted] if operator == "<" else len(item[name]) == values[wanted])
        )
    match = _COMPARED.fullmatch(term)
    assert match, f"a condition that isn't known here: {term}"
    left, operator, right = match.groups()
    if operator == "=":
        return lambda item, names, values: (
            item is not None and names[left] in item and item[names[left]] == values[right]
        )
    return lambda item, names, values: (
        item is not None and names[left] in item and item[names[left]] <= values[right]
    )
