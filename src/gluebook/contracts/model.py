"""What a contract is made of.

Parquet schema, Redshift DDL, catalog, expectation baseline and documentation are derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from gluebook.errors import ConfigurationError

# Redshift's longest VARCHAR, in bytes.
LONGEST_TEXT_BYTES = 65_535
# Hex digits of a keyed hash that stand in for a person: 128 bits.
PSEUDONYM_BYTES = 32

TypeName = Literal["text", "integer", "bigint", "boolean", "date", "timestamp"]


@dataclass(frozen=True)
class Type:
    """What a contract type is called elsewhere.

    spark          in Spark SQL, and so in the Glue catalog
    spark_class    in `pyspark.sql.types`
    redshift       in DDL; of text with a length, in bytes
    arrow          alias of the physical Parquet type, for `pyarrow.type_for_alias`
    description    for the documentation
    """

    spark: str
    spark_class: str
    redshift: str
    arrow: str
    description: str


# A new type is one row here, and its name in TypeName.
TYPES: Mapping[TypeName, Type] = MappingProxyType(
    {
        "text": Type("string", "StringType", "varchar", "string", "UTF-8; the length counts bytes"),
        "integer": Type("int", "IntegerType", "integer", "int32", "a whole number of 32 bits"),
        "bigint": Type("bigint", "LongType", "bigint", "int64", "a whole number of 64 bits"),
        "boolean": Type("boolean", "BooleanType", "boolean", "bool", "true or false"),
        "date": Type("date", "DateType", "date", "date32[day]", "a day, as it is written in the source"),
        "timestamp": Type(
            "timestamp",
            "TimestampType",
            "timestamp",
            "timestamp[us]",
            "UTC, in microseconds, without a zone",
        ),
    }
)


@dataclass(frozen=True)
class Column:
    """One target column. `length`: bytes of UTF-8, for text only. Timestamps are UTC, in microseconds."""

    name: str
    type: TypeName
    description: str
    nullable: bool = True
    length: int = 0
    personal: bool = False
    allowed: tuple[str, ...] = ()

    @property
    def spark_type(self) -> str:
        """The type's name in Spark SQL."""
        return TYPES[self.type].spark

    @property
    def is_free_text(self) -> bool:
        """Whether it takes whatever the source wrote: no person, no enumeration."""
        return self.type == "text" and not self.personal and not self.allowed

    @property
    def redshift_type(self) -> str:
        """The type's name in Redshift DDL; VARCHAR lengths count bytes there."""
        name = TYPES[self.type].redshift
        return f"{name}({self.length})" if self.length else name


@dataclass(frozen=True)
class Contract:
    """A dataset's ordered columns and what makes a row one row.

    title      what people call the dataset
    key        the columns that identify a row of the warehouse table
    newest_by  the columns by which, highest first, one row of a key is newer than another. The last one is a
               fingerprint of the row, so the outcome never depends on the order of arrival
    moment     the column with the time of the event that a row describes
    append     a row's identity is its raw record, so it never changes: it is retracted when no live file
               version contains it. Otherwise rows are revisions, and the newest of a key stands
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    newest_by: tuple[str, ...]
    moment: str
    append: bool = False

    def column(self, name: str) -> Column:
        """The column called `name`. Raises ConfigurationError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise ConfigurationError(
            f"dataset {self.name} has no column {name!r}; it has {', '.join(self.names)}"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in contract order, which is also the order in Parquet files and in Redshift."""
        return tuple(column.name for column in self.columns)

    @property
    def personal(self) -> tuple[str, ...]:
        """Columns that hold a person, kept only as a keyed hash."""
        return tuple(column.name for column in self.columns if column.personal)


def text(name: str, length: int, description: str, *, nullable: bool = True) -> Column:
    """A text column; `length` in bytes of UTF-8."""
    return Column(name, "text", description, length=length, nullable=nullable)


def choice(name: str, allowed: tuple[str, ...], description: str, *, nullable: bool = True) -> Column:
    """A text column that takes one of `allowed`."""
    return Column(name, "text", description, nullable=nullable, length=16, allowed=allowed)


def person(name: str, description: str) -> Column:
    """A text column that holds a person, as a keyed hash."""
    return Column(name, "text", description, length=PSEUDONYM_BYTES, personal=True)


# Where a row came from; every dataset carries these, last.
PROVENANCE = (
    text("_source_file", 1024, "key of the raw object", nullable=False),
    text("_source_version", 1024, "version id of the raw object", nullable=False),
    Column("_source_record", "bigint", "number of the record in its file, from 1", nullable=False),
    text("_batch_id", 64, "the batch that brought the row", nullable=False),
)

# What the quarantine keeps of a record, of all datasets.
QUARANTINE = (
    text("dataset", 64, "the dataset whose file held the record", nullable=False),
    text("source", 32, "the system the record comes from", nullable=False),
    text("reason", 255, "why it is rejected", nullable=False),
    *PROVENANCE,
    text("raw", LONGEST_TEXT_BYTES, "the record's text, masked"),
)
