"""One crawl of one S3 target: walk, read footers, bring the catalog up to date."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import LocalAwsError, NotSupported
from .catalog import CatalogTable, Partition, Statistics, columns_of
from .schema import Columns, Footer, merge, partition_type, read_footer
from .walk import Folder, Layout, StoredFile, lay_out, split_target, table_name

log = logging.getLogger(__name__)


class Stopped(LocalAwsError):
    """The crawler was stopped."""


@dataclass(frozen=True)
class Policy:
    """A crawler's settings, as far as they are supported.

    `inherit`: partitions get the table's columns; `merge_columns`: an update only adds columns to a table.
    """

    name: str
    database: str
    table_prefix: str
    new_folders_only: bool
    update: bool
    delete: bool
    inherit: bool = False
    merge_columns: bool = False


@dataclass(frozen=True)
class _Crawled:
    """A folder with the columns and statistics of its files' footers."""

    folder: Folder
    columns: Columns
    statistics: Statistics


def crawl_target(
    s3: Any, glue: Any, target: dict[str, Any], policy: Policy, stopped: Callable[[], bool]
) -> Counter[str]:
    """Crawl one target; returns what was done (tablesCreated, partitionsCreated, ...).

    `s3` and `glue` act as the crawler's role. Raises LocalAwsError for a layout or a file that Glue would have
    to guess about, Stopped when `stopped()` becomes true.
    """
    if unknown := sorted(
        name for name, value in target.items() if value and name not in ("Path", "SampleSize")
    ):
        raise NotSupported(f"S3 target {target.get('Path')}: {', '.join(unknown)}")
    bucket, prefix = split_target(target["Path"])
    _check_permissions(s3, glue, bucket, policy.database)
    layout = lay_out(prefix, _list(s3, bucket, prefix))
    table = CatalogTable(glue, policy.name, policy.database, table_name(bucket, prefix, policy.table_prefix))
    existing = table.get()
    known = table.partitions() if existing and layout.keys else {}
    folders = [
        one for one in layout.folders if not (policy.new_folders_only and existing and one.values in known)
    ]
    if existing and not layout.keys and policy.new_folders_only:
        folders = []  # an unpartitioned table's only folder is known
    if layout.folders:
        sample = int(target.get("SampleSize") or 0) or None
        crawled = [_read(s3, bucket, folder, sample, stopped) for folder in folders]
        location = f"s3://{bucket}/{prefix}"
        _write_table(table, existing, location, layout, crawled, policy)
        if layout.keys:
            columns = columns_of((table.get() or {}).get("StorageDescriptor", {})) if policy.inherit else None
            _write_partitions(table, _partitions(bucket, crawled, columns), policy)
    _forget_folders(table, known, layout, policy)
    return table.counts


def _check_permissions(s3: Any, glue: Any, bucket: str, database: str) -> None:
    """What a crawler's role must be allowed besides the calls whose answers are used here.

    AWS docs, "Crawler prerequisites": the role has the permissions of AWSGlueServiceRole, or those of them that it
    needs; these are among them, and no page says that a crawl does without.
    """
    s3.get_bucket_location(Bucket=bucket)
    glue.get_databases(MaxResults=1)
    glue.get_tables(DatabaseName=database, MaxResults=1)


def _list(s3: Any, bucket: str, prefix: str) -> list[StoredFile]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [StoredFile(one["Key"], one["Size"]) for page in pages for one in page.get("Contents", [])]


def _read(s3: Any, bucket: str, folder: Folder, sample: int | None, stopped: Callable[[], bool]) -> _Crawled:
    footers: list[Footer] = []
    for file in folder.files[:sample]:
        if stopped():
            raise Stopped("the crawler was stopped")
        footers.append(read_footer(s3, bucket, file.key, file.size))
    statistics = Statistics(
        len(folder.files), sum(file.size for file in folder.files), sum(footer.rows for footer in footers)
    )
    return _Crawled(folder, merge(footer.columns for footer in footers), statistics)


def _write_table(
    table: CatalogTable,
    existing: dict[str, Any] | None,
    location: str,
    layout: Layout,
    crawled: list[_Crawled],
    policy: Policy,
) -> None:
    columns = merge(one.columns for one in crawled)
    if both := sorted({name for name, _ in columns} & set(layout.keys)):
        raise LocalAwsError(
            f"table {table.name}: {', '.join(both)} is a partition key and a column in the files"
        )
    keys = tuple(
        (key, partition_type(folder.values[place] for folder in layout.folders))
        for place, key in enumerate(layout.keys)
    )
    statistics = _sum(crawled)
    if existing is None:
        table.create(location, columns, keys, statistics)
        return
    had_keys = tuple(key["Name"] for key in existing.get("PartitionKeys", []))
    if had_keys != layout.keys:
        raise LocalAwsError(
            f"table {table.name} has partition keys {had_keys}, its folders have {layout.keys}"
        )
    if not crawled:
        return
    had = columns_of(existing["StorageDescriptor"])
    # A column that the new files lack is still in the table: older files have it.
    if set(columns) <= set(had) if policy.new_folders_only else columns == had:
        columns = had
    elif policy.merge_columns:
        columns = merge((had, columns))
    if columns == had and (policy.new_folders_only or statistics.are_in(existing)):
        return
    if policy.update:
        table.update(location, columns, keys, statistics, counted=columns != had)
    elif columns != had:
        log.warning("table %s keeps its columns %s (policy LOG); the files have %s", table.name, had, columns)


def _partitions(bucket: str, crawled: list[_Crawled], columns: Columns | None) -> list[Partition]:
    """The crawled folders as partitions, with their own columns or the given ones."""
    return [
        Partition(
            one.folder.values, f"s3://{bucket}/{one.folder.prefix}", columns or one.columns, one.statistics
        )
        for one in crawled
    ]


def _write_partitions(table: CatalogTable, made: list[Partition], policy: Policy) -> None:
    there = table.described(one.values for one in made)
    table.create_partitions([one for one in made if one.values not in there])
    for one in made:
        if one.values in there and not one.as_in(there[one.values]):
            changed = columns_of(there[one.values]["StorageDescriptor"]) != one.columns
            if policy.update:
                table.update_partition(one, counted=changed)
            elif changed:
                log.warning("partition %s of %s keeps its columns (policy LOG)", one.values, table.name)


def _forget_folders(
    table: CatalogTable, known: dict[tuple[str, ...], Columns], layout: Layout, policy: Policy
) -> None:
    gone = set(known) - {folder.values for folder in layout.folders}
    if not gone:
        return
    if policy.delete:
        table.delete_partitions(gone)
    else:
        log.warning("table %s: the folders of the partitions %s are gone", table.name, sorted(gone))


def _sum(crawled: list[_Crawled]) -> Statistics:
    all_of_them = [one.statistics for one in crawled]
    return Statistics(
        sum(one.objects for one in all_of_them),
        sum(one.size_bytes for one in all_of_them),
        sum(one.rows for one in all_of_them),
    )
