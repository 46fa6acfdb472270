"""Times as people and systems spell them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache

from gluebook.sources.times import ISO_DAY, ISO_TIME

_DAY_FIRST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{4} .*")
# What of Spark's datetime patterns sources use, as regular expressions.
_TOKENS = {
    "yyyy": r"(?P<year>[0-9]{4})",
    "M": r"(?P<month>[0-9]{1,2})",
    "d": r"(?P<day>[0-9]{1,2})",
    "H": r"(?P<hour>[0-9]{1,2})",
    "mm": r"(?P<minute>[0-9]{2})",
    "ss": r"(?P<second>[0-9]{2})",
    "[": "(?:",
    "]": ")?",
}
ANY_DAY_FIRST = tuple(f"d{mark}M{mark}yyyy H:mm[:ss]" for mark in "/-.")

NO_TIME, ISO = "no time at all", "ISO 8601"
SPELLINGS = ("day first, with /", "day first, with -", "day first, with .", ISO, NO_TIME)
READINGS = ("the same day", "another day", "refused")


def read_time(text: str | None, patterns: Sequence[str] = ANY_DAY_FIRST) -> datetime | None:
    """The moment in UTC: ISO 8601 or one of `patterns`, which are Spark's; None if it is neither.

    As in the job, a time without an offset is UTC.
    """
    if text is None:
        return None
    try:
        if re.match(ISO_TIME, text):
            at = _iso(text)
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        fits = (_expression(pattern).fullmatch(text) for pattern in patterns)
        found = next((fit for fit in fits if fit), None)
        return found and datetime(**{name: int(n) for name, n in found.groupdict("0").items()}, tzinfo=UTC)
    except (ValueError, OverflowError):  # such as 31/2, or a moment before the year 1
        return None


def read_day(text: str, patterns: Sequence[str] = ANY_DAY_FIRST) -> date | None:
    """The day that stands in the text, whatever its offset; None if no day does."""
    if not re.match(ISO_DAY, text) and not re.match(ISO_TIME, text):
        at = read_time(text, patterns)
        return at and at.date()
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text[:11] + text[11:].replace(" ", ""))


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    tokens = re.findall("|".join(map(re.escape, _TOKENS)) + "|.", pattern)
    return re.compile("".join(_TOKENS.get(token, re.escape(token)) for token in tokens))


def without_offset(text: str) -> datetime:
    """What the clock on the wall showed, where an ISO 8601 time was written."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def spelling(text: str) -> str:
    """Which of SPELLINGS a text is in."""
    if read_time(text) is None:
        return NO_TIME
    found = _DAY_FIRST.fullmatch(text)
    return f"day first, with {found[2]}" if found else ISO


def read_month_first(text: str) -> str:
    """Which of READINGS a reader who expects the month first would come to, where the day stands first."""
    found = _DAY_FIRST.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} isn't day first")
    day, month = int(found[1]), int(found[3])
    if day > 12:
        return READINGS[2]
    return READINGS[0] if day == month else READINGS[1]
