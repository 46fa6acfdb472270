"""DynamoDB's size limits, as AWS counts them; moto counts names and values, but no overhead.

AWS docs: "Quotas in Amazon DynamoDB" (1 KB is 1,024 bytes) and "DynamoDB item sizes and formats". What moto does as
documented stays: 100 keys and 16 MB per BatchGetItem with UnprocessedKeys, pages with LastEvaluatedKey.
"""

from __future__ import annotations

import base64
import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from moto.dynamodb.exceptions import (
    HashKeyTooLong,
    ItemSizeTooLarge,
    ItemSizeToUpdateTooLarge,
    MockValidationException,
    RangeKeyTooLong,
)
from moto.dynamodb.models.dynamo_type import DynamoType

MOST_ITEM_BYTES = 400 * 1024
MOST_PARTITION_KEY_BYTES = 2048
MOST_SORT_KEY_BYTES = 1024
MOST_PAGE_BYTES = 1024 * 1024
MOST_ACTIONS = 100
MOST_TRANSACTION_BYTES = 4 * 1024 * 1024
_MOST_BATCH_PUTS = 25
_MOST_BATCH_BYTES = 16 * 1024 * 1024
_CONTAINER_BYTES = 3
_ELEMENT_BYTES = 1

# An attribute as the API writes it, such as {"S": "text"}, or as moto keeps it.
Attribute = Any


def attribute_size(attribute: Attribute) -> int:
    """Bytes of a value, without its name. AWS docs: "DynamoDB item sizes and formats"."""
    kind, value = (
        (attribute.type, attribute.value)
        if isinstance(attribute, DynamoType)
        else next(iter(attribute.items()))
    )
    if kind == "M":
        return _CONTAINER_BYTES + sum(
            _ELEMENT_BYTES + len(name.encode()) + attribute_size(one) for name, one in value.items()
        )
    if kind == "L":
        return _CONTAINER_BYTES + sum(_ELEMENT_BYTES + attribute_size(one) for one in value)
    if kind in ("SS", "NS", "BS"):
        return sum(_scalar_size(kind[0], one) for one in value)
    return _scalar_size(kind, value)


def _scalar_size(kind: str, value: Any) -> int:
    if kind == "S":
        return len(value.encode())
    if kind == "N":
        # A byte for two significant digits, and one.
        digits = Decimal(value).normalize().as_tuple().digits
        return math.ceil(len(digits) / 2) + 1
    if kind == "B":
        return len(value if isinstance(value, bytes) else base64.b64decode(value))
    return 1  # NULL and BOOL


def item_size(attributes: Mapping[str, Attribute]) -> int:
    """Bytes of an item: names and values as UTF-8."""
    return sum(len(name.encode()) + attribute_size(value) for name, value in attributes.items())


def check_key(of: Any, key: Mapping[str, Any]) -> None:
    """Raise moto's HashKeyTooLong or RangeKeyTooLong for a key that is too long for any item of table `of`."""
    if attribute_size(key.get(of.hash_key_attr, {"S": ""})) > MOST_PARTITION_KEY_BYTES:
        raise HashKeyTooLong
    if of.range_key_attr and attribute_size(key.get(of.range_key_attr, {"S": ""})) > MOST_SORT_KEY_BYTES:
        raise RangeKeyTooLong


def check_transaction(sizes: Iterable[int]) -> None:
    """Raise ValidationException if the items of a transaction, `sizes` in bytes, are too large together."""
    if sum(sizes) > MOST_TRANSACTION_BYTES:
        raise MockValidationException("Transaction request size has exceeded the maximum limit of 4 MB")


def put_item(
    put: Callable[..., Any], it: Any, item_attrs: dict[str, Any], *arguments: Any, **named: Any
) -> Any:
    """Table.put_item; raises ItemSizeTooLarge."""
    if item_size(item_attrs) > MOST_ITEM_BYTES:
        raise ItemSizeTooLarge
    return put(it, item_attrs, *arguments, **named)


def update_item(
    update: Callable[..., Any],
    backend: Any,
    table_name: str,
    key: dict[str, Any],
    *arguments: Any,
    **named: Any,
) -> Any:
    """DynamoDBBackend.update_item; raises ItemSizeToUpdateTooLarge, with the item as it was.

    moto changes the item in place, so one that might become too large is copied first.
    """
    before = backend.get_item(table_name, key)
    values = named.get("expression_attribute_values") or {}
    most = (item_size(before.attrs) if before else 0) * 2 + item_size(values)
    kept = copy.deepcopy(before.attrs) if before is not None and most > MOST_ITEM_BYTES else None
    item = update(backend, table_name, key, *arguments, **named)
    if item_size(item.attrs) <= MOST_ITEM_BYTES:
        return item
    if kept is not None:
        item.attrs = kept
    elif before is None:
        backend.delete_item(table_name, key)
    raise ItemSizeToUpdateTooLarge


def check_request(respond: Callable[[Any], Any], handler: Any) -> Any:
    """One of the REQUESTS; raises as `check_key` for any key in it."""
    for table_name, key in REQUESTS[respond.__name__](handler.body):
        check_key(handler.dynamodb_backend.get_table(table_name), key)
    return respond(handler)


def _key(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield body["TableName"], body["Key"]


def _keys_read(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for table_name, asked in body["RequestItems"].items():
        for key in asked["Keys"]:
            yield table_name, key


def _keys_written(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys of a BatchWriteItem; those of its puts are checked with their items."""
    requests = [(name, one) for name, several in body["RequestItems"].items() for one in several]
    if len(requests) > _MOST_BATCH_PUTS:
        raise MockValidationException(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Map value must "
            f"satisfy constraint: [Member must have length less than or equal to {_MOST_BATCH_PUTS}, "
            "Member must have length greater than or equal to 1]"
        )
    puts = [one["PutRequest"]["Item"] for _, one in requests if "PutRequest" in one]
    if any(item_size(item) > MOST_ITEM_BYTES for item in puts):
        raise ItemSizeTooLarge
    if sum(map(item_size, puts)) > _MOST_BATCH_BYTES:
        raise MockValidationException("Batch write request size has exceeded the maximum limit of 16 MB")
    for table_name, one in requests:
        yield table_name, one["DeleteRequest"]["Key"] if "DeleteRequest" in one else one["PutRequest"]["Item"]


# Operation ▸ (table, key) of all that its body names.
REQUESTS: dict[str, Callable[[dict[str, Any]], Iterable[tuple[str, Any]]]] = {
    "get_item": _key,
    "update_item": _key,
    "delete_item": _key,
    "batch_get_item": _keys_read,
    "batch_write_item": _keys_written,
}
