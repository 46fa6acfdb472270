"""How sources write times: ISO 8601, and patterns of their own.

The expressions are in the syntax that Python and RE2 share; a group is named by the letter of what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CALENDAR_DAY = r"(?P<y>[0-9]{4})-(?P<M>0[1-9]|1[0-2])-(?P<d>0[1-9]|[12][0-9]|3[01])"
_SECONDS = r"(?P<s>[0-5][0-9])(?:[.,](?P<S>[0-9]+))?"
_TIME_OF_DAY = rf"(?P<H>[01][0-9]|2[0-3]):(?P<m>[0-5][0-9])(?::{_SECONDS})?"
# java.time knows offsets up to 18 hours; those in use are between -12:00 and +14:00.
_OFFSET = r" ?(?P<z>Z|[+-](?:(?:0[0-9]|1[0-7])(?::?[0-5][0-9])?|18(?::?00)?))"

# ISO 8601's calendar dates in the extended format, and a time of day with hours and minutes behind it:
#   2026-01-05T10:15  2026-01-05 10:15:00  2026-01-05T10:15:00.123456789Z  ...,5+02  ...+0200  ...+02:00  ... -0500
# A blank may stand for the `T` and before the offset. Of what else the standard defines nothing is read: the basic
# format (20260105T101500Z), week and ordinal dates (2026-W02-1, 2026-005), signed or longer years, hours alone,
# fractions of hours and minutes, 24:00, and the leap second 23:59:60, which no timestamp can hold.
# Nor are zone names: BST is Bangladesh to Java, and PST in July is an hour off.
ISO_DAY = f"^{_CALENDAR_DAY}$"
ISO_TIME = f"^{_CALENDAR_DAY}[T ]{_TIME_OF_DAY}(?:{_OFFSET})?$"

# Python's range, and Spark's documented one. Redshift's timestamps go from 4713 BC to 294276 AD in microseconds (AWS
# docs, "Datetime types"); but what reads Parquet in Python would end at a year that it doesn't know.
EARLIEST, LATEST = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"

# What of Spark's datetime patterns a source may use: letter -> how often it may be repeated. Left out is what Spark
# refuses to parse by (A B c e E F n N p q Q u w W Y, narrow texts), and years of two digits, eras and zone names
# (V z O), which say no certain moment. Spark docs, "Datetime Patterns for Formatting and Parsing".
PATTERN_LETTERS = {
    "y": (4,),
    **dict.fromkeys("ML", (1, 2, 3, 4)),
    "D": (1, 2, 3),
    **dict.fromkeys("dHkKhms", (1, 2)),
    "S": tuple(range(1, 10)),
    "a": (1,),
    **dict.fromkeys("XxZ", (1, 2, 3)),
}
_READ = ", ".join(
    letter * lengths[0] + (f" to {letter * lengths[-1]}" if len(lengths) > 1 else "")
    for letter, lengths in PATTERN_LETTERS.items()
)
# The pieces of a pattern: quoted text, a run of one letter, anything else.
_PIECE = re.compile(r"'(?P<text>[^']*)'|(?P<run>([A-Za-z])\3*)|(?P<other>.)", re.DOTALL)


def problem_of_pattern(pattern: str) -> str | None:
    """Why a source can't read times by `pattern`, and what would be right; None if it can."""
    runs = list(_letters(pattern))
    for run, _ in runs:
        if len(run) not in PATTERN_LETTERS.get(run[0], ()):
            return f"{run} can't be read; what can is {_READ}"
    if wrong := _misplaced(pattern):
        return wrong
    # Where one of these is missing, Spark takes it from 1970-01-01.
    always = {run[0] for run, optional in runs if not optional}
    if "y" not in always or not ((always & {"M", "L"} and "d" in always) or "D" in always):
        return "it must have year, month and day outside of [ ], such as d/M/yyyy"
    if always & {"h", "K"} and "a" not in always:
        return "h and K need an a for AM and PM; hours from 0 to 23 are H"
    return None


def pieces_of(pattern: str) -> Iterator[str]:
    """The pieces of a pattern: runs of one letter, texts with their quotes, and other characters."""
    return (piece[0] for piece in _PIECE.finditer(pattern))


def _misplaced(pattern: str) -> str | None:
    depth = 0
    for piece in _PIECE.finditer(pattern):
        depth += {"[": 1, "]": -1}.get(piece["other"], 0)
        if depth < 0:
            return "a ] has no [ before it"
        if piece["other"] in ("'", "{", "}", "#"):
            return f"{piece['other']} stands for nothing; text goes between single quotes"
    return "a [ has no ] behind it" if depth else None


def _letters(pattern: str) -> Iterator[tuple[str, bool]]:
    """Runs of a pattern letter, and whether each is in an optional section."""
    depth = 0
    for piece in _PIECE.finditer(pattern):
        depth += {"[": 1, "]": -1}.get(piece["other"], 0)
        if piece["run"]:
            yield piece["run"], depth > 0
