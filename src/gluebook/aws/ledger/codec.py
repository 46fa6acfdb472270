"""Ledger items to values and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, TypeVar

from gluebook.core.history import clipped_reason
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts, FileVersion, NotedVerdict
from gluebook.core.states import BatchState, FileState

Item = dict[str, Any]
T = TypeVar("T", FileVersion, Batch, NotedVerdict)

# The stored name of a batch's `row_references`: earlier releases called them vouchers, and stored names stay.
_ROW_REFERENCES = "vouchers"
# An item also has its history, which can be longer than all these attributes together.
FILE_ATTRIBUTES = tuple(each.name for each in fields(FileVersion))
BATCH_ATTRIBUTES = tuple(
    _ROW_REFERENCES if each.name == "row_references" else each.name for each in fields(Batch)
)


def file_item(file: FileVersion) -> Item:
    """A file version's attributes; absent ones are left out."""
    values = {**asdict(file), "reason": clipped_reason(file.reason)}
    return {name: value for name, value in values.items() if value is not None}


def file_from(item: Item) -> FileVersion:
    """The file version of an item, a pending marker or a batch's file."""
    return _of(FileVersion, item, state=FileState(item["state"]))


def batch_item(batch: Batch) -> Item:
    """A batch's attributes; absent ones are left out."""
    values = {**asdict(batch), "reason": clipped_reason(batch.reason), "partitions": list(batch.partitions)}
    values[_ROW_REFERENCES] = values.pop("row_references")
    return {name: value for name, value in values.items() if value is not None}


def batch_from(item: Item) -> Batch:
    """The batch of an item."""
    return _of(
        Batch,
        item,
        state=BatchState(item["state"]),
        counts=Counts(**{name: int(count) for name, count in item["counts"].items()}),
        row_references=int(item[_ROW_REFERENCES]),
        partitions=tuple(item["partitions"]),
    )


def verdict_item(noted: NotedVerdict) -> Item:
    """A verdict's attributes; absent ones are left out. `token` distinguishes the verdicts on one batch."""
    values = {name: value for name, value in asdict(noted).items() if value is not None}
    return {**values, "token": noted.token}


def verdict_from(item: Item) -> NotedVerdict:
    """The verdict of an item."""
    # Earlier releases stored no manifest: its name followed from the generation.
    manifest = item.get("manifest") or Lake("").quality_manifest_of_generation(
        item["dataset"], item["batch_id"], int(item["generation"])
    )
    return _of(NotedVerdict, item, manifest=manifest)


def _of(kind: type[T], item: Item, **converted: Any) -> T:
    """A value of `kind`: `converted`, and the item's other attributes; absent ones have their defaults.

    DynamoDB gives every number as a Decimal.
    """
    stored: dict[str, Any] = {
        each.name: int(item[each.name]) if each.type == "int" else item[each.name]
        for each in fields(kind)
        if each.name in item
    }
    return kind(**(stored | converted))
