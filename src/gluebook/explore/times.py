"""Times as people and systems spell them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache

from gluebook.errors import ConfigurationError
from gluebook.sources.times import ISO_DAY, ISO_TIME, PIECE

_DAY_FIRST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{4} .*")
# Letters of Spark's datetime patterns, with the directives of Python's `strptime`.
_DIRECTIVES = {
    **{"y": "%Y", "M": "%m", "L": "%m", "MMM": "%b", "LLL": "%b", "MMMM": "%B", "LLLL": "%B", "D": "%j"},
    **{"d": "%d", "H": "%H", "h": "%I", "m": "%M", "s": "%S", "S": "%f", "a": "%p"},
    **dict.fromkeys("XxZ", "%z"),
}
_WRITTEN = {"%b": "([A-Za-z]+)", "%B": "([A-Za-z]+)", "%p": "([AaPp][Mm])", "%z": "(Z|[+-][0-9:]+)"}
ANY_DAY_FIRST = tuple(f"d{mark}M{mark}yyyy H:mm[:ss]" for mark in "/-.")

NO_TIME, ISO = "no time at all", "ISO 8601"
SPELLINGS = ("day first, with /", "day first, with -", "day first, with .", ISO, NO_TIME)
READINGS = ("the same day", "another day", "refused")


def read_time(text: str | None, patterns: Sequence[str] = ANY_DAY_FIRST) -> datetime | None:
    """The moment in UTC: ISO 8601 or one of `patterns`, which are Spark's; None if it is neither.

    As in the job, a time without an offset is UTC. Raises ConfigurationError for a pattern that is not implemented.
    """
    try:
        at = text and _as_written(text, patterns)
        return at.astimezone(UTC) if at else None
    except OverflowError:  # a moment before the year 1
        return None


def read_day(text: str, patterns: Sequence[str] = ANY_DAY_FIRST) -> date | None:
    """The day that stands in the text, whatever its offset; None if no day does."""
    at = _as_written(f"{text}T00:00" if re.match(ISO_DAY, text) else text, patterns)
    return at and at.date()


def _as_written(text: str, patterns: Sequence[str]) -> datetime | None:
    found = (_by_pattern(text, pattern) for pattern in patterns)
    at = _iso(text) if re.match(ISO_TIME, text) else next((at for at in found if at), None)
    return at.replace(tzinfo=UTC) if at and not at.tzinfo else at


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text[:11] + text[11:].replace(" ", ""))
    except ValueError:  # such as 31 February
        return None


def _by_pattern(text: str, pattern: str) -> datetime | None:
    expression, directives = _expression(pattern)
    if (fit := expression.fullmatch(text)) is None:
        return None
    given = [(value, of) for value, of in zip(fit.groups(), directives, strict=True) if value]
    # Python takes offsets of whole hours, and fractions of more than six digits, only in ISO 8601.
    values = [f"{v}00" if of == "%z" and len(v) == 3 else v[:6] for v, of in given]
    try:
        return datetime.strptime(" ".join(values), " ".join(of for _, of in given))
    except ValueError:  # such as 31/2, which the next pattern may read
        return None


@cache
def _expression(pattern: str) -> tuple[re.Pattern[str], list[str]]:
    """What fits the pattern, with a group for each run of letters, and the directives of these groups."""
    text, directives = "", []
    for piece in PIECE.finditer(pattern):
        if run := piece["run"]:
            directive = _DIRECTIVES.get(run) or _DIRECTIVES.get(run[0])
            if directive is None:
                raise ConfigurationError(
                    f"{run} of {pattern!r} is not implemented for looking at raw files: add it to "
                    "_DIRECTIVES in gluebook.explore.times"
                )
            least = 1 if run[0] == "S" else len(run)
            text += _WRITTEN.get(directive, f"([0-9]{{{least},{max(2, len(run))}}})")
            directives.append(directive)
        else:
            text += {"[": "(?:", "]": ")?"}.get(piece["other"], re.escape(piece["other"] or piece["text"]))
    return re.compile(text), directives


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
