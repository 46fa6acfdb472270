"""DynamoDB: how large an item, a key and a transaction may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger_kit import make_ledger_table
from verify_aws.kit import Place, answer_of

_ITEM_BYTES = 400 * 1024
_ACTIONS = 100


def probes(place: Place) -> Iterator[tuple[str, str]]:
    """(probe, answer)"""
    table, client = f"{place.name}-table", place.client("dynamodb")
    make_ledger_table(client, table)
    place.later(lambda: client.delete_table(TableName=table))
    client.get_waiter("table_exists").wait(TableName=table)

    def put(pk: str, sk: str, text: str = "") -> str:
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "t": {"S": text}}
        return answer_of(lambda: client.put_item(TableName=table, Item=item))

    # Names and values count: pk, sk and t, and what they hold.
    room = _ITEM_BYTES - len("pk" + "a" + "sk" + "b" + "t")
    yield "dynamodb: an item of 400 KB", put("a", "b", "x" * room)
    yield "dynamodb: an item of 400 KB and a byte", put("a", "b", "x" * (room + 1))
    yield "dynamodb: a sort key of 1,024 bytes", put("a", "s" * 1024)
    yield "dynamodb: a sort key of 1,025 bytes", put("a", "s" * 1025)
    yield "dynamodb: a partition key of 2,048 bytes", put("p" * 2048, "b")
    yield "dynamodb: a partition key of 2,049 bytes", put("p" * 2049, "b")

    def transact(actions: int) -> str:
        puts: list[dict[str, Any]] = [
            {"Put": {"TableName": table, "Item": {"pk": {"S": f"t{n}"}, "sk": {"S": "s"}}}}
            for n in range(actions)
        ]
        return answer_of(lambda: client.transact_write_items(TransactItems=puts))

    yield "dynamodb: a transaction of 100 actions", transact(_ACTIONS)
    yield "dynamodb: a transaction of 101 actions", transact(_ACTIONS + 1)

    for number in range(4):
        put("page", str(number), "x" * 300_000)
    asked = client.query(
        TableName=table,
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "page"}},
    )
    more = "and more" if "LastEvaluatedKey" in asked else "and no more"
    yield "dynamodb: a query of four items of 300 KB", f"{asked['Count']} items {more}"
