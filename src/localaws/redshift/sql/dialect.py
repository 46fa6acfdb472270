"""Redshift's queries and changes as sqlglot's trees, in which nothing that was written is lost.

sqlglot's own dialect folds several spellings into one node (NOW() and GETDATE(), FLOAT and FLOAT4) and interprets
escapes. Here a function keeps its name, and a type or a string its text, so that each can be accepted or refused.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.parsers.redshift import RedshiftParser
from sqlglot.tokenizer_core import Token, TokenType

from localaws.redshift.errors import UnsupportedSql

# Calls whose arguments have a grammar of their own.
_OWN_GRAMMAR = ("CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM")
_WORD = re.compile(r"'(?:[^'\\]|''|\\.)*'|--[^\n]*|/\*.*?\*/|[a-z_#][\w#]*", re.IGNORECASE | re.DOTALL)
# Words that change nothing where the parser passes over them.
_NOISE = frozenset({"AS", "ALL", "OUTER", "INNER", "FROM", "TOP", "MINUS", "ISNULL", "NOTNULL"})


class RedshiftDialect(Redshift):
    """The dialect in which statements are read."""

    class Tokenizer(Redshift.Tokenizer):
        # sqlglot swallows the rest of "commands" (LOCK, VACUUM, CALL ..) as one string; here they have tokens too.
        COMMANDS: ClassVar[set[TokenType]] = set()

    class Parser(RedshiftParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: RedshiftParser.FUNCTION_PARSERS[name] for name in _OWN_GRAMMAR
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[TokenType, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            "CASE": RedshiftParser.NO_PAREN_FUNCTION_PARSERS["CASE"]
        }

        def _parse_types(self, *arguments: Any, **named: Any) -> Any:
            first = self._index
            found = super()._parse_types(*arguments, **named)
            if isinstance(found, exp.DataType):
                last = self._tokens[self._index - 1]
                found.meta["written"] = self.sql[self._tokens[first].start : last.end + 1]
            return found


def parse(text: str) -> exp.Expr:
    """The tree of one query or change. Raises UnsupportedSql for what sqlglot can't read."""
    dialect = RedshiftDialect()
    try:
        tokens = [_as_written(token, text) for token in dialect.tokenize(text)]
        _refuse_joined(tokens, text)
        (tree,) = dialect.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, text)
    except (ParseError, TokenError) as error:
        found = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        near = f' at or near "{found["highlight"]}"' if found.get("highlight") else ""
        raise UnsupportedSql(f"syntax error{near}, or SQL that isn't known here: {text}") from error
    if tree is None or isinstance(tree, exp.Command):
        raise UnsupportedSql(f"neither a query nor a change of rows: {text}")
    for insert in tree.find_all(exp.Insert):
        _values_without_columns(insert)
    return tree


def render(tree: exp.Expr) -> str:
    """The tree as PostgreSQL reads it."""
    return tree.sql(
        dialect=Postgres, normalize_functions=False, comments=False, unsupported_level=ErrorLevel.IMMEDIATE
    )


def written(tree: exp.Expr) -> str:
    """The tree as Redshift reads it."""
    return tree.sql(
        dialect=RedshiftDialect,
        normalize_functions=False,
        comments=False,
        unsupported_level=ErrorLevel.IGNORE,
    )


def _as_written(token: Token, text: str) -> Token:
    """A string with the text between its quotes, whose escapes are for PostgreSQL to read."""
    if token.token_type is not TokenType.STRING:
        return token
    return Token(
        token.token_type,
        text[token.start + 1 : token.end],
        token.line,
        token.col,
        token.start,
        token.end,
        token.comments,
    )


def _refuse_joined(tokens: list[Token], text: str) -> None:
    """What other databases read as one literal (1_000, x'ff') is two tokens here, of which the second is an alias."""
    for one, other in pairwise(tokens):
        if one.end + 1 != other.start:
            continue
        number, word = one.token_type is TokenType.NUMBER, one.text.upper() in ("B", "N", "X")
        then = TokenType.VAR if number else TokenType.STRING
        if (number or word) and other.token_type is then:
            raise UnsupportedSql(f"literal {text[one.start : other.end + 1]} isn't supported")


def _values_without_columns(insert: exp.Insert) -> None:
    """In MERGE, sqlglot reads VALUES (..) without a list of columns as a call."""
    call = insert.this.expressions[0] if isinstance(insert.this, exp.Tuple) else None
    if isinstance(call, exp.Anonymous) and call.name.upper() == "VALUES":
        insert.set("expression", exp.Tuple(expressions=call.expressions))
        insert.set("this", None)


def refuse_omissions(text: str, tree: exp.Expr) -> None:
    """Raise UnsupportedSql for a word of the text that isn't in the tree.

    The parser is lenient and skips words of other databases. Whatever it keeps is in the text that the tree gives.
    """
    kept = _words(written(tree))
    for data_type in tree.find_all(exp.DataType):
        kept |= _words(data_type.meta.get("written", ""))
    if lost := _words(text) - kept - _NOISE:
        raise UnsupportedSql(f"{', '.join(sorted(lost))} isn't supported here")


def _words(text: str) -> set[str]:
    return {word.upper() for word in _WORD.findall(text) if word[0] not in "'-/"}
