"""DynamoDB requests ▸ the permissions they need, with the partition keys they touch.

AWS docs: "Actions, resources, and condition keys for Amazon DynamoDB", "Using IAM policy conditions for
fine-grained access control". Transactions have no actions of their own: each item's action counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from localaws.iam.call import Call, Unmapped
from localaws.iam.lookups import Lookups
from localaws.iam.policy import Need

_ITEM = {"GetItem", "PutItem", "UpdateItem", "DeleteItem"}
_SEARCH = {"Query", "Scan"}
_TABLE = {
    "DescribeTable",
    "DescribeTimeToLive",
    "DescribeContinuousBackups",
    "UpdateTable",
    "UpdateTimeToLive",
}
_TRANSACTED = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_PASSED_ON = ("Select", "ReturnValues", "ReturnConsumedCapacity")

KEYS = {
    *("dynamodb:leadingkeys", "dynamodb:enclosingoperation"),
    *(f"dynamodb:{name.lower()}" for name in _PASSED_ON),
}

Body = Mapping[str, Any]
Keys = Iterable[Mapping[str, Any]]


def needs(call: Call, lookups: Lookups) -> list[Need]:
    """Raises Unmapped for an operation that isn't known."""
    body, operation = call.parameters, call.operation
    if operation in ("TransactWriteItems", "TransactGetItems"):
        return [
            _item_need(call, lookups, _transacted(name), part, operation)
            for item in body["TransactItems"]
            for name, part in item.items()
        ]
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return [
            _need(call, operation, table, body, _leading(lookups, table, None, _batch_items(requests)))
            for table, requests in body["RequestItems"].items()
        ]
    if operation in _ITEM:
        return [_item_need(call, lookups, operation, body, None)]
    if operation in _SEARCH:
        return [_search_need(call, lookups, body)]
    if operation in _TABLE:
        return [_need(call, operation, body["TableName"], body, ())]
    if operation == "ListTables":
        return [Need("dynamodb:ListTables", "*")]
    raise Unmapped(f"dynamodb:{operation}")


def _transacted(name: str) -> str:
    if name not in _TRANSACTED:
        raise Unmapped(f"dynamodb transaction item {name}")
    return _TRANSACTED[name]


def _item_need(call: Call, lookups: Lookups, action: str, body: Body, enclosing: str | None) -> Need:
    item = body.get("Item") or body.get("Key") or {}
    keys = _leading(lookups, body["TableName"], None, [item])
    need = _need(call, action, body["TableName"], body, keys)
    if enclosing is None:
        return need
    return Need(need.action, need.resource, {**need.context, "dynamodb:enclosingoperation": enclosing})


def _search_need(call: Call, lookups: Lookups, body: Body) -> Need:
    table, index = body["TableName"], body.get("IndexName")
    keys = _queried(lookups, table, index, body) if call.operation == "Query" else ()
    return _need(call, call.operation, table, body, keys, index)


def _need(
    call: Call, action: str, table: str, body: Body, keys: tuple[str, ...], index: str | None = None
) -> Need:
    arn = table if table.startswith("arn:") else call.arn(f"table/{table}")
    context: dict[str, str | tuple[str, ...]] = {
        f"dynamodb:{name.lower()}": str(body[name]) for name in _PASSED_ON if name in body
    }
    if keys:
        context["dynamodb:leadingkeys"] = keys
    return Need(f"dynamodb:{action}", f"{arn}/index/{index}" if index else arn, context)


def _batch_items(requests: Any) -> list[Mapping[str, Any]]:
    if isinstance(requests, Mapping):
        return list(requests["Keys"])
    parts = [part for request in requests for part in request.values()]
    return [part.get("Item") or part.get("Key") or {} for part in parts]


def _leading(lookups: Lookups, table: str, index: str | None, items: Keys) -> tuple[str, ...]:
    name = lookups.partition_key(_table_name(table), index)
    return tuple(dict.fromkeys(_plain(item[name]) for item in items if name is not None and name in item))


def _queried(lookups: Lookups, table: str, index: str | None, body: Body) -> tuple[str, ...]:
    """The one partition a Query reads: KeyConditionExpression (or the older KeyConditions) names it."""
    name = lookups.partition_key(_table_name(table), index)
    if name is None:
        return ()
    if "KeyConditions" in body:
        condition = body["KeyConditions"].get(name, {})
        return tuple(_plain(value) for value in condition.get("AttributeValueList", []))
    aliases = [
        name,
        *(alias for alias, real in body.get("ExpressionAttributeNames", {}).items() if real == name),
    ]
    for alias in aliases:
        pattern = rf"(?<![\w#.:]){re.escape(alias)}\s*=\s*(:\w+)"
        found = re.search(pattern, body.get("KeyConditionExpression", ""))
        if found and found[1] in body.get("ExpressionAttributeValues", {}):
            return (_plain(body["ExpressionAttributeValues"][found[1]]),)
    return ()


def _table_name(table: str) -> str:
    return table.rpartition("/")[2]


def _plain(value: Mapping[str, Any]) -> str:
    """{"S": "x"} ▸ "x"."""
    return str(next(iter(value.values())))
