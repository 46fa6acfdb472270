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


_CORRECT = "send the file again with the records corrected, or fix the source's code and replay"
_TEACH = "ask the sender, or teach the source this text and replay"
_RENAME = "upload the file again under a key that follows the convention"
_AGAIN = "send the file again"
_LAYOUT = "send a file of the source's layout"
_ASK = "nothing, or ask the sender"
_DIVIDED = "DIVIDING DIVIDED FAILED"


def _record(code: str, phrase: str, meaning: str, action: str) -> tuple[str, Row]:
    return code, Row(About.RECORD, meaning, action, phrase=phrase)


def _file(code: str, meaning: str, action: str, state: str = "FAILED") -> tuple[str, Row]:
    return code, Row(About.FILE, meaning, action, state)


def _batch(code: str, states: str, meaning: str, action: str) -> tuple[str, Row]:
    return code, Row(About.BATCH, meaning, action, states)


class Reason(StrEnum):
    """Every reason; the value is the stored code."""

    row: Row

    MALFORMED = _record(
        "malformed_record",
        "malformed",
        "CSV: not as many fields as the header has. JSON: not exactly one object. `containers`: Docker's JSON lacks "
        "its `log`. All: the record holds a NUL byte",
        _CORRECT,
    )
    RECORD_TOO_LONG = _record(
        "record_too_long", "longer than 1 MiB", "longer than 1 MiB; only its beginning is kept", _CORRECT
    )
    UNCLOSED_QUOTE = _record(
        "unclosed_quote",
        "a quote is not closed",
        "CSV: a quote is not closed within 1 MiB, or before the file ends; parsing resumes at the next line",
        _CORRECT,
    )
    MISSING = _record("missing", "{} is missing", "the contract requires a value and there is none", _CORRECT)
    UNREADABLE = _record(
        "unreadable", "{} can't be read", "the text is not a value of the column's type", _TEACH
    )
    UNKNOWN = _record("unknown", "{} holds an unknown value", "the text is none of the known values", _TEACH)
    TOO_LONG = _record("too_long", "{} is too long", "longer than the column's length, in bytes", _CORRECT)

    KEY_OUTSIDE_CONVENTION = _file(
        "key_outside_convention", "the key is not `<dataset>/<source>/dt=YYYY-MM-DD/<file>`", _RENAME
    )
    UNKNOWN_DATASET = _file("unknown_dataset", "there is no such dataset", _RENAME)
    UNKNOWN_SOURCE = _file(
        "unknown_source",
        "the dataset has no such source",
        "correct the key, or [add the source](add-a-source.md) and replay",
    )
    NO_SUCH_DATE = _file("no_such_date", "such as `dt=2026-02-30`", _RENAME)
    IMPLAUSIBLE_DATE = _file("implausible_date", "before 2000-01-01 or after 2099-12-31", _RENAME)
    UNUSABLE_KEY = _file(
        "unusable_key",
        "the key holds U+0000, which no warehouse column takes, or ends in a blank, which the warehouse ignores when "
        "it compares",
        _RENAME,
    )
    CORRUPT_GZIP = _file("corrupt_gzip", "the compressed data is damaged", _AGAIN)
    TRUNCATED_GZIP = _file("truncated_gzip", "the compressed data ends too early", _AGAIN)
    INVALID_UTF8 = _file(
        "invalid_utf8",
        "the reason names the first byte that is not UTF-8 and its offset",
        "send the file again as UTF-8",
    )
    NO_HEADER = _file("no_header", "CSV: only blank lines", _LAYOUT)
    ANOTHER_LAYOUT = _file(
        "another_layout", "CSV: the header lacks required columns, or names one twice", _LAYOUT
    )
    VERSION_GONE = _file("version_gone", "the version was deleted before a run read it", _AGAIN)
    EMPTY_FILE = _file("empty_file", "0 bytes", _ASK, "EMPTY")
    NO_RECORDS = _file("no_records", "a header and nothing else, or only blank lines", _ASK, "EMPTY")
    SUPERSEDED = _file("superseded", "a newer version of the same key is loaded", "nothing", "SUPERSEDED")

    NO_ROWS = _batch(
        "no rows to load",
        "EMPTY",
        "every record is a reject, or every file is broken or empty",
        "`gluebook rejects`",
    )
    GATE = _batch(
        "gate",
        "REJECTED",
        "a critical expectation failed; `quality/<dataset>/<batch>-e<epoch>.json` shows ten of the rows that break "
        "it ([quality.md](quality.md))",
        "fix the transformation or the suite and replay, or correct the source and send the files again",
    )
    RUN = _batch(
        "run",
        "CLAIMED PUBLISHING",
        "the job run that held the batch has ended without completing it",
        "nothing; the next run takes over",
    )
    ATTEMPTS_USED_UP = _batch(
        "attempts_used_up",
        _DIVIDED,
        "three runs ended before the batch was published; the reason ends with the last run's error",
        "of a FAILED batch: `gluebook logs <dataset>`, fix the cause, replay",
    )
    PLAN_IS_GONE = _batch(
        "plan_is_gone",
        _DIVIDED,
        "the run that published the batch died, and its plan is no longer in the lake",
        "nothing; its files are processed again",
    )
    LOAD_FAILED = _batch(
        "load_failed",
        f"{_DIVIDED} CURATED LOADING",
        "Redshift refused the load, in its own words. It refused the data of a batch that is divided or FAILED; that "
        "of a CURATED or LOADING batch is tried again",
        "of a FAILED batch: fix the file and replay; else fix what the error names",
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
