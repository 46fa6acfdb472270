"""Credentials that programs write into their logs: nobody needs them there, and anyone who reads one can use it."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from gluebook.sources.model import Source

_MASK = "<masked>"
# JSON Web Tokens: base64url of text that begins with `{"`. No header is shorter; no edge of a word before it, since
# in the raw text of a reject an escaped line break may stand there, and that ends in a letter.
_JWT = r"eyJ[A-Za-z0-9_-]{17,}(\.[A-Za-z0-9_-]+)*"
# What follows the scheme in an Authorization header (RFC 6750, RFC 7617); `basic` is a common word, so not alone.
_HEADER = r"(?i)(bearer|authorization\W{1,8}basic)(\s+)[A-Za-z0-9._~+/-]{8,}=*"
_HINT = r"eyJ|(?i:bearer|authorization)"


def mask_tokens(df: DataFrame, source: Source) -> DataFrame:
    """Replace bearer tokens, basic credentials and JSON Web Tokens in free texts and in the raw text that rejects
    keep. Works on the source's columns, before they are renamed."""
    texts = {name: mask_token_text(F.col(f"`{name}`")) for name in (*source.texts, "_raw")}
    return df.withColumns(texts)


def mask_token_text(text: Column) -> Column:
    """Replace every token in a text; the scheme before it stays."""
    masked = F.regexp_replace(F.regexp_replace(text, _HEADER, f"$1$2{_MASK}"), _JWT, _MASK)
    # Most texts hold none, and the patterns are dear.
    return F.when(text.rlike(_HINT), masked).otherwise(text)
