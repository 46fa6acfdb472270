"""CSV records to fields: RFC 4180, read strictly.

A field is quoted, with the quotes inside it doubled, or plain: then a quote in it is a character like any other.
Blanks around a quoted field are not part of its value. A record may hold line breaks, but only inside quotes.
"""

from __future__ import annotations

import csv
import re

from gluebook.sources.blanks import BLANKS
from gluebook.sources.fields import Fields, Malformed

# The framing asks the same grammar whether lines that it has joined are a record.
QUOTED = r'[ \t]*+"([^"]*+(?:""[^"]*+)*+)"[ \t]*+'
PLAIN = r'(?![ \t]*+")([^,\r\n]*+)'
_FIELD = re.compile(rf"(?:{QUOTED}|{PLAIN})(,|\Z)")


def csv_fields(record: str, columns: tuple[str, ...]) -> Fields:
    """The values of a CSV record by the column names of its file's header; every value is the text as written.

    Raises Malformed if the record breaks the grammar, or has more or fewer fields than the header.
    """
    values = csv_values(record)
    if len(values) != len(columns):
        raise Malformed(f"{len(values)} fields under a header of {len(columns)}")
    return dict(zip(columns, values, strict=True))


def csv_values(record: str) -> list[str]:
    """The values of a CSV record in order. Raises Malformed."""
    record = record.removeprefix("\ufeff")
    if '"' not in record and "\r" not in record and "\n" not in record:
        return record.split(",")
    try:
        values = next(csv.reader((record,), strict=True))
    except csv.Error:
        return _by_the_grammar(record)
    # Python's reader takes a quote behind a blank for a character; all else it reads by the same grammar.
    return _by_the_grammar(record) if any(value[:1] in " \t" and '"' in value for value in values) else values


def _by_the_grammar(record: str) -> list[str]:
    values: list[str] = []
    at = 0
    while found := _FIELD.match(record, at):
        quoted, plain, end = found.groups()
        values.append(plain if quoted is None else quoted.replace('""', '"'))
        if not end:
            return values
        at = found.end()
    raise Malformed(f"field {len(values) + 1} is neither quoted nor plain")


def header_names(header: str) -> tuple[str, ...]:
    """The column names in a CSV header. Raises Malformed."""
    return tuple(name.strip(BLANKS) for name in csv_values(header))
