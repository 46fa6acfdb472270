"""Personal data: people become keyed hashes, and disappear from the texts they are named in.

There are two kinds of text. A category or a place is one value, and only e-mail addresses are looked for.
In prose (`Source.prose`) people introduce themselves, sign, and write about others: there the record's own
persons are masked, and every other person of the batch who is named in full.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from gluebook.contracts.model import PSEUDONYM_BYTES
from gluebook.contracts.reasons import UNPARSED
from gluebook.sources.model import Source
from gluebook.transforms.fingerprints import UNMASKED, digest
from gluebook.transforms.people import MASK, Own, is_address, mask_people, names_of, words_of
from gluebook.transforms.rows import PROBLEM, Rows, by_value, where

_MAILBOX_AT = r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+"
_EMAIL = _MAILBOX_AT + r"(\.[\p{L}\p{N}-]+)+"
# Prose gets cut off anywhere, and the address at its end with it.
_EMAIL_CUT_OFF = _MAILBOX_AT + r"(\.[\p{L}\p{N}-]+)*"


def pseudonymise(rows: Rows, source: Source, key: str, everybody: frozenset[str]) -> Rows:
    """Replace persons by the first 128 bits (hex) of HMAC-SHA256 under `key`: the same person, no name.

    An e-mail address is the same person in upper and lower case. In free text e-mail addresses are masked; in
    prose people's names are, too: the record's own, and those of `everybody` (the full names in the batch, from
    `Records.everybody`). So they are in the raw text that is kept for rejects, where all of the record's own persons
    are masked, and its private fields. Works on the source's columns, before they are renamed; same rows, same
    columns, and for a dataset of revisions `_unmasked`, for their fingerprint.
    """
    hashed = {name: _pseudonyms(_persons(rows[name]), key.encode()) for name in source.persons}
    texts = {name: mask_emails(rows[name]) for name in source.texts if name not in source.prose}
    prose = dict(
        zip(
            source.prose, _masked_prose([rows[n] for n in source.prose], rows, source, everybody), strict=True
        )
    )
    before = {} if source.contract.append else {UNMASKED: _digest(rows, source)}
    masked = rows.with_columns({**hashed, **texts, **prose, **before})

    return Rows(masked.columns, lambda places: _masked_raw(rows.take(places), source, everybody))


def mask_emails(texts: pa.Array) -> pa.Array:
    """Replace every e-mail address in the texts."""
    return _mask_addresses(texts, _EMAIL)


def _mask_addresses(texts: pa.Array, pattern: str) -> pa.Array:
    # Most texts hold none, and to look for a character costs less than the pattern.
    return where(
        texts, pc.match_substring(texts, "@"), lambda some: pc.replace_substring_regex(some, pattern, MASK)
    )


def _digest(rows: Rows, source: Source) -> pa.Array:
    """SHA-256 (hex) of the columns that are masked, left out or taken over as they are."""
    texts = {name: rows[name] for name in (*source.texts, *source.left_out, *source.private)}
    values = texts | {name: _persons(rows[name]) for name in source.persons}
    return digest({name: values[name] for name in sorted(values)})


def _persons(names: pa.Array) -> pa.Array:
    return where(names, is_address(names), pc.utf8_lower)


def _pseudonyms(persons: pa.Array, key: bytes) -> pa.Array:
    return by_value(persons, lambda one: hmac.digest(key, one.encode(), "sha256").hex()[:PSEUDONYM_BYTES])


def _masked_prose(
    texts: list[pa.Array], rows: Rows, source: Source, everybody: frozenset[str]
) -> Iterator[pa.Array]:
    if not source.prose:
        return
    owns = _own_persons(rows, source)
    for each in texts:
        yield mask_people(_mask_addresses(each, _EMAIL_CUT_OFF).to_pylist(), owns, names_of(everybody))


def _own_persons(rows: Rows, source: Source) -> list[Own]:
    columns = [rows[name] for name in (*source.persons, *source.left_out)]
    persons = (zip(words_of(one).to_pylist(), is_address(one).to_pylist(), strict=True) for one in columns)
    return [Own(of_record) for of_record in zip(*persons, strict=True)]


# -- the text that rejects keep -------------------------------------------------------------------------------


def _masked_raw(rejects: Rows, source: Source, everybody: frozenset[str]) -> pa.Array:
    """The records' texts for the quarantine, without the people in them."""
    raw = rejects.all_raw()
    persons = [*source.persons, *source.left_out]
    if not persons:
        return mask_emails(raw)
    # Where the columns can't be separated, any text may name a person: only the shape is kept.
    unparsed = pc.is_in(rejects[PROBLEM], pa.array(UNPARSED, pa.string()))
    if source.prose:
        [known] = _masked_prose([raw], rejects, source, everybody)
    else:
        known = mask_emails(_without_values(raw, [rejects[name] for name in persons]))
    bare = _without_fields(known, [rejects[name] for name in source.private])
    return pc.if_else(unparsed, _shape_of(raw), bare)


def _without_values(raw: pa.Array, values: list[pa.Array]) -> pa.Array:
    """CSV records without these values, as they are and with their quotes doubled, wherever they stand."""
    return _without(raw, values, lambda text, value: text.replace(value, MASK).replace(_doubled(value), MASK))


def _doubled(value: str) -> str:
    return value.replace('"', '""')


def _without_fields(raw: pa.Array, values: list[pa.Array]) -> pa.Array:
    """CSV records without the fields that are exactly these values: they may be as short as an age."""
    return _without(
        raw,
        values,
        lambda text, value: re.sub(rf'(?:^|(?<=,))[\s"]*{re.escape(value)}[\s"]*(?=,|$)', MASK, text),
    )


def _without(raw: pa.Array, values: list[pa.Array], masked: Callable[[str, str], str]) -> pa.Array:
    """Each text after `masked(text, value)` for every value of its record that is not empty, in order."""
    for of_column in values:
        pairs = zip(raw.to_pylist(), of_column.to_pylist(), strict=True)
        raw = pa.array((masked(text, value) if value else text for text, value in pairs), pa.string())
    return raw


def _shape_of(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.replace_substring_regex(texts, r"\p{L}", "x"), r"\p{N}", "9")
