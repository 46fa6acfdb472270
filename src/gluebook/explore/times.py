"""Times as people and systems spell them, read as the job reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import pyarrow as pa

from gluebook.transforms.times import instants

_DAY_FIRST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{4} .*")
ANY_DAY_FIRST = tuple(f"d{mark}M{mark}yyyy H:mm[:ss]" for mark in "/-.")

NO_TIME, ISO = "no time at all", "ISO 8601"
SPELLINGS = ("day first, with /", "day first, with -", "day first, with .", ISO, NO_TIME)
READINGS = ("the same day", "another day", "refused")


def read_times(texts: pd.Series, patterns: Sequence[str] = ANY_DAY_FIRST) -> pd.Series:
    """The moments in UTC, in the index of `texts`: by ISO 8601 or one of `patterns`, which are Spark's; else NaT."""
    found = instants(pa.array(texts, pa.string(), from_pandas=True), tuple(patterns))
    return pd.Series(found.to_pandas().array, texts.index)


def read_time(text: str | None, patterns: Sequence[str] = ANY_DAY_FIRST) -> datetime | None:
    """The moment of one text; None if it names none."""
    found: datetime | None = instants(pa.array([text], pa.string()), tuple(patterns))[0].as_py()
    return found


def without_offset(text: str) -> datetime:
    """What the clock on the wall showed, where an ISO 8601 time was written."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def spellings(texts: pd.Series) -> pd.Series:
    """Which of SPELLINGS each text is in."""
    marks = texts.str.extract(_DAY_FIRST)[1]
    spelt = ("day first, with " + marks).fillna(ISO)
    return spelt.where(read_times(texts).notna(), NO_TIME)


def read_month_first(text: str) -> str:
    """Which of READINGS a reader who expects the month first would come to, where the day stands first."""
    found = _DAY_FIRST.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} isn't day first")
    day, month = int(found[1]), int(found[3])
    if day > 12:
        return READINGS[2]
    return READINGS[0] if day == month else READINGS[1]
