"""Credentials that programs write into their logs: nobody needs them there, and anyone who reads one can use it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from gluebook.sources.model import Source
from gluebook.transforms.people import MASK
from gluebook.transforms.rows import Rows, where

# JSON Web Tokens: base64url of text that begins with `{"`. No header is shorter; no edge of a word before it, since
# in the raw text of a reject an escaped line break may stand there, and that ends in a letter.
_JWT_HINT = "eyJ"
_JWT = r"eyJ[A-Za-z0-9_-]{17,}(\.[A-Za-z0-9_-]+)*"
# What follows the scheme in an Authorization header (RFC 6750, RFC 7617); `basic` is a common word, so not alone.
_HEADER_HINT = r"(?i)bearer|authorization"
_HEADER = r"(?i)(bearer|authorization\W{1,8}basic)(\s+)[A-Za-z0-9._~+/-]{8,}=*"


def mask_tokens(rows: Rows, source: Source) -> Rows:
    """Replace bearer tokens, basic credentials and JSON Web Tokens in free texts and in the raw text that rejects
    keep. Works on the source's columns, before they are renamed."""
    texts = {name: mask_token_texts(rows[name]) for name in source.texts}
    return rows.with_columns(texts).with_raw(mask_token_texts)


def mask_token_texts(texts: pa.Array) -> pa.Array:
    """Replace every token in the texts; the scheme before it stays."""
    # Most texts hold none, and to look for a word costs less than the whole pattern.
    without_headers = where(
        texts,
        pc.match_substring_regex(texts, _HEADER_HINT),
        lambda some: pc.replace_substring_regex(some, _HEADER, rf"\1\2{MASK}"),
    )
    return where(
        without_headers,
        pc.match_substring(without_headers, _JWT_HINT),
        lambda some: pc.replace_substring_regex(some, _JWT, MASK),
    )
