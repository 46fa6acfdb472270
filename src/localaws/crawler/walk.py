"""What lies below an S3 target: files by folder, folders as partitions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from ..errors import LocalAwsError


@dataclass(frozen=True)
class StoredFile:
    """One object: its key and its size in bytes."""

    key: str
    size: int


@dataclass(frozen=True)
class Folder:
    """One partition (or, without `values`, the whole unpartitioned table): `prefix` ends in "/"."""

    prefix: str
    values: tuple[str, ...]
    files: tuple[StoredFile, ...]


@dataclass(frozen=True)
class Layout:
    """A table's partition keys, in their order, and its folders, by prefix."""

    keys: tuple[str, ...]
    folders: tuple[Folder, ...]


def split_target(path: str) -> tuple[str, str]:
    """(bucket, prefix) of a crawler's S3 target; the prefix is "" or ends in "/"."""
    found = re.fullmatch(r"s3://([^/]+)/?(.*)", path)
    if found is None:
        raise LocalAwsError(f"S3 target {path!r}: s3://bucket/prefix/ is expected")
    return found[1], found[2].rstrip("/") + "/" if found[2].strip("/") else ""


def table_name(bucket: str, prefix: str, table_prefix: str) -> str:
    """TablePrefix + the target's last folder (or bucket), as Glue writes it: lower case, _ for what isn't a name."""
    last = prefix.rstrip("/").rsplit("/", 1)[-1] or bucket
    return re.sub(r"[^a-z0-9_]", "_", f"{table_prefix}{last}".lower())


def lay_out(prefix: str, files: Iterable[StoredFile]) -> Layout:
    """Sort the objects below `prefix` into folders.

    Empty objects are skipped, and whatever has a name that starts with "_" or "." anywhere below the prefix.
    Raises LocalAwsError unless all folders are key=value with the same keys: Glue would make up names, or
    several tables.
    """
    by_folder: dict[str, list[StoredFile]] = {}
    for file in files:
        below = file.key[len(prefix) :]
        if file.size == 0 or any(part.startswith(("_", ".")) for part in below.split("/")):
            continue
        by_folder.setdefault(below.rpartition("/")[0], []).append(file)
    pairs = {folder: _key_values(prefix, folder) for folder in by_folder}
    keys = {tuple(key for key, _ in found) for found in pairs.values()}
    if len(keys) > 1:
        raise LocalAwsError(f"folders below {prefix!r} have different partition keys: {sorted(keys)}")
    folders = tuple(
        Folder(
            f"{prefix}{folder}/" if folder else prefix,
            tuple(value for _, value in pairs[folder]),
            tuple(sorted(by_folder[folder], key=lambda file: file.key)),
        )
        for folder in sorted(by_folder)
    )
    return Layout(keys.pop() if keys else (), folders)


def _key_values(prefix: str, folder: str) -> list[tuple[str, str]]:
    pairs = []
    for part in folder.split("/") if folder else []:
        key, sign, value = part.partition("=")
        if not sign or not key:
            raise LocalAwsError(f"folder {part!r} below {prefix!r} is not key=value")
        pairs.append((key.lower(), unquote(value)))
    return pairs
