"""JSON records to fields: RFC 8259, read strictly, and nothing is interpreted that stays text.

msgspec splits an object into its members without reading their values: numbers keep their digits and nested JSON its
very text. Of a key that occurs twice the last member counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from gluebook.sources.blanks import BLANKS
from gluebook.sources.fields import Malformed

Members = Mapping[str, msgspec.Raw]

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING = msgspec.json.Decoder(str)
_NUMBER = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?")
_FIRST_BEYOND_BIGINT = 1 << 63


def json_members(text: str | msgspec.Raw) -> Members:
    """The members of a text that is exactly one JSON object.

    Raises Malformed otherwise: anything follows it, it is nested deeper than Python's recursion limit, or it holds
    half a surrogate pair, which no UTF-8 can.
    """
    try:
        return _OBJECT.decode(text.removeprefix("\ufeff") if isinstance(text, str) else text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(str(error)) from None


def text_of(value: msgspec.Raw | None) -> str | None:
    """A value as a field: a string's characters, null and a missing one as None, all else as the JSON written.

    U+0000 is left out of strings, since COPY takes none of it (AWS, "COPY from columnar data formats").
    """
    written = json_text(value)
    if written is None or not written.startswith('"'):
        return written
    return _STRING.decode(written).replace("\0", "")


def json_text(value: msgspec.Raw | None) -> str | None:
    """A value as the JSON that stands in the record; None for null and for a missing one."""
    written = None if value is None else bytes(value).decode()
    return None if written == "null" else written


def text_inside(value: msgspec.Raw | None, key: str) -> str | None:
    """The member `key` of a value that is an object, as `text_of` gives it; of any other value the value itself."""
    written = json_text(value)
    if value is None or written is None or not written.startswith("{"):
        return text_of(value)
    return text_of(json_members(value).get(key))


def first_text(members: Members, keys: Iterable[str]) -> str | None:
    """The first of the members `keys` that is more than blanks, without the blanks around it."""
    found = ((text_of(members.get(key)) or "").strip(BLANKS) for key in keys)
    return next((text for text in found if text), None)


def whole_number(text: str | None) -> str | None:
    """A JSON number as the text of a bigint, without its fraction; None for any other text or number."""
    if text is None or not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    return str(int(number)) if -_FIRST_BEYOND_BIGINT <= number < _FIRST_BEYOND_BIGINT else None
