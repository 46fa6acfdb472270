"""How large DynamoDB takes plain values to be, as `localaws.dynamodb.limits` has it for what the API carries."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from botocore.exceptions import ClientError

from localaws.dynamodb.limits import (
    MOST_ITEM_BYTES,
    MOST_PARTITION_KEY_BYTES,
    MOST_SORT_KEY_BYTES,
    attribute_size,
)


def size(value: Any) -> int:
    """Bytes of a value without its name: a text, a number, a truth, None, a list or a dict."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    if isinstance(value, dict):
        return 3 + sum(1 + len(name.encode()) + size(one) for name, one in value.items())
    if isinstance(value, list | tuple):
        return 3 + sum(1 + size(one) for one in value)
    return 1 if value is None or isinstance(value, bool) else _number_size(value)


@lru_cache(maxsize=4096)
def _number_size(value: int | Decimal) -> int:
    return attribute_size({"N": str(value)})


def item_size(item: dict[str, Any]) -> int:
    """Bytes of an item."""
    return size(item) - 3 - len(item)


def check_item(item: dict[str, Any], what: str) -> int:
    """Its size. Raises ClientError, as DynamoDB does, if it or its key is too large."""
    check_key(item, what)
    found = item_size(item)
    if found > MOST_ITEM_BYTES:
        raise invalid(f"Item size has exceeded the maximum allowed size: {found}", what)
    return found


def check_key(key: dict[str, Any], what: str) -> None:
    """Raise ClientError if a key is too long."""
    if size(key["pk"]) > MOST_PARTITION_KEY_BYTES or size(key["sk"]) > MOST_SORT_KEY_BYTES:
        raise invalid(f"One or more parameter values were invalid: too long a key, {key['sk']}", what)


def invalid(message: str, what: str) -> ClientError:
    """DynamoDB's answer to what can't be."""
    return ClientError({"Error": {"Code": "ValidationException", "Message": message}}, what)
