"""Why a record, file or batch is not loaded: one row each, which code, documentation, report and screens read.

A stored reason is a code, then a column (`missing:status`) or what was found (`corrupt_gzip: invalid block type`).
Codes stand in quarantined records, results and the ledger, so they outlive a deployment and do not change.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Self

# A reason as it is stored. Only `Reason.because` and `Reason.of_column` make one.
ReasonText = NewType("ReasonText", str)


class About(StrEnum):
    """What has the reason."""

    RECORD = "record"
    FILE = "file"
    BATCH = "batch"


@dataclass(frozen=True)
class Row:
    """What the table says of a reason. `meaning` and `action` are Markdown, for operators.

    states       of the file or batch that has it, by name; of a record none
    phrase       for readers of the report; {} stands for the column
    """

    about: About
    meaning: str
    action: str
    states: str = ""
    phrase: str = ""

    @property
    def of_column(self) -> bool:
        """Whether the code is followed by a column."""
        return "{}" in self.phrase


_SOURCE = "send the file again with the records corrected, or fix the source's code and replay"
_FIX_VALUE = "ask the sender, or teach the source this text and replay"
_SEND_AGAIN = "send the file again"
_RENAME = "upload the file again under a key that follows the convention"
_ADD_SOURCE = "correct the key, or [add the source](add-a-source.md) and replay"
_SEND_RIGHT = "send a file of the source's layout"


class Reason(StrEnum):
    """Every reason; the value is the stored code."""

    row: Row

    # -- records, in quarantine

    MALFORMED = (
        "malformed_record",
        Row(
            About.RECORD,
            "CSV: not as many fields as the header has. JSON: not exactly one object. `containers`: Docker's JSON "
            "lacks its `log`. All: the record holds a NUL byte",
            _SOURCE,
            phrase="malformed",
        ),
    )
    RECORD_TOO_LONG = (
        "record_too_long",
        Row(
            About.RECORD, "longer than 1 MiB; only its beginning is kept", _SOURCE, phrase="longer than 1 MiB"
        ),
    )
    UNCLOSED_QUOTE = (
        "unclosed_quote",
        Row(
            About.RECORD,
            "CSV: a quote is opened and not closed within 1 MiB, or before the file ends; parsing resumes at the "
            "next line",
            _SOURCE,
            phrase="a quote is not closed",
        ),
    )
    MISSING = (
        "missing",
        Row(
            About.RECORD,
            "the contract requires a value and there is none",
            _SOURCE,
            phrase="{} is missing",
        ),
    )
    UNREADABLE = (
        "unreadable",
        Row(
            About.RECORD,
            "the text is not a value of the column's type",
            _FIX_VALUE,
            phrase="{} can't be read",
        ),
    )
    UNKNOWN = (
        "unknown",
        Row(
            About.RECORD,
            "the text stands for none of the allowed values",
            _FIX_VALUE,
            phrase="{} holds an unknown value",
        ),
    )
    TOO_LONG = (
        "too_long",
        Row(
            About.RECORD,
            "longer than the column's length, in bytes",
            _SOURCE,
            phrase="{} is too long",
        ),
    )

    # -- files

    KEY_OUTSIDE_CONVENTION = (
        "key_outside_convention",
        Row(About.FILE, "the key is not `<dataset>/<source>/dt=YYYY-MM-DD/<file>`", _RENAME, "FAILED"),
    )
    UNKNOWN_DATASET = (
        "unknown_dataset",
        Row(About.FILE, "there is no such dataset", _RENAME, "FAILED"),
    )
    UNKNOWN_SOURCE = (
        "unknown_source",
        Row(About.FILE, "the dataset has no such source", _ADD_SOURCE, "FAILED"),
    )
    NO_SUCH_DATE = ("no_such_date", Row(About.FILE, "such as `dt=2026-02-30`", _RENAME, "FAILED"))
    IMPLAUSIBLE_DATE = (
        "implausible_date",
        Row(About.FILE, "before 2000-01-01 or after 2099-12-31", _RENAME, "FAILED"),
    )
    UNUSABLE_KEY = (
        "unusable_key",
        Row(
            About.FILE,
            "the key holds U+0000, which no warehouse column takes, or ends in a blank, which the warehouse ignores "
            "when it compares",
            _RENAME,
            "FAILED",
        ),
    )
    CORRUPT_GZIP = (
        "corrupt_gzip",
        Row(About.FILE, "the compressed data is damaged", _SEND_AGAIN, "FAILED"),
    )
    TRUNCATED_GZIP = (
        "truncated_gzip",
        Row(About.FILE, "the compressed data ends too early", _SEND_AGAIN, "FAILED"),
    )
    INVALID_UTF8 = (
        "invalid_utf8",
        Row(
            About.FILE,
            "the reason names the first byte that is not UTF-8 and its offset",
            "send the file again as UTF-8",
            "FAILED",
        ),
    )
    NO_HEADER = ("no_header", Row(About.FILE, "CSV: only blank lines", _SEND_RIGHT, "FAILED"))
    ANOTHER_LAYOUT = (
        "another_layout",
        Row(
            About.FILE,
            "CSV: the header lacks required columns, or names one twice",
            _SEND_RIGHT,
            "FAILED",
        ),
    )
    VERSION_GONE = (
        "version_gone",
        Row(About.FILE, "the version was deleted before a run read it", _SEND_AGAIN, "FAILED"),
    )
    EMPTY_FILE = ("empty_file", Row(About.FILE, "0 bytes", "nothing, or ask the sender", "EMPTY"))
    NO_RECORDS = (
        "no_records",
        Row(
            About.FILE,
            "a header and nothing else, or only blank lines",
            "nothing, or ask the sender",
            "EMPTY",
        ),
    )
    SUPERSEDED = (
        "superseded",
        Row(About.FILE, "a newer version of the same key is loaded", "nothing", "SUPERSEDED"),
    )

    # -- batches

    NO_ROWS = (
        "no rows to load",
        Row(
            About.BATCH,
            "every record is a reject, or every file is broken or empty",
            "`gluebook rejects`",
            "EMPTY",
        ),
    )
    GATE = (
        "gate",
        Row(
            About.BATCH,
            "a critical expectation failed; `quality/<dataset>/<batch>-e<epoch>.json` shows ten of the "
            "rows that break it ([quality.md](quality.md))",
            "fix the transformation or the suite and replay, or correct the source and send the files again",
            "REJECTED",
        ),
    )
    RUN = (
        "run",
        Row(
            About.BATCH,
            "the job run that held the batch has ended without completing it",
            "nothing; the next run takes over",
            "CLAIMED PUBLISHING",
        ),
    )
    ATTEMPTS_USED_UP = (
        "attempts_used_up",
        Row(
            About.BATCH,
            "three runs ended before the batch was published; the reason ends with the last run's error",
            "of a FAILED batch: `gluebook logs <dataset>`, fix the cause, replay",
            "DIVIDING DIVIDED FAILED",
        ),
    )
    PLAN_IS_GONE = (
        "plan_is_gone",
        Row(
            About.BATCH,
            "the run that published the batch died, and its plan is no longer in the lake",
            "nothing; its files are processed again",
            "DIVIDING DIVIDED FAILED",
        ),
    )
    LOAD_FAILED = (
        "load_failed",
        Row(
            About.BATCH,
            "Redshift refused the load, in its own words. It refused the data of a batch that is divided or FAILED; "
            "that of a CURATED or LOADING batch is tried again",
            "of a FAILED batch: fix the file and replay; else fix what the error names",
            "DIVIDING DIVIDED FAILED CURATED LOADING",
        ),
    )

    # The default is for type checkers, which take `Reason("missing")` for a construction.
    def __new__(cls, code: str, row: Row = Row(About.RECORD, "", "")) -> Self:
        """A member; `code` is its value."""
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.row = row
        return reason

    def of_column(self, column: str) -> ReasonText:
        """The reason of a record whose `column` it is about."""
        return ReasonText(f"{self}:{column}")

    def because(self, detail: str = "") -> ReasonText:
        """The reason with what was found where, if that is known."""
        return ReasonText(f"{self}: {detail}" if detail else str(self))


# Problems of records whose fields are not known.
UNPARSED = tuple(r for r in Reason if r.row.about is About.RECORD and not r.row.of_column)


def reason_of(text: str) -> Reason | None:
    """The reason in a text that is stored or shown: its first code; None if there is none.

    It may stand behind an explanation, as in `3 loads failed, the next is due: load_failed: ...`.
    """
    codes = {reason.value: reason for reason in Reason}
    for part in text.split(": "):
        code, _, _ = part.partition(":")
        if code in codes:
            return codes[code]
        if part.startswith(f"{Reason.RUN} "):
            return Reason.RUN
    return None


def in_words(text: str) -> str:
    """A record's reason as a phrase, such as "status is missing" for `missing:status`; others as they are."""
    reason = reason_of(text)
    if reason is None or not reason.row.phrase:
        return text
    return reason.row.phrase.format(text.partition(":")[2])
