"""The contracts: what a dataset's rows are, in one place.

Parquet schema, Redshift DDL, catalog, expectation baseline and documentation are all derived from here.
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
    sources    the file layouts that feed this dataset
    append     a row's identity is its raw record, so it never changes: it goes when no live file version
               vouches for it any more. Otherwise rows are revisions, and the newest of a key stands
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    newest_by: tuple[str, ...]
    moment: str
    sources: tuple[str, ...]
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


def _text(name: str, length: int, description: str, *, nullable: bool = True) -> Column:
    return Column(name, "text", description, length=length, nullable=nullable)


def _choice(name: str, allowed: tuple[str, ...], description: str, *, nullable: bool = True) -> Column:
    return Column(name, "text", description, nullable=nullable, length=16, allowed=allowed)


def _person(name: str, description: str) -> Column:
    return Column(name, "text", description, length=PSEUDONYM_BYTES, personal=True)


STATUSES = ("new", "active", "pending", "resolved", "closed")
PRIORITIES = ("critical", "high", "moderate", "low")
GRADES = ("high", "medium", "low")
LEVELS = ("trace", "debug", "info", "warning", "error", "fatal")

# Where a row came from; every dataset carries these, last.
PROVENANCE = (
    _text("_source_file", 1024, "key of the raw object", nullable=False),
    _text("_source_version", 1024, "version id of the raw object", nullable=False),
    Column("_source_record", "bigint", "number of the record in its file, from 1", nullable=False),
    _text("_batch_id", 64, "the batch that brought the row", nullable=False),
)

SUPPORT_TICKETS = Contract(
    name="support_tickets",
    key=("source", "ticket_id"),
    newest_by=("revision", "updated_at", "_row_hash"),
    moment="updated_at",
    sources=("servicenow", "helpdesk"),
    columns=(
        _text("source", 32, "the system the ticket comes from", nullable=False),
        _text("ticket_id", 64, "the ticket's number in that system", nullable=False),
        Column(
            "revision",
            "integer",
            "how often it had been modified, as far as its source tells",
            nullable=False,
        ),
        _choice("status", STATUSES, "where the ticket stands", nullable=False),
        _choice("priority", PRIORITIES, "how urgent it is to solve it"),
        _choice("impact", GRADES, "how much it affects"),
        _choice("urgency", GRADES, "how soon it is needed"),
        _text("channel", 64, "how the ticket was raised"),
        _text("category", 255, "first level of the topic"),
        _text("subcategory", 255, "second level of the topic"),
        _text("symptom", 255, "what the requester saw"),
        _text("location", 255, "where it happened"),
        _text("configuration_item", 255, "the affected thing in the configuration database"),
        _text("assignment_group", 255, "the team that works on it"),
        _person("requester", "who has the problem"),
        _person("opened_by", "who opened the ticket"),
        _person("assigned_to", "who works on it"),
        _person("resolved_by", "who solved it"),
        Column("opened_at", "timestamp", "when it was opened"),
        Column("created_at", "timestamp", "when the record was created"),
        Column("updated_at", "timestamp", "when this revision was written", nullable=False),
        Column("resolved_at", "timestamp", "when it was solved"),
        Column("closed_at", "timestamp", "when it was closed"),
        Column("minutes_to_resolve", "bigint", "whole minutes from opened_at to resolved_at, never negative"),
        Column("reassignment_count", "integer", "how often it changed hands"),
        Column("reopen_count", "integer", "how often it was reopened"),
        Column("is_active", "boolean", "whether it still counts as open work"),
        Column("made_sla", "boolean", "whether the agreed time was kept"),
        Column("used_knowledge", "boolean", "whether a knowledge article was used"),
        Column("priority_confirmed", "boolean", "whether the priority was double-checked"),
        _text("notify", 64, "how the requester is notified"),
        _text("problem_id", 64, "the problem record it belongs to"),
        _text("change_request", 64, "the change that is to solve it"),
        _text("vendor", 255, "the supplier in charge"),
        _text("caused_by", 64, "the change that caused it"),
        _text("close_code", 64, "how it was closed"),
        _text("subject", 1024, "what the ticket is about, in a few words"),
        _text("description", LONGEST_TEXT_BYTES, "what the requester wrote"),
        _text("resolution", LONGEST_TEXT_BYTES, "what was answered in the end"),
        _text("product", 255, "the product it is about"),
        Column("purchased_on", "date", "the day the product was bought"),
        Column("first_response_at", "timestamp", "when the requester was first answered"),
        Column("satisfaction_rating", "integer", "the requester's rating of the help, 1 to 5"),
        Column(
            "resolved_before_response", "boolean", "whether it claims to be solved before it was answered"
        ),
        Column("orphan_resolution_time", "boolean", "whether resolved_at lacks what belongs to a solution"),
        _text("_row_hash", 64, "fingerprint of the revision as the source wrote it", nullable=False),
        *PROVENANCE,
    ),
)

APP_LOGS = Contract(
    name="app_logs",
    key=("source", "log_id"),
    newest_by=("log_id",),
    moment="occurred_at",
    sources=("mongod", "containers"),
    append=True,
    columns=(
        _text("source", 32, "the system the log comes from", nullable=False),
        _text("log_id", 64, "SHA-256 of the whole raw record: what makes it one record", nullable=False),
        Column("occurred_at", "timestamp", "when it was logged", nullable=False),
        _choice("level", LEVELS, "how severe it is", nullable=False),
        Column("is_error", "boolean", "level is error or fatal", nullable=False),
        _text("service", 128, "the service that logged", nullable=False),
        _text("component", 128, "the part of the service"),
        _text("context", 255, "thread, connection or container"),
        Column("event_code", "bigint", "the service's number for this kind of event"),
        Column("duration_ms", "bigint", "how long the logged operation took, in milliseconds"),
        _text("message", LONGEST_TEXT_BYTES, "what happened"),
        _text("attributes", LONGEST_TEXT_BYTES, "the event's attributes, as JSON text"),
        _text("trace_id", 64, "the request it belongs to, through all services"),
        _text("span_id", 64, "the step of that request"),
        _text("pod", 255, "the Kubernetes pod it ran in"),
        _text("node", 255, "the machine it ran on"),
        *PROVENANCE,
    ),
)

CONTRACTS: Mapping[str, Contract] = MappingProxyType({c.name: c for c in (SUPPORT_TICKETS, APP_LOGS)})


def contract(dataset: str) -> Contract:
    """The contract of `dataset`. Raises ConfigurationError naming the known ones."""
    try:
        return CONTRACTS[dataset]
    except KeyError:
        raise ConfigurationError(f"no dataset {dataset!r}; there are {', '.join(CONTRACTS)}") from None
