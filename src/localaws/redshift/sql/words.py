"""Words that mean something to Redshift."""

from __future__ import annotations

from sqlglot.dialects.redshift import Redshift


def word_set(text: str) -> frozenset[str]:
    """The words in `text`."""
    return frozenset(text.split())


SYSTEM_PREFIXES = ("PG_", "STL_", "STV_", "SVL_", "SVV_", "SVCS_", "SYS_", "INFORMATION_SCHEMA")

# AWS docs: "Reserved words" in the Amazon Redshift Database Developer Guide. PostgreSQL takes many of them as names.
# sqlglot's list has TYPE, which isn't reserved, and lacks two words.
RESERVED = frozenset(word.strip().upper() for word in Redshift.Generator.RESERVED_KEYWORDS) - {"TYPE"} | {
    "CONNECT",
    "LANGUAGE",
}
