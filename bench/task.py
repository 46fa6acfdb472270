"""What a contender is given, and what it gives back. Every environment imports it: standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MASK = "<masked>"
# RE2, Java and Python read these alike. They are the patterns of `gluebook.transforms` for texts that aren't prose.
EMAIL = r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
TOKEN = r"(?i)(bearer|authorization\W{1,8}basic)(\s+)[A-Za-z0-9._~+/-]{8,}=*"
JWT = r"eyJ[A-Za-z0-9_-]{17,}(\.[A-Za-z0-9_-]+)*"


@dataclass(frozen=True)
class Field:
    """A source column and what becomes of it. `type` as in the contract; `choices`: lower-case text -> value."""

    source: str
    target: str
    type: str
    nullable: bool
    personal: bool
    choices: Mapping[str, str]

    @property
    def is_free_text(self) -> bool:
        """Whether e-mail addresses are masked in it."""
        return self.type == "text" and not self.personal and not self.choices


@dataclass(frozen=True)
class Task:
    """The work of one repetition.

    files      raw files, in order
    folder     an empty folder, for Parquet and whatever else the contender writes
    database   libpq URI of an empty PostgreSQL
    fields     the source's columns that are kept
    columns    all columns of the raw files, if they are CSV
    """

    dataset: str
    source: str
    files: tuple[Path, ...]
    folder: Path
    database: str
    fields: tuple[Field, ...]
    columns: tuple[str, ...] = ()
    pseudonym_key: str = "a key for the benchmark"

    @property
    def parquet(self) -> Path:
        """Where the cleaned rows are written."""
        return self.folder / "parquet"

    @property
    def is_log(self) -> bool:
        """Whether rows are appended by identity; otherwise the newest revision of a ticket stands."""
        return self.dataset == "app_logs"

    @property
    def identity(self) -> str:
        """The column with the SHA-256 of the raw record."""
        return "log_id" if self.is_log else "_row_hash"

    @property
    def required(self) -> tuple[str, ...]:
        """Columns without which a record is a reject."""
        return tuple(each.target for each in self.fields if not each.nullable)

    def to_json(self) -> str:
        """For the contender's process."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Task:
        """The task that `to_json` has written."""
        given = json.loads(text)
        given |= {"files": tuple(map(Path, given["files"])), "folder": Path(given["folder"])}
        given |= {"fields": tuple(Field(**each) for each in given["fields"])}
        return cls(**{**given, "columns": tuple(given["columns"])})


@dataclass(frozen=True)
class Counts:
    """Records: read = kept + duplicates + rejects."""

    read: int
    kept: int
    duplicates: int
    rejects: int


@dataclass(frozen=True)
class Outcome:
    """What a contender's process measured.

    job, load        seconds: raw files to Parquet (from the start of the process), Parquet to queryable rows
    total            seconds from the arrival of the files to queryable rows
    parquet_bytes    the size of the cleaned files
    details          figures that only this contender has
    agreed           what `agreement` asks, if the contender has a PostgreSQL of its own
    """

    counts: Counts
    job: float
    load: float
    total: float
    parquet_bytes: int
    details: dict[str, float] = field(default_factory=dict)
    agreed: dict[str, Any] | None = None
    table_bytes: int = 0

    @classmethod
    def from_json(cls, text: str) -> Outcome:
        """The outcome that a contender's process has written."""
        given = json.loads(text)
        return cls(**{**given, "counts": Counts(**given["counts"])})
