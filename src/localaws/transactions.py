"""DynamoDB's transactions, isolated and all or nothing; moto's are neither.

moto copies the whole table before each item of a transaction and puts the copy back if a condition fails: it
undoes what others have written meanwhile, and takes longer the more the table holds.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from functools import cache
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
from moto.dynamodb.responses import DynamoHandler

from localaws import dynamodb_limits
from localaws.dynamodb_limits import MOST_ACTIONS, check_key, check_transaction, item_size

# One request at a time, as if each were a transaction; requests take well under a millisecond.
_one_at_a_time = threading.RLock()

Action = tuple[str, dict[str, Any], dict[str, Any]]  # kind, what it says, key


@cache
def install() -> None:
    """Mend moto's DynamoDB, in this process, for good. Calling it again changes nothing."""
    call = DynamoHandler.call_action

    def call_action(handler: DynamoHandler, *arguments: Any, **named: Any) -> Any:
        with _one_at_a_time:
            return call(handler, *arguments, **named)

    DynamoHandler.call_action = call_action
    DynamoDBBackend.transact_write_items = _transact
    dynamodb_limits.install()


def _transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Check every condition, then write everything; if a write fails after all, take back what was written.

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
    ((kind, told),) = item.items()
    if kind != "Put":
        return kind, told, told["Key"]
    table = backend.get_table(told["TableName"])
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
    return kind, told, {name: told["Item"][name] for name in names}


def _refuse_repeated(actions: list[Action]) -> None:
    keys = [(told["TableName"], str(sorted(key.items()))) for _, told, key in actions]
    if len(set(keys)) < len(keys):
        raise MultipleTransactionsException()


def _reason(backend: DynamoDBBackend, action: Action) -> tuple[str | None, str | None, Any]:
    """Why this action cancels the transaction; (None, None, None) if it doesn't."""
    _, told, key = action
    condition = told.get("ConditionExpression")
    if condition is None:
        return None, None, None
    current = backend.get_item(told["TableName"], key)
    names, values = told.get("ExpressionAttributeNames"), told.get("ExpressionAttributeValues")
    if get_filter_expression(condition, names, values).expr(current):
        return None, None, None
    wanted = told.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and current
    old = current.to_json()["Attributes"] if wanted else None
    return "ConditionalCheckFailed", "The conditional request failed", old


def _write(backend: DynamoDBBackend, actions: list[Action]) -> None:
    undo: list[Callable[[], Any]] = []
    sizes: list[int] = []
    try:
        for action in actions:
            _, told, key = action
            before = backend.get_item(told["TableName"], key)
            size = item_size(before.attrs) if before else 0
            undo.append(_restore(backend, told["TableName"], key, before))
            try:
                check_key(backend.get_table(told["TableName"]), key)
                _write_one(backend, action)
            except MockValidationException as error:
                reason = ("ValidationError", error.exception_msg, None)
                nothing = (None, None, None)
                raise TransactionCanceledException(
                    [reason if one is action else nothing for one in actions]
                ) from error
            after = backend.get_item(told["TableName"], key)
            sizes.append(max(size, item_size(after.attrs) if after else 0))
        check_transaction(sizes)
    except BaseException:
        for take_back in reversed(undo):
            take_back()
        raise


def _write_one(backend: DynamoDBBackend, action: Action) -> None:
    kind, told, key = action
    if kind == "Put":
        backend.put_item(told["TableName"], told["Item"])
    elif kind == "Delete":
        backend.delete_item(told["TableName"], key)
    elif kind == "Update":
        backend.update_item(
            told["TableName"],
            key,
            update_expression=told["UpdateExpression"],
            expression_attribute_names=told.get("ExpressionAttributeNames"),
            expression_attribute_values=told.get("ExpressionAttributeValues"),
        )


def _restore(backend: DynamoDBBackend, table: str, key: dict[str, Any], before: Any) -> Callable[[], Any]:
    if before is None:
        return lambda: backend.delete_item(table, key)
    attributes = copy.deepcopy(before.to_json()["Attributes"])
    return lambda: backend.put_item(table, attributes)
