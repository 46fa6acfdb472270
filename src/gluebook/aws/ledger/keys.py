"""The keys of the ledger's items; see `ledger`. Partition names are stored and stay."""

from __future__ import annotations

from hashlib import sha256

from gluebook.aws.ledger.table import Item
from gluebook.core.model import Batch, FileVersion

# Spreads the pending markers of a dataset over partitions: each takes 1,000 writes a second.
SHARDS = 4
VERSION = "VERSION#"
BATCH = "BATCH"
BATCH_FILE = "FILE#"
# AWS docs: "Quotas in Amazon DynamoDB", sort key length. S3's keys and version ids have up to 1,024 bytes each.
_MOST_SORT_KEY_BYTES = 1024


def _fitting(name: str, beside: int = 0) -> str:
    """An external name as part of a sort key with `beside` more bytes; its hash if it is too long.

    No bucket name and no version id begins like the hash.
    """
    encoded = name.encode()
    fits = len(encoded) + beside <= _MOST_SORT_KEY_BYTES
    return name if fits else f"#sha256:{sha256(encoded).hexdigest()}"


def versions_partition(bucket: str, key: str) -> str:
    """All versions of one raw object."""
    return f"FILE#{bucket}/{key}"


def version_key(bucket: str, key: str, version_id: str) -> Item:
    """One file version."""
    return {"pk": versions_partition(bucket, key), "sk": f"{VERSION}{_fitting(version_id, len(VERSION))}"}


def tally_key(bucket: str, key: str) -> Item:
    """The number of registered versions of a raw object."""
    return {"pk": versions_partition(bucket, key), "sk": "TALLY"}


def file_key(file: FileVersion) -> Item:
    """One file version."""
    return version_key(file.bucket, file.key, file.version_id)


def pending_partition(dataset: str, shard: int) -> str:
    """Markers of PENDING files."""
    return f"PENDING#{dataset}#{shard}"


def pending_key(file: FileVersion) -> Item:
    """The marker of a PENDING file."""
    shard = int(file.file_id[:4], 16) % SHARDS
    return {"pk": pending_partition(file.dataset, shard), "sk": f"{file.waits_since}#{file.file_id}"}


def batch_partition(batch_id: str) -> str:
    """A batch and its claimed files."""
    return f"BATCH#{batch_id}"


def batch_key(batch_id: str) -> Item:
    """A batch."""
    return {"pk": batch_partition(batch_id), "sk": BATCH}


def batch_file_key(batch_id: str, file_id: str) -> Item:
    """A claimed file version of a batch."""
    return {"pk": batch_partition(batch_id), "sk": f"{BATCH_FILE}{file_id}"}


def open_partition(dataset: str) -> str:
    """Markers of open batches."""
    return f"OPEN#{dataset}"


def open_key(batch: Batch) -> Item:
    """The marker of an open batch."""
    return {"pk": open_partition(batch.dataset), "sk": batch.batch_id}


def corrections_partition(dataset: str) -> str:
    """Markers of raw objects that have several versions."""
    return f"CORRECTED#{dataset}"


def correction_key(dataset: str, bucket: str, key: str) -> Item:
    """The marker of a raw object that has several versions."""
    return {"pk": corrections_partition(dataset), "sk": _fitting(f"{bucket}/{key}")}


def correction_item(dataset: str, bucket: str, key: str, token: str) -> Item:
    """The marker with its attributes."""
    return {**correction_key(dataset, bucket, key), "bucket": bucket, "key": key, "token": token}


def failures_partition(dataset: str) -> str:
    """Markers of failed files and batches; the stored name is TROUBLE."""
    return f"TROUBLE#{dataset}"


def failure_key(dataset: str, at: str, what: str) -> Item:
    """The marker of a failed file or batch."""
    return {"pk": failures_partition(dataset), "sk": f"{at}#{what}"}


def verdicts_partition(dataset: str) -> str:
    """Verdicts of the gate that are not recorded in the warehouse."""
    return f"VERDICT#{dataset}"


def verdict_key(dataset: str, batch_id: str) -> Item:
    """The unrecorded verdict on a batch."""
    return {"pk": verdicts_partition(dataset), "sk": batch_id}


def mark_key(name: str) -> Item:
    """A named value."""
    return {"pk": f"MARK#{name}", "sk": "MARK"}
