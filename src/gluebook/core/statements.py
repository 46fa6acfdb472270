"""A statement of the Data API, its result, and whether its error is the data's fault or the environment's.

Only what is known to be the data's may blame a batch. Missing rights, a full disk, a busy S3, a lost connection and
whatever nobody has seen yet are the environment's: they go away, or a person sees to them.

Only Redshift's own words decide, and only where it puts them: the beginning of the first line, and, for what COPY
reports of a columnar file, the code and the context of the frame below it. Data may be quoted anywhere else.

Sources: AWS docs, "Load error reference" and "STL_LOAD_ERRORS"; the texts as they are quoted in public issues
(rudderlabs/rudder-server 3178, aws/amazon-redshift-python-driver 107, awslabs/amazon-redshift-utils 548 and 716).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_ENDED = frozenset({"FINISHED", "FAILED", "ABORTED"})
# "ERROR: ..." of the Data API; of a batch "Query #3 failed with ERROR: ...".
_PREFIX = re.compile(r"(?:query (?:#\d+ )?failed with )?\s*(?:error:\s*)?", re.I)
_DATA = re.compile(
    r"value too long for (?:character )?type"
    # Also our own assertions, which are casts that fail.
    r"|invalid digit, value '"
    r"|cannot insert a null value into column"
    r'|null value in column "?\w+"? violates not-null constraint'
    r"|missing data for not-null field"
    r"|numeric data overflow"
    r"|string contains invalid or unsupported utf8 codepoints"
    r"|found multiple matches to update the same tuple",
    re.I,
)
# What COPY says when it has looked into a columnar file. Access that is denied is reported under the same heading.
_SCAN = re.compile(r"spectrum scan error|s3 query exception", re.I)
_CODE = re.compile(r"\bcode:\s+(\d+)")
_CONTEXT = re.compile(r"\bcontext:\s+(?:task failed due to an internal error\.\s+)?(.*)", re.I)
_UNFIT_FILE = re.compile(
    # Redshift cuts long contexts off.
    r"file '.*?'?\s+has an incompatible parquet s"
    r"|unmatched number of columns between table and file"
    r"|the length of the data column \S+ is longer than",
    re.I,
)
_INCOMPATIBLE = "15007"
_NO_TABLE = re.compile(r'relation "?[\w.]+"? does not exist', re.I)


def blames_data(error: str) -> bool:
    """Whether an error, as DescribeStatement gives it, is known to be the data's."""
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
    """Whether a table that we once made isn't there any more."""
    return _NO_TABLE.match(_said(error)) is not None


def _said(error: str) -> str:
    """The first line, without what the Data API puts before Redshift's words."""
    first = error.strip().partition("\n")[0]
    prefix = _PREFIX.match(first)
    return first[prefix.end() :] if prefix else first


@dataclass(frozen=True)
class Statement:
    """A Data API statement as it stands.

    error      empty unless it failed
    result_id  what its result is fetched by: of a batch of statements, the last one's id
    """

    statement_id: str
    status: str
    error: str = ""
    result_id: str = ""

    @property
    def ended(self) -> bool:
        """Whether it won't change any more."""
        return self.status in _ENDED

    @property
    def blames_data(self) -> bool:
        """Whether it failed for what is known to be the data's fault, and not for one of the environment's."""
        return self.status == "FAILED" and blames_data(self.error)

    @property
    def lacks_a_table(self) -> bool:
        """Whether a table that we once made isn't there any more."""
        return self.status == "FAILED" and lacks_a_table(self.error)


@dataclass(frozen=True)
class Rows:
    """A result: column names and rows of plain values (None, bool, int, float or str)."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
