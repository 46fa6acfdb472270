"""Times and dates as sources write them, to the contract's."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from gluebook.sources.times import EARLIEST, ISO_DAY, ISO_TIME, LATEST, has_offset

_DAY_LENGTH = len("2026-01-05")
_MINUTE_FROM, _MINUTE_LENGTH = 12, len("10:15")
_REST_FROM = _MINUTE_FROM + _MINUTE_LENGTH


def timestamp_of(text: Column, patterns: tuple[str, ...]) -> Column:
    """The moment that the text names by ISO 8601 (`ISO_TIME`), or else by the first of the patterns that fits it.

    Without an offset it is UTC. Null if nothing fits.
    """
    by_pattern = (F.try_to_timestamp(text, F.lit(pattern)) for pattern in patterns)
    return F.coalesce(F.when(text.rlike(ISO_TIME), _iso_timestamp(text)), *by_pattern)


def date_of(text: Column, patterns: tuple[str, ...]) -> Column:
    """The day that stands in the text, whatever offset stands behind it; null if no day does."""
    is_iso = text.rlike(ISO_DAY) | text.rlike(ISO_TIME)
    iso = F.when(is_iso, F.try_to_timestamp(F.substring(text, 1, _DAY_LENGTH)))
    return F.coalesce(iso.cast("date"), *(_date_by(text, pattern) for pattern in patterns))


def in_range(value: Column, type_: str) -> Column:
    """A timestamp or date between EARLIEST and LATEST; null if it is outside."""
    return F.when(value.between(F.lit(EARLIEST).cast(type_), F.lit(LATEST).cast(type_)), value)


def _iso_timestamp(text: Column) -> Column:
    # Spark's cast reads all of it but for times with an offset and without seconds, and a comma before the fraction.
    rest = F.substr(text, F.lit(_REST_FROM))
    return F.try_to_timestamp(
        F.concat(
            F.substring(text, 1, _DAY_LENGTH),
            F.lit(" "),
            F.substring(text, _MINUTE_FROM, _MINUTE_LENGTH),
            F.when(rest.startswith(":"), F.lit("")).otherwise(F.lit(":00")),
            F.translate(rest, ", ", "."),
        )
    )


def _date_by(text: Column, pattern: str) -> Column:
    moment = F.try_to_timestamp(text, F.lit(pattern))
    if not has_offset(pattern):
        return moment.cast("date")
    # There is no variant that gives null for what doesn't fit.
    return F.when(moment.isNotNull(), F.to_timestamp_ntz(text, F.lit(pattern)).cast("date"))
