"""A statement as text, tokens and replacements: everything else stays as it was written."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import TokenType

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.dialect import RedshiftDialect


@dataclass(frozen=True)
class Token:
    """One token; `start` and `end` (exclusive) are its place in the statement's text."""

    raw: str
    value: str
    kind: TokenType
    start: int
    end: int

    @property
    def is_string(self) -> bool:
        return self.kind is TokenType.STRING

    @property
    def is_quoted(self) -> bool:
        return self.kind is TokenType.IDENTIFIER

    @property
    def is_word(self) -> bool:
        """A keyword or an unquoted name; not a literal such as E'..'."""
        is_literal = self.is_string or self.is_quoted or "'" in self.raw
        return not is_literal and (self.raw[0].isalpha() or self.raw[0] in "_#")

    @property
    def is_name(self) -> bool:
        return self.is_word or self.is_quoted

    @property
    def word(self) -> str:
        """Upper-case keyword or unquoted name with single spaces; "" for anything else."""
        return " ".join(self.raw.upper().split()) if self.is_word else ""


class Sql:
    """One statement. Indexes are token indexes; a token beyond either end reads as the empty word."""

    def __init__(self, text: str) -> None:
        """Raises RedshiftError on text that can't be tokenised, UnsupportedSql on more than one statement."""
        self.text = text
        try:
            found = RedshiftDialect().tokenize(text)
        except TokenError as error:
            raise RedshiftError(f"unterminated quoted string or comment ({error})") from error
        tokens = [Token(text[t.start : t.end + 1], t.text, t.token_type, t.start, t.end + 1) for t in found]
        while tokens and tokens[-1].raw == ";":
            tokens.pop()
        if any(token.raw == ";" for token in tokens):
            raise UnsupportedSql("more than one statement in one Sql; use BatchExecuteStatement")
        if not tokens:
            raise RedshiftError("the statement is empty")
        self.tokens = tokens
        self._edits: list[tuple[int, int, str]] = []
        self._match = self._parentheses()

    def _parentheses(self) -> dict[int, int]:
        match: dict[int, int] = {}
        opened: list[int] = []
        for index, token in enumerate(self.tokens):
            if token.raw == "(":
                opened.append(index)
            elif token.raw == ")":
                if not opened:
                    raise RedshiftError('syntax error at or near ")"')
                match[index] = opened.pop()
                match[match[index]] = index
        if opened:
            raise RedshiftError("syntax error at end of input: a parenthesis isn't closed")
        return match

    def __len__(self) -> int:
        return len(self.tokens)

    def word(self, index: int) -> str:
        return self.tokens[index].word if 0 <= index < len(self.tokens) else ""

    def raw(self, index: int) -> str:
        return self.tokens[index].raw if 0 <= index < len(self.tokens) else ""

    def is_name(self, index: int) -> bool:
        return 0 <= index < len(self.tokens) and self.tokens[index].is_name

    def match(self, index: int) -> int:
        """The index of the parenthesis that belongs to the one at `index`."""
        return self._match[index]

    def phrase(self, index: int, *words: str) -> bool:
        """Whether the words at `index` are these."""
        return all(self.word(index + offset) == word for offset, word in enumerate(words))

    def expect(self, index: int, raw: str) -> int:
        """The index after `raw`; raises RedshiftError (a syntax error) if something else is there."""
        if self.raw(index).upper() != raw:
            raise self.syntax_error(index)
        return index + 1

    def syntax_error(self, index: int) -> RedshiftError:
        if index >= len(self.tokens):
            return RedshiftError("syntax error at end of input")
        return RedshiftError(f'syntax error at or near "{self.raw(index)}"')

    def split(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The parts between the commas that aren't within parentheses, as (first, after last)."""
        commas, index = [], start
        while index < stop:
            if self.raw(index) == ",":
                commas.append(index)
            index = self.match(index) if self.raw(index) == "(" else index + 1
        return list(zip([start, *(comma + 1 for comma in commas)], [*commas, stop], strict=True))

    def slice(self, start: int, stop: int) -> str:
        """The text of the tokens from `start` up to before `stop`, as written."""
        return self.text[self.tokens[start].start : self.tokens[stop - 1].end]

    def replace(self, first: int, last: int, text: str) -> None:
        """Replaces the tokens `first` .. `last` (inclusive)."""
        self._edits.append((self.tokens[first].start, self.tokens[last].end, text))

    def delete(self, first: int, last: int) -> None:
        self.replace(first, last, "")

    def render(self) -> str:
        """The edited text."""
        parts: list[str] = []
        position = 0
        for start, end, text in sorted(self._edits):
            parts += [self.text[position:start], text]
            position = end
        return "".join([*parts, self.text[position : self.tokens[-1].end]])
