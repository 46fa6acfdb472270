"""Ledger items to values and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from gluebook.core.history import clipped_reason
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts, FileVersion, NotedVerdict
from gluebook.core.states import BatchState, FileState

Item = dict[str, Any]

# The stored name of a batch's `row_references`: earlier releases called them vouchers, and stored names stay.
_ROW_REFERENCES = "vouchers"
# An item also has its history, which can be longer than all these attributes together.
FILE_ATTRIBUTES = tuple(each.name for each in fields(FileVersion))
BATCH_ATTRIBUTES = tuple(
    _ROW_REFERENCES if each.name == "row_references" else each.name for each in fields(Batch)
)

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
    values = {**asdict(file), "reason": clipped_reason(file.reason)}
    return {name: value for name, value in values.items() if value is not None}


def file_from(item: Item) -> FileVersion:
    """The file version of an item, a pending marker or a batch's file."""
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
    values = {**asdict(batch), "reason": clipped_reason(batch.reason), "partitions": list(batch.partitions)}
    values[_ROW_REFERENCES] = values.pop("row_references")
    return {name: value for name, value in values.items() if value is not None}


def batch_from(item: Item) -> Batch:
    """The batch of an item."""
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
    )
    return Batch(
        batch_id=item["batch_id"],
        dataset=item["dataset"],
        state=BatchState(item["state"]),
        owner=item["owner"],
        created_at=item["created_at"],
        counts=Counts(**{name: int(count) for name, count in item["counts"].items()}),
        row_references=int(item[_ROW_REFERENCES]),
        statement_id=item.get("statement_id"),
        parent=item.get("parent"),
        plan=item.get("plan"),
        failing_since=item.get("failing_since", ""),
        retry_at=item.get("retry_at", ""),
        given_up=bool(item.get("given_up", False)),
        partitions=tuple(item["partitions"]),
        reason=item.get("reason"),
        changed_at=item["changed_at"],
        reported_epoch=int(item.get("reported_epoch", 0)),  # absent in items of earlier releases
        partitions_left_out=int(item.get("partitions_left_out", 0)),
        **{name: int(item[name]) for name in numbers},
    )


def verdict_item(noted: NotedVerdict) -> Item:
    """A verdict's attributes; absent ones are left out. `token` distinguishes the verdicts on one batch."""
    values = {name: value for name, value in asdict(noted).items() if value is not None}
    return {**values, "token": noted.token}


def verdict_from(item: Item) -> NotedVerdict:
    """The verdict of an item."""
    of = {"batch_id": item["batch_id"], "dataset": item["dataset"]}
    generation = int(item["generation"])
    return NotedVerdict(
        **of,
        generation=generation,
        epoch=int(item["epoch"]),
        rows=int(item["rows"]),
        passed=bool(item["passed"]),
        failed=int(item["failed"]),
        # Earlier releases stored no manifest: its name followed from the generation.
        manifest=item.get("manifest") or Lake("").quality_manifest_of_generation(**of, generation=generation),
        attempts=int(item["attempts"]),
        statement_id=item.get("statement_id"),
        retry_at=item.get("retry_at", ""),
    )
