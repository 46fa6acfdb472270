"""Ledger items to values and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.states import BatchState, FileState

Item = dict[str, Any]

# What an item has beside these is its history, which can be longer than all of them.
FILE_ATTRIBUTES = tuple(each.name for each in fields(FileVersion))
BATCH_ATTRIBUTES = tuple(each.name for each in fields(Batch))

_FILE_FIELDS = (
    "file_id",
    "bucket",
    "key",
    "version_id",
    "order",
    "dataset",
    "source",
    "dt",
    "registered_at",
)


def file_item(file: FileVersion) -> Item:
    """A file version's attributes; absent ones are left out."""
    return {name: value for name, value in asdict(file).items() if value is not None}


def file_from(item: Item) -> FileVersion:
    """The file version that an item (or a pending marker, or a batch's file) stands for."""
    return FileVersion(
        **{name: item[name] for name in _FILE_FIELDS},
        size=int(item["size"]),
        state=FileState(item["state"]),
        waiting_since=item.get("waiting_since", ""),
        group=item.get("group"),
        batch_id=item.get("batch_id"),
        reason=item.get("reason"),
    )


def batch_item(batch: Batch) -> Item:
    """A batch's attributes; absent ones are left out."""
    values = {name: value for name, value in asdict(batch).items() if value is not None}
    return {**values, "partitions": list(batch.partitions)}


def batch_from(item: Item) -> Batch:
    """The batch that an item stands for."""
    numbers = (
        "epoch",
        "lease_until",
        "attempts",
        "files",
        "size",
        "generation",
        "load_attempts",
        "merged",
        "superseded",
        "retracted",
        "vouchers",
    )
    return Batch(
        batch_id=item["batch_id"],
        dataset=item["dataset"],
        state=BatchState(item["state"]),
        owner=item["owner"],
        created_at=item["created_at"],
        counts=Counts(**{name: int(count) for name, count in item["counts"].items()}),
        statement_id=item.get("statement_id"),
        parent=item.get("parent"),
        plan=item.get("plan"),
        failing_since=item.get("failing_since", ""),
        retry_at=item.get("retry_at", ""),
        given_up=bool(item.get("given_up", False)),
        partitions=tuple(item["partitions"]),
        reason=item.get("reason"),
        changed_at=item["changed_at"],
        **{name: int(item[name]) for name in numbers},
    )
