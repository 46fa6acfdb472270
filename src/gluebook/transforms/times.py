"""Times and dates as sources write them, to the contract's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gluebook.sources.times import EARLIEST, ISO_DAY, ISO_TIME, LATEST, pieces_of

# Arrays of numpy, which has no types for what Arrow gives.
Numbers = Any

TIMESTAMP = pa.timestamp("us", "UTC")

_MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTHS = tuple(name[:3] for name in _MONTH_NAMES)
_MOST_OFFSET_MINUTES = 18 * 60
_FIRST_DAY, _LAST_DAY = (np.datetime64(text[:10], "D") for text in (EARLIEST, LATEST))
_FIRST, _LAST = (np.datetime64(text.replace(" ", "T"), "us") for text in (EARLIEST, LATEST))


@dataclass(frozen=True)
class _Moments:
    """What texts say: the day that is written, the microseconds since its midnight, and the offset in minutes.

    `fits`: whether a text is by the pattern, and names a moment that there is.
    """

    fits: Numbers
    day: Numbers
    micros: Numbers
    offset: Numbers


def instants(texts: pa.Array, patterns: tuple[str, ...]) -> pa.Array:
    """The moments that the texts name by ISO 8601 (`ISO_TIME`), or else by the first of the patterns that fits.

    Without an offset it is UTC. Null if nothing fits, or the moment is not between EARLIEST and LATEST.
    """

    def moment(found: _Moments) -> tuple[Numbers, Numbers]:
        minutes = found.offset * np.timedelta64(60_000_000, "us")
        at = found.day.astype("datetime64[us]") + found.micros.astype("timedelta64[us]") - minutes
        return at, (at >= _FIRST) & (at <= _LAST)

    return _first_that_fits(texts, ("", *patterns), moment, TIMESTAMP)


def days(texts: pa.Array, patterns: tuple[str, ...]) -> pa.Array:
    """The days that stand in the texts, whatever offset stands behind them; null if no day does."""

    def day(found: _Moments) -> tuple[Numbers, Numbers]:
        return found.day, (found.day >= _FIRST_DAY) & (found.day <= _LAST_DAY)

    dates = pc.if_else(
        pc.match_substring_regex(texts, ISO_DAY), pc.binary_join_element_wise(texts, "00:00", "T"), texts
    )
    return _first_that_fits(dates, ("", *patterns), day, pa.date32())


def _first_that_fits(
    texts: pa.Array,
    patterns: tuple[str, ...],
    value: Callable[[_Moments], tuple[Numbers, Numbers]],
    type_: pa.DataType,
) -> pa.Array:
    """By pattern, in order; one that fits without a value that there can be, is the last for its text."""
    found = pa.nulls(len(texts), type_)
    left = pc.is_valid(texts)
    for pattern in patterns:
        if not pc.any(left, min_count=0).as_py():
            break
        moments = _read(texts.filter(left), pattern)
        values, in_range = value(moments)
        some = pa.array(values, mask=~(moments.fits & in_range)).cast(type_)
        found = pc.replace_with_mask(found, left, some)
        done = pc.replace_with_mask(left, left, pa.array(~moments.fits))
        left = pc.and_(left, done)
    return found


def _read(texts: pa.Array, pattern: str) -> _Moments:
    expression = expression_of(pattern)
    groups = pc.extract_regex(texts, expression)
    by_letter: dict[str, list[pa.Array]] = {}
    for field in groups.type:
        by_letter.setdefault(field.name[0], []).append(pc.fill_null(groups.field(field.name), ""))
    fits = pc.is_valid(groups).to_numpy(zero_copy_only=False)
    values = {letter: _agreed(arrays) for letter, arrays in by_letter.items()}
    for _, agree in values.values():
        fits = fits & agree
    numbers = _Numbers({letter: array for letter, (array, _) in values.items()}, fits)
    return numbers.moments()


def _agreed(arrays: list[pa.Array]) -> tuple[pa.Array, Numbers]:
    """Of a letter that stands in several places the text that is there, and whether all of them say the same."""
    first, *others = arrays
    agree = np.ones(len(first), bool)
    for other in others:
        both = pc.and_(pc.not_equal(first, ""), pc.not_equal(other, ""))
        agree &= pc.invert(pc.and_(both, pc.not_equal(first, other))).to_numpy(zero_copy_only=False)
        first = pc.if_else(pc.equal(first, ""), other, first)
    return first, agree


class _Numbers:
    """The numbers that were read by letter, and the moments that they are."""

    def __init__(self, texts: dict[str, pa.Array], fits: Numbers) -> None:
        self._texts = texts
        self._fits = fits

    def moments(self) -> _Moments:
        day = self._day()
        micros = self._time_of_day()
        offset = self._offset()
        return _Moments(self._fits, day, micros, offset)

    def _number(self, letter: str, default: int, low: int, high: int) -> Numbers:
        texts = self._texts.get(letter)
        if texts is None:
            return np.full(len(self._fits), default, np.int64)
        filled = pc.if_else(pc.equal(texts, ""), str(default), texts)
        number = filled.cast(pa.int64()).to_numpy(zero_copy_only=False)
        self._fits = self._fits & (number >= low) & (number <= high)
        return number

    def _day(self) -> Numbers:
        first = (self._number("y", 1970, 0, 9999) - 1970) * 12
        if "D" in self._texts:
            months, place = first, self._number("D", 1, 1, 366)
            length = 12
        else:
            months, place = first + self._month() - 1, self._number("d", 1, 1, 31)
            length = 1
        start = months.astype("datetime64[M]")
        begin, end = start.astype("datetime64[D]"), (start + length).astype("datetime64[D]")
        day = begin + (place - 1)
        self._fits = self._fits & (day < end)
        return day

    def _month(self) -> Numbers:
        names = self._texts.get("N")
        if names is None:
            return self._number("M", 1, 1, 12)
        of = pc.index_in(pc.utf8_slice_codeunits(pc.utf8_lower(names), 0, 3), pa.array(_MONTHS))
        return pc.fill_null(pc.add(of, 1), 1).to_numpy(zero_copy_only=False).astype(np.int64)

    def _time_of_day(self) -> Numbers:
        hour = self._number("H", 0, 0, 23)
        if "k" in self._texts:
            hour = self._number("k", 24, 1, 24) % 24
        for letter, low, high in (("h", 1, 12), ("K", 0, 11)):
            if letter in self._texts:
                afternoon = pc.equal(pc.utf8_lower(self._texts["a"]), "pm").to_numpy(zero_copy_only=False)
                hour = self._number(letter, high, low, high) % 12 + 12 * afternoon
        seconds = (hour * 60 + self._number("m", 0, 0, 59)) * 60 + self._number("s", 0, 0, 59)
        return seconds * 1_000_000 + self._fraction()

    def _fraction(self) -> Numbers:
        texts = self._texts.get("S")
        if texts is None:
            return np.zeros(len(self._fits), np.int64)
        micros = pc.utf8_slice_codeunits(pc.utf8_rpad(texts, 6, "0"), 0, 6)
        return micros.cast(pa.int64()).to_numpy(zero_copy_only=False)

    def _offset(self) -> Numbers:
        texts = self._texts.get("z")
        if texts is None:
            return np.zeros(len(self._fits), np.int64)
        digits = pc.utf8_rpad(pc.replace_substring_regex(texts, "[^0-9]", ""), 4, "0").cast(pa.int64())
        number = digits.to_numpy(zero_copy_only=False)
        minutes = number // 100 * 60 + number % 100
        self._fits = self._fits & (number % 100 < 60) & (minutes <= _MOST_OFFSET_MINUTES)
        west = pc.match_substring(texts, "-").to_numpy(zero_copy_only=False)
        return np.where(west, -minutes, minutes)


@cache
def expression_of(pattern: str) -> str:
    """A datetime pattern of Spark as a regular expression for RE2, its groups named by letter; "" is ISO 8601.

    As Spark parses: letters in any case, `S` for as many digits as there are up to its number. The group's letter is
    that of the pattern, but N for a month's name, and z for each kind of offset.
    """
    if not pattern:
        return ISO_TIME
    parts = [_part(piece, number) for number, piece in enumerate(pieces_of(pattern))]
    return f"(?i)^{''.join(parts)}$"


_OFFSETS = {
    "X": "Z|[+-][0-9]{2}(?:[0-9]{2})?",
    "XX": "Z|[+-][0-9]{4}",
    "XXX": "Z|[+-][0-9]{2}:[0-9]{2}",
    "x": "[+-][0-9]{2}(?:[0-9]{2})?",
    "xx": "[+-][0-9]{4}",
    "xxx": "[+-][0-9]{2}:[0-9]{2}",
    **dict.fromkeys(("Z", "ZZ", "ZZZ"), "[+-][0-9]{4}"),
}


def _part(piece: str, number: int) -> str:
    letter = piece[:1]
    if piece in "[]":
        return "(?:" if piece == "[" else ")?"
    if letter == "'":
        return re.escape(piece[1:-1] or "'")
    if not letter.isascii() or not letter.isalpha():
        return re.escape(piece)
    if piece in _OFFSETS:
        return f"(?P<z{number}>{_OFFSETS[piece]})"
    if letter in "ML" and len(piece) > 2:
        return f"(?P<N{number}>{'|'.join(_MONTHS if len(piece) == 3 else _MONTH_NAMES)})"
    if letter == "a":
        return f"(?P<a{number}>am|pm)"
    if letter == "S":
        return f"(?P<S{number}>[0-9]{{1,{len(piece)}}})"
    widest = {"y": 4, "D": 3}.get(letter, 2)
    width = f"{{{len(piece)}}}" if len(piece) > 1 else f"{{1,{widest}}}"
    return f"(?P<{'M' if letter == 'L' else letter}{number}>[0-9]{width})"
