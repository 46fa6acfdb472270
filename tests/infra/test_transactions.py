"""DynamoDB on the laptop: transactions are all or nothing, and nobody's write is undone by somebody else's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ledger_kit import make_ledger_table
from localaws.server import Server, moto


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    server = Server(moto())
    client = server.endpoint.client("dynamodb")
    make_ledger_table(client, "transactions")
    yield client
    server.stop()


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "x"}}


def put(name: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "transactions", "Item": key(name), **more}}


def there(dynamodb: Any, name: str) -> bool:
    return "Item" in dynamodb.get_item(TableName="transactions", Key=key(name), ConsistentRead=True)


def test_a_failed_condition_cancels_everything_and_says_which(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[put("taken")])
    only_new = {"ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(ClientError) as caught:
        dynamodb.transact_write_items(TransactItems=[put("beside"), put("taken", **only_new)])
    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    assert not there(dynamodb, "beside")


def test_a_write_that_fails_after_the_conditions_held_takes_everything_back(dynamodb: Any) -> None:
    broken = {
        "Update": {
            "TableName": "transactions",
            "Key": key("number"),
            "UpdateExpression": "SET history = list_append(nowhere, :entry)",
            "ExpressionAttributeValues": {":entry": {"L": []}},
        }
    }
    with pytest.raises(ClientError):
        dynamodb.transact_write_items(TransactItems=[put("first"), broken])
    assert not there(dynamodb, "first")


def test_the_same_item_twice_in_a_transaction_is_refused(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="multiple operations on one item"):
        dynamodb.transact_write_items(TransactItems=[put("twice"), put("twice")])


def test_a_transaction_that_fails_undoes_nothing_that_others_write(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[put("exists")])
    for start in range(0, 1000, 100):  # a table that takes a while to copy
        more = [put(f"filler-{number}") for number in range(start, start + 100)]
        dynamodb.transact_write_items(TransactItems=more)
    only_new = {"ConditionExpression": "attribute_not_exists(pk)"}
    failures: list[BaseException] = []

    def fail_again_and_again() -> None:
        for _ in range(100):
            try:
                dynamodb.transact_write_items(TransactItems=[put("exists", **only_new)])
            except dynamodb.exceptions.TransactionCanceledException:
                pass
            except BaseException as error:  # noqa: BLE001  (told by the assertion below)
                failures.append(error)

    def count(thread: int) -> None:
        for number in range(200):
            item = {**key(f"counter-{thread}"), "n": {"N": str(number)}}
            dynamodb.put_item(TableName="transactions", Item=item)
            found = dynamodb.get_item(TableName="transactions", Key=key(f"counter-{thread}"))["Item"]
            if found != item:
                failures.append(AssertionError(f"wrote {item}, found {found}"))

    threads = [threading.Thread(target=fail_again_and_again) for _ in range(2)]
    threads += [threading.Thread(target=count, args=(thread,)) for thread in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
