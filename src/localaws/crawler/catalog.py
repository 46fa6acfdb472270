"""A crawled table in Glue's catalog, written by Glue's API with the crawler's role."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ..errors import LocalAwsError
from .schema import Columns

log = logging.getLogger(__name__)

# Limits of BatchCreatePartition, BatchGetPartition and BatchDeletePartition. AWS docs: the Glue API.
_CREATE_AT_ONCE = 100
_GET_AT_ONCE = 1000
_DELETE_AT_ONCE = 25
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


@dataclass(frozen=True)
class Statistics:
    """Totals of the crawled files."""

    objects: int
    size_bytes: int
    rows: int

    def parameters(self) -> dict[str, str]:
        """As Glue writes them into a table's or partition's Parameters."""
        return {
            "objectCount": str(self.objects),
            "sizeKey": str(self.size_bytes),
            "recordCount": str(self.rows),
            "averageRecordSize": str(self.size_bytes // self.rows if self.rows else 0),
        }

    def are_in(self, catalog: dict[str, Any]) -> bool:
        """Whether a table or partition of the catalog has these."""
        return bool(self.parameters().items() <= catalog.get("Parameters", {}).items())


@dataclass(frozen=True)
class Partition:
    """A partition to be written; `location` is its s3:// URI."""

    values: tuple[str, ...]
    location: str
    columns: Columns
    statistics: Statistics

    def as_in(self, catalog: dict[str, Any]) -> bool:
        """Whether the catalog's partition has the same columns and statistics."""
        storage = catalog["StorageDescriptor"]
        return columns_of(storage) == self.columns and self.statistics.are_in(catalog)


class CatalogTable:
    """One table of one database; `counts` says what was done, by the names in the crawler's event.

    Partitions are read and written one by one and in batches: AWS's pages name both for a crawler's role
    (AWSGlueServiceRole) and don't say which of them a crawl uses, so a role here needs both.
    """

    def __init__(self, glue: Any, crawler: str, database: str, name: str) -> None:
        self._glue = glue
        self._crawler = crawler
        self._where = {"DatabaseName": database, "TableName": name}
        self.name = name
        self.counts: Counter[str] = Counter()

    def get(self) -> dict[str, Any] | None:
        """The table as it is; None if there is none."""
        try:
            found: dict[str, Any] = self._glue.get_table(
                DatabaseName=self._where["DatabaseName"], Name=self.name
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            return None
        table: dict[str, Any] = found["Table"]
        return table

    def create(self, location: str, columns: Columns, keys: Columns, statistics: Statistics) -> None:
        """Create the table."""
        made = self._input(location, columns, keys, statistics)
        self._glue.create_table(DatabaseName=self._where["DatabaseName"], TableInput=made)
        self.counts["tablesCreated"] += 1

    def update(
        self, location: str, columns: Columns, keys: Columns, statistics: Statistics, *, counted: bool
    ) -> None:
        """Give the table these columns and statistics; a change of statistics alone isn't counted."""
        made = self._input(location, columns, keys, statistics)
        self._glue.update_table(DatabaseName=self._where["DatabaseName"], TableInput=made)
        self.counts["tablesUpdated"] += counted

    def partitions(self) -> dict[tuple[str, ...], Columns]:
        """The catalog's partitions: values -> columns."""
        pages = self._glue.get_paginator("get_partitions").paginate(**self._where)
        return {
            tuple(one["Values"]): columns_of(one["StorageDescriptor"])
            for page in pages
            for one in page["Partitions"]
        }

    def described(self, values: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], dict[str, Any]]:
        """Which of these partitions the catalog has: values -> partition."""
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for batch in _batches(sorted(values), _GET_AT_ONCE):
            answer = self._glue.batch_get_partition(
                **self._where, PartitionsToGet=[{"Values": list(one)} for one in batch]
            )
            found |= {tuple(one["Values"]): one for one in answer["Partitions"]}
        for one in list(found)[:1]:
            self._glue.get_partition(**self._where, PartitionValues=list(one))
        return found

    def create_partitions(self, partitions: list[Partition]) -> None:
        """Create partitions; one that was created meanwhile is left as it is."""
        for batch in _batches(partitions, _CREATE_AT_ONCE):
            self._create_one(batch[0])
            answer = self._glue.batch_create_partition(
                **self._where, PartitionInputList=[self._partition(one) for one in batch]
            )
            errors = [
                one
                for one in answer.get("Errors", [])
                if one["ErrorDetail"]["ErrorCode"] != "AlreadyExistsException"
            ]
            if errors:
                raise LocalAwsError(f"table {self.name}: partitions could not be created: {errors}")
            self.counts["partitionsCreated"] += len(batch)

    def _create_one(self, partition: Partition) -> None:
        try:
            self._glue.create_partition(**self._where, PartitionInput=self._partition(partition))
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise

    def update_partition(self, partition: Partition, *, counted: bool) -> None:
        """Give an existing partition these columns and statistics."""
        changed = {"PartitionValueList": list(partition.values), "PartitionInput": self._partition(partition)}
        self._glue.update_partition(**self._where, **changed)
        answer = self._glue.batch_update_partition(**self._where, Entries=[changed])
        if answer.get("Errors"):
            raise LocalAwsError(f"table {self.name}: a partition could not be updated: {answer['Errors']}")
        self.counts["partitionsUpdated"] += counted

    def delete_partitions(self, values: Iterable[tuple[str, ...]]) -> None:
        """Delete partitions whose folders are gone."""
        for batch in _batches(sorted(values), _DELETE_AT_ONCE):
            self._glue.batch_delete_partition(
                **self._where, PartitionsToDelete=[{"Values": list(one)} for one in batch]
            )
            self.counts["partitionsDeleted"] += len(batch)

    def _input(
        self, location: str, columns: Columns, keys: Columns, statistics: Statistics
    ) -> dict[str, Any]:
        return {
            "Name": self.name,
            "Owner": "owner",
            "Retention": 0,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": name, "Type": kind} for name, kind in keys],
            **self._content(location, columns, statistics),
        }

    def _partition(self, partition: Partition) -> dict[str, Any]:
        content = self._content(partition.location, partition.columns, partition.statistics)
        return {"Values": list(partition.values), **content}

    def _content(self, location: str, columns: Columns, statistics: Statistics) -> dict[str, Any]:
        parameters = {
            "CrawlerSchemaDeserializerVersion": "1.0",
            "CrawlerSchemaSerializerVersion": "1.0",
            "UPDATED_BY_CRAWLER": self._crawler,
            "classification": "parquet",
            "compressionType": "none",
            "typeOfData": "file",
            **statistics.parameters(),
        }
        return {"StorageDescriptor": _storage(location, columns, parameters), "Parameters": parameters}


def columns_of(storage: dict[str, Any]) -> Columns:
    """The columns in a StorageDescriptor."""
    return tuple((column["Name"], column["Type"]) for column in storage.get("Columns", []))


def _storage(location: str, columns: Columns, parameters: dict[str, str]) -> dict[str, Any]:
    return {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
        "Location": location,
        "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
        "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {
            "SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        },
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": parameters,
        "StoredAsSubDirectories": False,
    }


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
