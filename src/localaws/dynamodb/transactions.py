"""DynamoDB's transactions, isolated and all or nothing; moto's are neither.

moto copies the whole table before each item of a transaction and restores the copy if a condition fails: that undoes
concurrent writes, and takes longer the larger the table is.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    MockValidationException,
    MultipleTransactionsException,
    TooManyTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models import DynamoDBBackend

from localaws.dynamodb.limits import MOST_ACTIONS, check_key, check_transaction, item_size

# One request at a time, as if each were a transaction; requests take well under a millisecond.
_one_at_a_time = threading.RLock()

Action = tuple[str, dict[str, Any], dict[str, Any]]  # kind, body, key


def one_at_a_time(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Requests exclude each other."""
    with _one_at_a_time:
        return call(*arguments, **named)


def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Check every condition, then write everything; if a write fails after all, roll back.

    Raises TransactionCanceledException with a reason per action, as DynamoDB does: also for a key or an item that
    is too large ("ValidationError"). AWS docs: "TransactWriteItems", "TransactionCanceledException".
    """
    if len(transact_items) > MOST_ACTIONS:
        raise TooManyTransactionsException()
    with _one_at_a_time:
        actions = [_action(backend, item) for item in transact_items]
        _refuse_repeated(actions)
        reasons = [_reason(backend, action) for action in actions]
        if any(code for code, _, _ in reasons):
            raise TransactionCanceledException(reasons)
        _write(backend, actions)


def _action(backend: DynamoDBBackend, item: dict[str, Any]) -> Action:
    if len(item) != 1:
        raise TransactWriteSingleOpException
    ((kind, body),) = item.items()
    if kind != "Put":
        return kind, body, body["Key"]
    table = backend.get_table(body["TableName"])
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
    return kind, body, {name: body["Item"][name] for name in names}


def _refuse_repeated(actions: list[Action]) -> None:
    keys = [(body["TableName"], str(sorted(key.items()))) for _, body, key in actions]
    if len(set(keys)) < len(keys):
        raise MultipleTransactionsException()


def _reason(backend: DynamoDBBackend, action: Action) -> tuple[str | None, str | None, Any]:
    """Why this action cancels the transaction; (None, None, None) if it doesn't."""
    _, body, key = action
    condition = body.get("ConditionExpression")
    if condition is None:
        return None, None, None
    current = backend.get_item(body["TableName"], key)
    names, values = body.get("ExpressionAttributeNames"), body.get("ExpressionAttributeValues")
    if get_filter_expression(condition, names, values).expr(current):
        return None, None, None
    wanted = body.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and current
    old = current.to_json()["Attributes"] if wanted else None
    return "ConditionalCheckFailed", "The conditional request failed", old


def _write(backend: DynamoDBBackend, actions: list[Action]) -> None:
    undo: list[Callable[[], Any]] = []
    sizes: list[int] = []
    try:
        for action in actions:
            _, body, key = action
            before = backend.get_item(body["TableName"], key)
            size = item_size(before.attrs) if before else 0
            undo.append(_restore(backend, body["TableName"], key, before))
            try:
                check_key(backend.get_table(body["TableName"]), key)
                _write_one(backend, action)
            except MockValidationException as error:
                reason = ("ValidationError", error.exception_msg, None)
                nothing = (None, None, None)
                raise TransactionCanceledException(
                    [reason if one is action else nothing for one in actions]
                ) from error
            after = backend.get_item(body["TableName"], key)
            sizes.append(max(size, item_size(after.attrs) if after else 0))
        check_transaction(sizes)
    except BaseException:
        for restore in reversed(undo):
            restore()
        raise


def _write_one(backend: DynamoDBBackend, action: Action) -> None:
    kind, body, key = action
    if kind == "Put":
        backend.put_item(body["TableName"], body["Item"])
    elif kind == "Delete":
        backend.delete_item(body["TableName"], key)
    elif kind == "Update":
        backend.update_item(
            body["TableName"],
            key,
            update_expression=body["UpdateExpression"],
            expression_attribute_names=body.get("ExpressionAttributeNames"),
            expression_attribute_values=body.get("ExpressionAttributeValues"),
        )


def _restore(backend: DynamoDBBackend, table: str, key: dict[str, Any], before: Any) -> Callable[[], Any]:
    if before is None:
        return lambda: backend.delete_item(table, key)
    attributes = copy.deepcopy(before.to_json()["Attributes"])
    return lambda: backend.put_item(table, attributes)
