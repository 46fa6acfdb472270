"""A file's bytes to its records with their fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gluebook.contracts.reasons import Reason
from gluebook.sources.fields import Fields, Malformed
from gluebook.sources.framing import Framer
from gluebook.sources.model import Source


class ParsedRecord(NamedTuple):
    """A record: its number in the file, its text, what is wrong with it, and its fields (none if something is)."""

    number: int
    raw: str
    problem: Reason | None
    fields: Fields


def parsed(framer: Framer, source: Source) -> Iterator[ParsedRecord]:
    """The records of a file of `source`, in order. One that can't be parsed has a problem. Raises BadFile."""
    for number, raw, problem in framer:
        fields: Fields = {}
        if problem is None:
            try:
                fields = source.parse(raw, framer.columns)
            except Malformed:
                problem = Reason.MALFORMED
            except Exception as bug:
                bug.add_note(f"while parsing record {number} of a file of {source.name}")
                raise
        yield ParsedRecord(number, raw, problem, fields)
