"""What makes two records one: the same text, or the same values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from gluebook.sources.model import Source
from gluebook.transforms.rows import Rows, by_value, sha256_hex, where

# The SHA-256 of what texts and persons were before they are masked, for the fingerprint of a revision.
UNMASKED = "_unmasked"

# What a fingerprint begins with. The first format has nothing before its hexadecimal digits, so a later one is
# greater: of two rows of one revision the one that was fingerprinted last stands in the warehouse.
_FORMAT = "v2:"
_DIGITS = 64 - len(_FORMAT)
_ESCAPED = r'["\\\x00-\x1f]'
# A backslash may be escaped that stands before what only looks like a code.
_CODE = re.compile(r"\\(?:u00[0-9a-f]{2}|.)")


def record_id(rows: Rows, source: Source, name: str) -> Rows:  # noqa: ARG001 - a verb takes both
    """Add SHA-256 (hex) of the record's text as column `name`: two records share it if they are the same text."""
    return rows.with_columns({name: sha256_hex(rows.all_raw())})


def fingerprint(rows: Rows, source: Source) -> Rows:
    """Add `_row_hash`: equal for two records if and only if all source columns say the same, however it is written.

    It is the first 61 hexadecimal digits of a SHA-256 behind the number of the format. Hashed are the typed values,
    and of texts and persons what `pseudonymise` has put down in `_unmasked`, which goes. So neither the key nor the
    other records of the batch have a say in it.
    """
    typed = sorted(new for old, new in source.renames.items() if old not in (*source.texts, *source.persons))
    values = {name: _as_text(rows[name]) for name in typed}
    digits = pc.utf8_slice_codeunits(digest({**values, UNMASKED: rows[UNMASKED]}), 0, _DIGITS)
    marked = pc.binary_join_element_wise(_FORMAT, digits, "")
    return rows.with_columns({"_row_hash": marked}).without((UNMASKED,))


def digest(values: Mapping[str, pa.Array]) -> pa.Array:
    """SHA-256 (hex) of the texts as JSON objects with the names in the order given; a null is left out."""
    inside = pc.binary_join_element_wise(*(_member(name, texts) for name, texts in values.items()), "")
    return sha256_hex(pc.binary_join_element_wise("{", pc.utf8_rtrim(inside, ","), "}", ""))


def _member(name: str, texts: pa.Array) -> pa.Array:
    """A member of a JSON object and the comma behind it; nothing of a null."""
    begin = f'{json.dumps(name, ensure_ascii=False)}:"'
    return pc.fill_null(pc.binary_join_element_wise(begin, _json_text(texts), '",', ""), "")


def _as_text(values: pa.Array) -> pa.Array:
    """As Spark writes a value; of a time no more digits than it has."""
    if not pa.types.is_timestamp(values.type):
        return values.cast(pa.string())
    # Without the zone, which would be written behind it.
    texts = values.cast(pa.timestamp("us")).cast(pa.string())
    return pc.replace_substring_regex(texts, r"([.][0-9]*[1-9])0+$|[.]0+$", r"\1")


def _json_text(texts: pa.Array) -> pa.Array:
    return where(texts, pc.match_substring_regex(texts, _ESCAPED), lambda some: by_value(some, _escape))


def _escape(text: str) -> str:
    """As Jackson, Spark's JSON writer, escapes a text: digits of codes in upper case."""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    return _CODE.sub(lambda code: code[0][:2] + code[0][2:].upper(), written)
