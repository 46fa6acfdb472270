"""DynamoDB's limits on the laptop: what AWS refuses for its size is refused, and a page ends where AWS ends it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloudformation_server import client, serving
from ledger_kit import make_ledger_table
from localaws.dynamodb.limits import MOST_ITEM_BYTES, attribute_size, item_size

KB = 1024


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with serving() as endpoint:
        yield client(endpoint, "dynamodb")


@pytest.fixture
def table(dynamodb: Any) -> str:
    return make_ledger_table(dynamodb, f"limits-{uuid.uuid4().hex[:12]}")


def key(pk: str = "p", sk: str = "s") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def of_size(size: int, sk: str = "s") -> dict[str, Any]:
    """An item of exactly `size` bytes."""
    bare = {**key(sk=sk), "text": {"S": ""}}
    return {**bare, "text": {"S": "x" * (size - item_size(bare))}}


def refusal(call: Any, *arguments: Any, **named: Any) -> str:
    """The code of an error, with those of the reasons if a transaction is cancelled."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    response = caught.value.response
    reasons = [reason["Code"] for reason in response.get("CancellationReasons", [])]
    return " ".join([response["Error"]["Code"], *reasons])


@pytest.mark.parametrize(
    ("attribute", "size"),
    [
        ({"S": "é€"}, 5),
        ({"N": "0"}, 2),
        ({"N": "-123.450"}, 4),
        ({"N": "1000000"}, 2),
        ({"B": "AAEC"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"BOOL": True}]}, 3 + 1 + 2 + 1 + 1),
        ({"M": {"né": {"S": "ab"}}}, 3 + 1 + 3 + 2),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_values_are_as_large_as_aws_says(attribute: dict[str, Any], size: int) -> None:
    assert attribute_size(attribute) == size


def test_an_item_of_400_kb_is_kept_and_one_byte_more_is_refused(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=of_size(MOST_ITEM_BYTES))
    assert refusal(dynamodb.put_item, TableName=table, Item=of_size(MOST_ITEM_BYTES + 1)) == (
        "ValidationException"
    )


def test_an_attribute_that_is_replaced_counts_once(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=of_size(300 * KB))
    dynamodb.update_item(
        TableName=table,
        Key=key(),
        UpdateExpression="SET #text = :text",
        ExpressionAttributeNames={"#text": "text"},
        ExpressionAttributeValues={":text": {"S": "y" * 300 * KB}},
    )


def appended(table: str, size: int, sk: str = "s") -> dict[str, Any]:
    return {
        "TableName": table,
        "Key": key(sk=sk),
        "UpdateExpression": "SET history = list_append(history, :entry)",
        "ExpressionAttributeValues": {":entry": {"L": [{"S": "x" * size}]}},
    }


def test_an_update_that_makes_an_item_too_large_leaves_it_as_it_was(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item={**key(), "history": {"L": []}})
    dynamodb.update_item(**appended(table, 390 * KB))
    assert refusal(dynamodb.update_item, **appended(table, 20 * KB)) == "ValidationException"
    new = {"TableName": table, "Key": key(sk="new"), "UpdateExpression": "SET t = :t"}
    large = {":t": {"S": "x" * MOST_ITEM_BYTES}}
    assert refusal(dynamodb.update_item, **new, ExpressionAttributeValues=large) == "ValidationException"
    [kept] = dynamodb.scan(TableName=table)["Items"]
    assert len(kept["history"]["L"]) == 1


def test_an_item_that_becomes_too_large_cancels_the_transaction_and_says_which(
    dynamodb: Any, table: str
) -> None:
    dynamodb.put_item(TableName=table, Item={**key(), "history": {"L": []}})
    actions = [
        {"Put": {"TableName": table, "Item": key(sk="beside")}},
        {"Update": appended(table, MOST_ITEM_BYTES)},
    ]
    assert refusal(dynamodb.transact_write_items, TransactItems=actions) == (
        "TransactionCanceledException None ValidationError"
    )
    assert len(dynamodb.scan(TableName=table)["Items"]) == 1


@pytest.mark.parametrize("long", [key(sk="s" * 1025), key(pk="p" * 2049)])
def test_a_key_that_is_too_long_is_refused_whatever_is_asked(
    dynamodb: Any, table: str, long: dict[str, Any]
) -> None:
    invalid = "ValidationException"
    assert refusal(dynamodb.put_item, TableName=table, Item=long) == invalid
    assert refusal(dynamodb.get_item, TableName=table, Key=long) == invalid
    assert refusal(dynamodb.delete_item, TableName=table, Key=long) == invalid
    assert refusal(dynamodb.batch_get_item, RequestItems={table: {"Keys": [long]}}) == invalid
    for action in (
        {"Put": {"TableName": table, "Item": long}},
        {"Delete": {"TableName": table, "Key": long}},
        {"Update": {**appended(table, 1), "Key": long}},
    ):
        assert refusal(dynamodb.transact_write_items, TransactItems=[action]) == (
            "TransactionCanceledException ValidationError"
        )


def test_keys_count_in_bytes_and_may_be_as_long_as_aws_says(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=key(pk="é" * 1024, sk="é" * 512))
    assert refusal(dynamodb.put_item, TableName=table, Item=key(sk="é" * 513)) == "ValidationException"


def test_a_transaction_takes_100_actions_and_4_mb(dynamodb: Any, table: str) -> None:
    puts = [{"Put": {"TableName": table, "Item": key(sk=str(number))}} for number in range(101)]
    assert refusal(dynamodb.transact_write_items, TransactItems=puts) == "ValidationException"
    dynamodb.transact_write_items(TransactItems=puts[:100])
    large = [
        {"Put": {"TableName": table, "Item": of_size(390 * KB, sk=f"large-{number}")}} for number in range(11)
    ]
    assert refusal(dynamodb.transact_write_items, TransactItems=large) == "ValidationException"
    dynamodb.transact_write_items(TransactItems=large[:10])
    assert len(dynamodb.scan(TableName=table, Select="COUNT", Limit=50)["LastEvaluatedKey"]) == 2


def test_a_page_ends_at_1_mb_and_says_where(dynamodb: Any, table: str) -> None:
    for number in range(5):
        dynamodb.put_item(TableName=table, Item=of_size(300 * KB, sk=str(number)))
    condition = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "p"}},
    }
    for asked, more in ((dynamodb.query, condition), (dynamodb.scan, {})):
        first = asked(TableName=table, **more)
        assert [item["sk"]["S"] for item in first["Items"]] == ["0", "1", "2"]
        assert first["LastEvaluatedKey"] == key(sk="2")
        rest = asked(TableName=table, ExclusiveStartKey=first["LastEvaluatedKey"], **more)
        assert [item["sk"]["S"] for item in rest["Items"]] == ["3", "4"]
        assert "LastEvaluatedKey" not in rest


def test_a_batch_read_gives_16_mb_and_the_keys_that_are_left(dynamodb: Any, table: str) -> None:
    names = [str(number) for number in range(45)]
    for name in names:
        dynamodb.put_item(TableName=table, Item=of_size(390 * KB, sk=name))
    asked = {table: {"Keys": [key(sk=name) for name in names]}}
    answer = dynamodb.batch_get_item(RequestItems=asked)
    assert len(answer["Responses"][table]) == 42
    assert len(answer["UnprocessedKeys"][table]["Keys"]) == 3
    too_many = {table: {"Keys": [key(sk=f"{number}") for number in range(101)]}}
    assert refusal(dynamodb.batch_get_item, RequestItems=too_many) == "ValidationException"


def test_a_batch_write_takes_25_requests_and_no_item_that_is_too_large(dynamodb: Any, table: str) -> None:
    puts = [{"PutRequest": {"Item": key(sk=str(number))}} for number in range(26)]
    assert refusal(dynamodb.batch_write_item, RequestItems={table: puts}) == "ValidationException"
    large = [*puts[:2], {"PutRequest": {"Item": of_size(MOST_ITEM_BYTES + 1)}}]
    assert refusal(dynamodb.batch_write_item, RequestItems={table: large}) == "ValidationException"
    long = [*puts[:2], {"DeleteRequest": {"Key": key(sk="s" * 1025)}}]
    assert refusal(dynamodb.batch_write_item, RequestItems={table: long}) == "ValidationException"
    assert dynamodb.scan(TableName=table)["Count"] == 0
    dynamodb.batch_write_item(RequestItems={table: puts[:25]})
    assert dynamodb.scan(TableName=table)["Count"] == 25
