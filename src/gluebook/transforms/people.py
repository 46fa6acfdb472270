"""People in prose: who is named in a text, and the text without them.

Names are compared by their words, in upper or lower case and without titles: `Dr. Ada Example`, `ADA EXAMPLE` and
`Ada-Example` are one name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from gluebook.sources.model import Source
from gluebook.transforms.rows import Rows

MASK = "<masked>"

_NO_LETTERS = r"[^\p{L}\p{N}]+"
_TITLE_BEFORE = r"(?i)^\P{L}*(?:(?:mr|mrs|ms|miss|mx|dr|prof)\b\P{L}+)+"
_TITLE_BEHIND = r"(?i)(?:\P{L}+(?:jr|sr|md|phd|dds|dvm|ii|iii|iv|v)\b\P{L}*)+$"
# A run of letters and digits: \w is these and the underscore.
_WORD = re.compile(r"[^\W_]+")
# What may stand between the words of a name: a blank, a line break, a dot and a blank, a dash.
_MOST_BETWEEN_WORDS = 3
# A letter alone, such as an initial, tells nobody who it is.
_SHORTEST_PART = 2

Name = tuple[str, ...]


class Names:
    """Full names, each by its words in lower case; the longest first among those with the same first words."""

    def __init__(self, names: Iterable[str]) -> None:
        found: dict[Name, list[Name]] = defaultdict(list)
        for words in {tuple(name.casefold().split(" ")) for name in names if name}:
            found[words[:2]].append(words)
        self._by_beginning = {first: sorted(some, key=_length, reverse=True) for first, some in found.items()}
        self.first_words = {words[0] for words in self._by_beginning}

    def at(self, words: Sequence[str], place: int) -> Iterator[Name]:
        """The names that may begin with the word at `place`."""
        yield from self._by_beginning.get(tuple(words[place : place + 2]), ())
        yield from self._by_beginning.get((words[place],), ())


def _length(name: Name) -> int:
    return len(" ".join(name))


@lru_cache(maxsize=1)
def names_of(everybody: frozenset[str]) -> Names:
    """The names of a batch; made once in each process that works on it."""
    return Names(everybody)


def full_names(rows: Rows, source: Source) -> pa.Array:
    """The full names of the persons of the records, each by its words, without addresses."""
    columns = [rows[name] for name in (*source.persons, *source.left_out)]
    found = [words_of(names.filter(pc.invert(is_address(names)))) for names in columns]
    everybody = pa.concat_arrays(found).drop_null().unique()
    return everybody.filter(pc.match_substring(everybody, " "))


def is_address(persons: pa.Array) -> pa.Array:
    """Whether each is an e-mail address; null is none."""
    return pc.fill_null(pc.match_substring(persons, "@"), False)


def words_of(names: pa.Array) -> pa.Array:
    """The words of people's names, a blank between them, titles left out; null if there are none."""
    bare = pc.replace_substring_regex(pc.replace_substring_regex(names, _TITLE_BEFORE, ""), _TITLE_BEHIND, "")
    words = pc.utf8_trim(pc.replace_substring_regex(bare, _NO_LETTERS, " "), " ")
    return pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words)


def mask_people(texts: Iterable[str | None], owns: Iterable[Own], everybody: Names) -> pa.Array:
    """The texts without their records' own persons and without everybody who is named in full."""
    return pa.array(
        (text and own.without(text, everybody) for text, own in zip(texts, owns, strict=True)), pa.string()
    )


class Own:
    """A record's own persons: in full, and by a part of the name as the name spells it."""

    def __init__(self, persons: Iterable[tuple[str | None, bool]]) -> None:
        """`persons`: the words of each, and whether it is an address: nobody is called by a part of that."""
        known = [(words, address) for words, address in persons if words]
        self._names = Names(words for words, _ in known)
        parts = (part for words, address in known if not address for part in words.split(" "))
        self._parts = {part for part in parts if len(part) >= _SHORTEST_PART}

    def without(self, text: str, everybody: Names) -> str:
        """The text with a mask in the place of every person."""
        spelt = _WORD.findall(text)
        words = [word.casefold() for word in spelt]
        if not self._parts.intersection(spelt):
            firsts = set(words)
            if firsts.isdisjoint(self._names.first_words) and firsts.isdisjoint(everybody.first_words):
                return text
        return _masked(text, list(self._spans(text, spelt, words, everybody)))

    def _spans(
        self, text: str, spelt: list[str], words: list[str], everybody: Names
    ) -> Iterator[tuple[int, int]]:
        places = [found.span() for found in _WORD.finditer(text)]
        at = 0
        while at < len(words):
            names = sorted((*self._names.at(words, at), *everybody.at(words, at)), key=_length, reverse=True)
            length = next((len(name) for name in names if _is_at(name, at, words, places)), 0)
            length = length or int(spelt[at] in self._parts)
            if length:
                yield places[at][0], places[at + length - 1][1]
            at += length or 1


def _is_at(name: Name, at: int, words: list[str], places: list[tuple[int, int]]) -> bool:
    end = at + len(name)
    gaps = (places[n + 1][0] - places[n][1] for n in range(at, end - 1))
    return tuple(words[at:end]) == name and all(gap <= _MOST_BETWEEN_WORDS for gap in gaps)


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    parts = []
    end = 0
    for begin, behind in spans:
        parts += [text[end:begin], MASK]
        end = behind
    return "".join([*parts, text[end:]])
