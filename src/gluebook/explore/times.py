"""Times as people and systems spell them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
_DASHED_DAY = re.compile(r"^(\d{1,2})-(\d{1,2})-(\d{4})")
_DAY_FIRST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{4} .*")
# What of Spark's datetime patterns sources use, as regular expressions.
_TOKENS = {
    "yyyy": r"(?P<year>\d{4})",
    "M": r"(?P<month>\d{1,2})",
    "d": r"(?P<day>\d{1,2})",
    "H": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
    "[": "(?:",
    "]": ")?",
}
ANY_DAY_FIRST = ("d/M/yyyy H:mm[:ss]", "d.M.yyyy H:mm[:ss]")

NO_TIME, ISO = "no time at all", "ISO 8601"
SPELLINGS = ("day first, with /", "day first, with -", "day first, with .", ISO, NO_TIME)
READINGS = ("the same day", "another day", "refused")


def read_time(text: str | None, patterns: Sequence[str] = ANY_DAY_FIRST) -> datetime | None:
    """The moment in UTC: ISO 8601 or one of `patterns`, which are Spark's; None if it is neither.

    As in the job, a time without a zone is UTC, and dashes between day, month and year do as slashes.
    """
    if text is None:
        return None
    try:
        if _ISO.match(text):
            at = datetime.fromisoformat(text)
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        slashed = _DASHED_DAY.sub(r"\1/\2/\3", text)
        fits = (_expression(pattern).fullmatch(slashed) for pattern in patterns)
        found = next((fit for fit in fits if fit), None)
        return found and datetime(**{name: int(n) for name, n in found.groupdict("0").items()}, tzinfo=UTC)
    except ValueError:  # such as 31/2
        return None


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
