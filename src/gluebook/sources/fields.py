"""What a record becomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

# Every value is the text that stands in the record; None where the source wrote nothing.
Fields = Mapping[str, str | None]
# A record's text and the columns of its file's header (none without a header) to fields; raises Malformed.
Parser = Callable[[str, tuple[str, ...]], Fields]


class Malformed(ValueError):
    """A record is not what its source writes; the message says where."""


def repeated(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, in alphabetical order; linear, since a file may bring any number."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
