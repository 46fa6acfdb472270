"""Looks for people in whatever is left behind: a name or an address is a row of words, in any case."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

_WORD = re.compile(r"\w+")


class People:
    """Names and e-mail addresses that must not be found, or must be."""

    def __init__(self, people: Iterable[str]) -> None:
        self._people = {_words(person): person for person in people}
        self._lengths = {len(words) for words in self._people}

    def __len__(self) -> int:
        return len(self._people)

    def found_in(self, texts: Iterable[str]) -> set[str]:
        """Who is named in one of the texts, whatever stands between the words."""
        found: set[str] = set()
        for text in texts:
            words = _words(text)
            for length in self._lengths:
                rows = zip(*(islice(words, start, None) for start in range(length)), strict=False)
                found |= {self._people[row] for row in rows if row in self._people}
        return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower()))
