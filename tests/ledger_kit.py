"""A table as the template makes the ledger's, for tests that deploy no template."""

from __future__ import annotations

from typing import Any

_KEYS = {"pk": "HASH", "sk": "RANGE"}


def make_ledger_table(dynamodb: Any, name: str) -> str:
    """Create the table with a client of DynamoDB; its name."""
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in _KEYS],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in _KEYS.items()],
    )
    return name
