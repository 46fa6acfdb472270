"""What is changed in moto's DynamoDB."""

from __future__ import annotations

from moto.dynamodb import responses
from moto.dynamodb.models import DynamoDBBackend, table
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

from localaws.dynamodb.limits import (
    MOST_ACTIONS,
    MOST_PAGE_BYTES,
    REQUESTS,
    attribute_size,
    check_request,
    item_size,
    put_item,
    update_item,
)
from localaws.dynamodb.transactions import one_at_a_time, transact_write_items
from localaws.patches import Patches, around, replace

PATCHES = Patches(
    # moto adds the old and the new value of an attribute that is replaced, and stops at 405,000 bytes.
    replace(LimitedSizeDict, "__setitem__", dict.__setitem__),
    replace(DynamoType, "size", attribute_size),
    replace(Item, "size", lambda item: item_size(item.attrs)),
    replace(table, "RESULT_SIZE_LIMIT", MOST_PAGE_BYTES),
    replace(responses, "TRANSACTION_MAX_ITEMS", MOST_ACTIONS),
    around(table.Table, "put_item", put_item),
    around(DynamoDBBackend, "update_item", update_item),
    *(around(responses.DynamoHandler, name, check_request) for name in REQUESTS),
    around(responses.DynamoHandler, "call_action", one_at_a_time),
    replace(DynamoDBBackend, "transact_write_items", transact_write_items),
)
