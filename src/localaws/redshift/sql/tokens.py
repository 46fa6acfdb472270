"""A statement's tokens, read from left to right; for what isn't read as a tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.dialect import RedshiftDialect
from localaws.redshift.sql.words import RESERVED

T = TypeVar("T")


def quoted(name: str) -> str:
    """A name as PostgreSQL is to read it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A string literal as Redshift reads it: quotes doubled, backslashes too."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


class Tokens:
    """The tokens of one statement, and the place up to which they have been read.

    `body`: the statement's text from its first to its last token, without a semicolon.
    """

    def __init__(self, text: str) -> None:
        """Raises RedshiftError on text that can't be tokenised, UnsupportedSql on more than one statement."""
        try:
            self.all: list[Token] = RedshiftDialect().tokenize(text)
        except TokenError as error:
            raise RedshiftError(f"unterminated quoted string or comment ({error})") from error
        while self.all and self.all[-1].token_type is TokenType.SEMICOLON:
            self.all.pop()
        if any(token.token_type is TokenType.SEMICOLON for token in self.all):
            raise UnsupportedSql("more than one statement in one Sql; use BatchExecuteStatement")
        if not self.all:
            raise RedshiftError("the statement is empty")
        self.body = text[self.all[0].start : self.all[-1].end + 1]
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at >= len(self.all)

    @property
    def raw(self) -> str:
        """The next token as it is written, without its quotes; "" at the end."""
        return "" if self.ended else self.all[self._at].text

    @property
    def word(self) -> str:
        """The next token in upper case, single spaces within it; "" for a quoted name, a string, or at the end."""
        if self.ended or self.all[self._at].token_type in (TokenType.IDENTIFIER, TokenType.STRING):
            return ""
        return " ".join(self.raw.upper().split())

    def take(self, *words: str) -> bool:
        """Read these words if they are the next ones."""
        start = self._at
        for word in words:
            if self.word != word:
                self._at = start
                return False
            self._at += 1
        return True

    def expect(self, word: str) -> None:
        """Read this word. Raises RedshiftError, as the others below, if something else is there."""
        if not self.take(word):
            raise self.error()

    def error(self) -> RedshiftError:
        """That the next token isn't one that may be there."""
        where = "end of input" if self.ended else f'or near "{self.raw}"'
        return RedshiftError(f"syntax error at {where}")

    def next_word(self) -> str:
        """Read a word, in upper case."""
        word = self.word
        if not word:
            raise self.error()
        self._at += 1
        return word

    def string(self) -> str:
        """Read a string, and give its value back."""
        if self.ended or self.all[self._at].token_type is not TokenType.STRING:
            raise self.error()
        self._at += 1
        return self.all[self._at - 1].text

    def is_string(self) -> bool:
        """Whether a string is next."""
        return not self.ended and self.all[self._at].token_type is TokenType.STRING

    def name(self, *, folded: bool = True) -> str:
        """Read a name: in lower case, or with the case that it has within quotes."""
        is_quoted = not self.ended and self.all[self._at].token_type is TokenType.IDENTIFIER
        if not is_quoted and not self.word[:1].isalpha() and self.word[:1] not in ("_", "#"):
            raise self.error()
        name = self.raw if is_quoted and not folded else self.raw.lower()
        self._at += 1
        return name

    def table(self) -> str:
        """Read [schema.]name, and give it back as PostgreSQL is to read it.

        Raises RedshiftError for a reserved word, UnsupportedSql for a name with a database.
        """
        if self.word in RESERVED:
            raise RedshiftError(f'syntax error at or near "{self.raw}": a reserved word of Redshift')
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        if len(parts) > 2:
            raise UnsupportedSql(f"cross-database name {'.'.join(parts)} isn't supported")
        return ".".join(map(quoted, parts))

    def csv(self, read: Callable[[], T]) -> list[T]:
        """Read one thing, and more of its kind after commas."""
        found = [read()]
        while self.take(","):
            found.append(read())
        return found
