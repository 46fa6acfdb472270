"""A Data API statement, its result, and whether its error is caused by the data or by the environment.

Only an error that is known to be the data's blames a batch. Missing permissions, a full disk, a busy S3, a lost
connection and any unknown error are the environment's: they pass, or an operator fixes them.

Only Redshift's own text decides, and only in fixed places: the beginning of the first line and, for errors of COPY in
a columnar file, the code and the context of the frame below it. The other text may quote data.

Sources: AWS docs, "Load error reference" and "STL_LOAD_ERRORS"; error texts quoted in public issues
(rudderlabs/rudder-server 3178, aws/amazon-redshift-python-driver 107, awslabs/amazon-redshift-utils 548 and 716).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_ENDED = frozenset({"FINISHED", "FAILED", "ABORTED"})
# "ERROR: ..." of the Data API; for a batch "Query #3 failed with ERROR: ...".
_PREFIX = re.compile(r"(?:query (?:#\d+ )?failed with )?\s*(?:error:\s*)?", re.I)
_DATA = re.compile(
    r"value too long for (?:character )?type"
    # Also Gluebook's assertions, which are failing casts.
    r"|invalid digit, value '"
    r"|cannot insert a null value into column"
    r'|null value in column "?\w+"? violates not-null constraint'
    r"|missing data for not-null field"
    r"|numeric data overflow"
    r"|string contains invalid or unsupported utf8 codepoints"
    r"|found multiple matches to update the same tuple",
    re.I,
)
# Errors of COPY in a columnar file. Denied access has the same heading.
_SCAN = re.compile(r"spectrum scan error|s3 query exception", re.I)
_CODE = re.compile(r"\bcode:\s+(\d+)")
_CONTEXT = re.compile(r"\bcontext:\s+(?:task failed due to an internal error\.\s+)?(.*)", re.I)
_UNFIT_FILE = re.compile(
    # Redshift truncates long contexts.
    r"file '.*?'?\s+has an incompatible parquet s"
    r"|unmatched number of columns between table and file"
    r"|the length of the data column \S+ is longer than",
    re.I,
)
_INCOMPATIBLE = "15007"
_NO_TABLE = re.compile(r'relation "?[\w.]+"? does not exist', re.I)


def blames_data(error: str) -> bool:
    """Whether an error text of DescribeStatement is known to be caused by the data."""
    said = _said(error)
    if _DATA.match(said) or _UNFIT_FILE.match(said):
        return True
    if not _SCAN.match(said):
        return False
    code, context = _CODE.search(error), _CONTEXT.search(error)
    return (code is not None and code[1] == _INCOMPATIBLE) or (
        context is not None and _UNFIT_FILE.match(context[1]) is not None
    )


def lacks_a_table(error: str) -> bool:
    """Whether a table of the pipeline is missing."""
    return _NO_TABLE.match(_said(error)) is not None


def _said(error: str) -> str:
    """The first line without the Data API's prefix."""
    first = error.strip().partition("\n")[0]
    prefix = _PREFIX.match(first)
    return first[prefix.end() :] if prefix else first


@dataclass(frozen=True)
class Statement:
    """The state of a Data API statement.

    error      empty unless it failed
    result_id  id for fetching the result: for a batch of statements, the id of the last one
    """

    statement_id: str
    status: str
    error: str = ""
    result_id: str = field(kw_only=True)

    @property
    def ended(self) -> bool:
        """Whether it is in a final state."""
        return self.status in _ENDED

    @property
    def blames_data(self) -> bool:
        """Whether it failed with an error that is known to be caused by the data."""
        return self.status == "FAILED" and blames_data(self.error)

    @property
    def lacks_a_table(self) -> bool:
        """Whether a table of the pipeline is missing."""
        return self.status == "FAILED" and lacks_a_table(self.error)


@dataclass(frozen=True)
class Rows:
    """A result: column names and rows of plain values (None, bool, int, float or str)."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
