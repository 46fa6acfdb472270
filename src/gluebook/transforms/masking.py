"""Personal data: people become keyed hashes, and disappear from the texts they are named in.

There are two kinds of text. A category or a place is one value, and only e-mail addresses are looked for.
In prose (`Source.prose`) people introduce themselves, sign, and write about others: there the record's own
persons are masked, and every other person of the batch who is named in full.
"""

from __future__ import annotations

import hashlib
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from gluebook.contracts.model import PSEUDONYM_BYTES
from gluebook.contracts.reasons import UNPARSED
from gluebook.sources.model import Source
from gluebook.transforms.people import MASK, is_address, mask_people, with_people

# The SHA-256 of what texts and persons were, for the fingerprint of a revision.
UNMASKED = "_unmasked"
_SHA256_BLOCK_BYTES = 64
_MAILBOX_AT = r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+"
_EMAIL = _MAILBOX_AT + r"(\.[\p{L}\p{N}-]+)+"
# Prose gets cut off anywhere, and the address at its end with it.
_EMAIL_CUT_OFF = _MAILBOX_AT + r"(\.[\p{L}\p{N}-]+)*"


def pseudonymise(df: DataFrame, source: Source, key: str) -> DataFrame:
    """Replace persons by the first 128 bits (hex) of HMAC-SHA256 under `key`: the same person, no name.

    An e-mail address is the same person in upper and lower case. In free text e-mail addresses are masked; in
    prose people's names are, too. So they are in the raw text that is kept for rejects, where all of the
    record's own persons are masked, and its private fields. Works on the source's columns, before they are
    renamed; same rows, same columns, and for a dataset of revisions `_unmasked`, for their fingerprint.
    """
    named = with_people(df, source) if source.prose else df
    hashed = {name: F.substring(_hmac(_person(name), key), 1, PSEUDONYM_BYTES) for name in source.persons}
    texts = {name: mask_emails(F.col(f"`{name}`")) for name in source.texts}
    prose = {name: _mask_prose(F.col(f"`{name}`")) for name in source.prose}
    before = {} if source.contract.append else {UNMASKED: _digest(source)}
    masked = named.withColumns({"_raw": _masked_raw(source), **hashed, **texts, **prose, **before})
    return masked.select(*(F.col(f"`{name}`") for name in (*df.columns, *before)))


def _digest(source: Source) -> Column:
    """SHA-256 (hex) of the columns that are masked, left out or taken over as they are."""
    texts = (*source.texts, *source.left_out, *source.private)
    values = {name: F.col(f"`{name}`") for name in texts} | {name: _person(name) for name in source.persons}
    return F.sha2(F.to_json(F.struct(*(values[name].alias(name) for name in sorted(values)))), 256)


def mask_emails(text: Column) -> Column:
    """Replace every e-mail address in a text."""
    return _mask_addresses(text, _EMAIL)


def _mask_addresses(text: Column, pattern: str) -> Column:
    # Most texts hold none, and the pattern is dear.
    return F.when(text.contains("@"), F.regexp_replace(text, pattern, MASK)).otherwise(text)


def _mask_prose(text: Column) -> Column:
    return mask_people(_mask_addresses(text, _EMAIL_CUT_OFF))


def _person(name: str) -> Column:
    value = F.col(f"`{name}`")
    return F.when(is_address(name), F.lower(value)).otherwise(value)


def _masked_raw(source: Source) -> Column:
    """The record's text for the quarantine, without the people in it."""
    raw = F.col("_raw")
    persons = [*source.persons, *source.left_out]
    if not persons:
        return mask_emails(raw)
    known = _mask_prose(raw) if source.prose else mask_emails(_without_values(raw, persons))
    # Where the columns can't be separated, any text may name a person: only the shape is kept.
    unparsed = F.col("_problem").isin(*UNPARSED)
    return F.when(unparsed, _shape_of(raw)).otherwise(reduce(_without_field, source.private, known))


def _without_values(raw: Column, names: list[str]) -> Column:
    """A CSV record without these columns' values, as they are and with their quotes doubled, wherever they stand."""
    values = [value for name in names for value in (F.col(f"`{name}`"), _doubled_quotes(name))]
    # To replace the empty text changes nothing.
    texts = [F.coalesce(value, F.lit("")) for value in values]
    return reduce(lambda text, value: F.replace(text, value, F.lit(MASK)), texts, raw)


def _doubled_quotes(name: str) -> Column:
    """A value as it stands in a quoted CSV field, if that is something else; otherwise null."""
    value = F.col(f"`{name}`")
    return F.when(value.contains('"'), F.replace(value, F.lit('"'), F.lit('""')))


def _without_field(raw: Column, name: str) -> Column:
    """A CSV record without the fields that are exactly this column's value: it may be as short as an age."""
    exactly = F.regexp_replace(F.col(f"`{name}`"), r"([^\p{L}\p{N}])", r"\\$1")
    field = F.concat(F.lit(r'(?<=^|,)[\s"]*'), exactly, F.lit(r'[\s"]*(?=,|$)'))
    return F.when(exactly.isNull(), raw).otherwise(F.regexp_replace(raw, field, F.lit(MASK)))


def _shape_of(text: Column) -> Column:
    return F.regexp_replace(F.regexp_replace(text, r"\p{L}", "x"), r"\p{N}", "9")


def _hmac(value: Column, key: str) -> Column:
    """HMAC-SHA256 (RFC 2104) in hex, by built-ins."""
    block = key.encode()
    if len(block) > _SHA256_BLOCK_BYTES:
        block = hashlib.sha256(block).digest()
    block = block.ljust(_SHA256_BLOCK_BYTES, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    first = F.sha2(F.concat(F.lit(bytearray(inner)), value.cast("binary")), 256)
    return F.sha2(F.concat(F.lit(bytearray(outer)), F.unhex(first)), 256)
