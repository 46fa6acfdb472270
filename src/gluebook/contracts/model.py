"""What a contract is made of.

Parquet schema, Redshift DDL, catalog, expectation baseline and documentation are derived from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gluebook.errors import ConfigurationError

# Redshift's longest VARCHAR, in bytes.
LONGEST_TEXT_BYTES = 65_535
# Hex digits of a keyed hash that stand in for a person: 128 bits.
PSEUDONYM_BYTES = 32

TypeName = Literal["text", "integer", "bigint", "boolean", "date", "timestamp"]

_SPARK = {
    "text": "string",
    "integer": "int",
    "bigint": "bigint",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
_REDSHIFT = {name: name for name in ("integer", "bigint", "boolean", "date", "timestamp")}


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
        return _SPARK[self.type]

    @property
    def is_free_text(self) -> bool:
        """Whether it takes whatever the source wrote: no person, no enumeration."""
        return self.type == "text" and not self.personal and not self.allowed

    @property
    def redshift_type(self) -> str:
        """The type's name in Redshift DDL; VARCHAR lengths count bytes there."""
        return f"varchar({self.length})" if self.type == "text" else _REDSHIFT[self.type]


@dataclass(frozen=True)
class Contract:
    """A dataset's ordered columns and what makes a row one row.

    key        the columns that identify a row of the warehouse table
    newest_by  the columns by which, highest first, one row of a key is newer than another; total: the last
               one is a fingerprint of the row, so that the outcome never depends on the order of arrival
    moment     the column that tells when what a row says came about
    append     a row's identity is its raw record, so it never changes: it is retracted when no live file
               version contains it. Otherwise rows are revisions, and the newest of a key stands
    """

    name: str
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
