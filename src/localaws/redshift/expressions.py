"""Expressions and queries: what may stand in them, and the few things that are spelled differently in PostgreSQL.

Works on tokens, left to right. Whatever isn't known is refused by name (UnsupportedSql).
"""

from __future__ import annotations

from localaws.redshift import calls
from localaws.redshift.errors import UnsupportedSql
from localaws.redshift.functions import COMPAT_SCHEMA
from localaws.redshift.tokens import COMPARISONS, Sql
from localaws.redshift.users import CATALOG_VIEWS
from localaws.redshift.words import FUNCTION_KEYWORDS, KEYWORDS, REFUSED_WORDS, SYSTEM_PREFIXES

_SYMBOLS = frozenset({"(", ")", ",", ".", "*", "+", "-", "/", "%", "||", "::", "~"}) | COMPARISONS
_REFUSED_SYMBOLS = {
    "[": "arrays and SUPER navigation with [] aren't supported",
    "~*": "the operator ~* isn't supported by Redshift; use ~ with LOWER()",
    "$": "positional parameters and dollar quoting aren't supported",
}
# FROM within the parentheses of these is part of the call, not of a query.
_CALLS_WITH_FROM = frozenset({"EXTRACT", "TRIM", "SUBSTRING", "POSITION"})


def scan(sql: Sql, start: int, stop: int) -> None:
    """Checks and rewrites the tokens `start` .. before `stop`: an expression, a query, or a clause with either.

    Raises UnsupportedSql or RedshiftError.
    """
    index = start
    while index < stop:
        token = sql.tokens[index]
        following = index + 1
        if token.is_string:
            quote_string(sql, index)
        elif token.is_quoted:
            fold_name(sql, index)
        elif token.is_word:
            following = _word(sql, index)
        elif token.raw[0].isdigit():
            _number(sql, index)
        else:
            following = _symbol(sql, index)
        index = following


def quote_string(sql: Sql, index: int) -> None:
    """Redshift reads backslash escapes in every string, PostgreSQL only in E'..'."""
    if "\\" in sql.raw(index):
        sql.wrap_before(index, "E")


def fold_name(sql: Sql, index: int) -> None:
    """Redshift folds quoted names to lower case too; a temporary table's # must be quoted in PostgreSQL."""
    token = sql.tokens[index]
    if token.is_quoted and token.raw != token.raw.lower():
        sql.replace(index, index, token.raw.lower())
    elif token.is_word and token.raw.startswith("#"):
        sql.replace(index, index, f'"{token.raw.lower()}"')


def _number(sql: Sql, index: int) -> None:
    after = index + 1
    if sql.is_name(after) and sql.tokens[after].start == sql.tokens[index].end:
        raise UnsupportedSql(f'number "{sql.raw(index)}{sql.raw(after)}" isn\'t supported')


def _symbol(sql: Sql, index: int) -> int:
    raw = sql.raw(index)
    if raw == "!" and sql.raw(index + 1) == "~" and sql.tokens[index + 1].start == sql.tokens[index].end:
        return index + 2
    if raw in _REFUSED_SYMBOLS:
        raise UnsupportedSql(_REFUSED_SYMBOLS[raw])
    joined = index + 1 < len(sql) and sql.tokens[index + 1].start == sql.tokens[index].end
    if raw not in _SYMBOLS or (raw in ("<", ">") and joined and sql.raw(index + 1) in ("<", ">", "@")):
        raise UnsupportedSql(f'operator or literal "{raw}" isn\'t supported')
    if raw == ")":
        _refuse_row_comparison(sql, sql.match(index), index)
    elif raw == "::":
        return calls.cast_after(sql, index)
    return index + 1


def _refuse_row_comparison(sql: Sql, opening: int, closing: int) -> None:
    before = sql.word(opening - 1)
    if sql.word(opening + 1) in ("SELECT", "WITH") or len(sql.split(opening + 1, closing)) < 2:
        return
    is_list = before and (before not in KEYWORDS or before == "IN" or before in FUNCTION_KEYWORDS)
    after_comparison = sql.raw(opening - 1) in COMPARISONS
    if after_comparison or (sql.raw(closing + 1) in COMPARISONS and not is_list):
        raise UnsupportedSql("row-value comparisons such as (a, b) >= (c, d) aren't supported by Redshift")


def _word(sql: Sql, index: int) -> int:
    word = sql.word(index)
    before = sql.word(index - 1)
    if sql.raw(index - 1) == "." or (before == "AS" and sql.raw(index + 1) != "("):
        fold_name(sql, index)
        return _after_qualified_name(sql, index)
    _refuse_word(sql, index)
    _refuse_literal(sql, index)
    if word in ("FROM", "JOIN") and sql.word(sql.enclosing(index) - 1) not in _CALLS_WITH_FROM:
        _from_item(sql, index + 1)
    elif word == "SYSDATE":
        sql.replace(index, index, f"{COMPAT_SCHEMA}.sysdate()")
    elif word == "INTERVAL" and not (index + 1 < len(sql) and sql.tokens[index + 1].is_string):
        raise UnsupportedSql("INTERVAL is supported as a literal only: interval '1 day'")
    if sql.raw(index + 1) == "(":
        return _before_parenthesis(sql, index)
    fold_name(sql, index)
    return index + 1


def _after_qualified_name(sql: Sql, index: int) -> int:
    if sql.raw(index - 1) == "." and sql.raw(index + 1) == "(":
        name = sql.slice(index - 2, index + 1)
        raise UnsupportedSql(f"function {name}() isn't supported: name it without a schema")
    return index + 1


def _refuse_word(sql: Sql, index: int) -> None:
    word, before, after = sql.word(index), sql.word(index - 1), sql.raw(index + 1).upper()
    if word in REFUSED_WORDS:
        followers, message = REFUSED_WORDS[word]
        if not followers or after in followers:
            raise UnsupportedSql(message)
    if word == "ON" and before == "DISTINCT":
        raise UnsupportedSql("DISTINCT ON isn't supported by Redshift; use ROW_NUMBER() in a subquery")
    if word == "ON" and after == "CONFLICT":
        raise UnsupportedSql("ON CONFLICT isn't supported by Redshift; use MERGE")
    if word == "DISTINCT" and (before == "IS" or (before == "NOT" and sql.word(index - 2) == "IS")):
        raise UnsupportedSql("IS DISTINCT FROM isn't supported by Redshift")
    if word == "ALL" and after == "(" and sql.raw(index - 1) in COMPARISONS:
        raise UnsupportedSql("comparison with ALL (..) isn't supported here")
    if word == "TOP" and before in ("SELECT", "DISTINCT"):
        raise UnsupportedSql("SELECT TOP is Redshift SQL that isn't supported here; use LIMIT")
    if word == "INTO" and before != "INSERT":
        raise UnsupportedSql("SELECT .. INTO isn't supported here; use CREATE TABLE .. AS")
    if word == "WINDOW" and sql.word(index + 2) == "AS" and sql.raw(index + 3) == "(":
        raise UnsupportedSql("the WINDOW clause isn't supported by Redshift")
    if word == "VALUES" and after == "(":
        raise UnsupportedSql("VALUES as a table isn't supported by Redshift")
    if word == "WITH" and after == "ORDINALITY":
        raise UnsupportedSql("WITH ORDINALITY isn't supported by Redshift")


def _refuse_literal(sql: Sql, index: int) -> None:
    following = index + 1
    joined = following < len(sql) and sql.tokens[following].start == sql.tokens[index].end
    if sql.word(index) in ("B", "E", "N", "X") and joined and sql.tokens[following].is_string:
        raise UnsupportedSql(f"literal {sql.raw(index)}{sql.raw(following)} isn't supported")


def _from_item(sql: Sql, index: int) -> None:
    """What stands after FROM or JOIN: a subquery needs an alias, a function or system table isn't supported."""
    if sql.raw(index) == "(":
        after = sql.match(index) + 1
        if sql.word(index + 1) in ("SELECT", "WITH") and not _is_alias(sql, after):
            raise UnsupportedSql("subquery in FROM must have an alias")
        return
    name = sql.word(index)
    if name in CATALOG_VIEWS:
        sql.replace(index, index, f"{COMPAT_SCHEMA}.{name.lower()}")
        return
    if name.startswith(SYSTEM_PREFIXES):
        raise UnsupportedSql(f'system table "{sql.raw(index)}" isn\'t supported')
    if name and sql.raw(index + 1) == "(" and name not in KEYWORDS and name not in REFUSED_WORDS:
        calls.refuse_unknown(name)
        raise UnsupportedSql(f"function {name}() in FROM isn't supported by Redshift")


def _is_alias(sql: Sql, index: int) -> bool:
    return sql.word(index) == "AS" or (
        sql.is_name(index)
        and sql.word(index) not in KEYWORDS
        and not sql.word(index).startswith(("GROUP", "ORDER"))
    )


def _before_parenthesis(sql: Sql, index: int) -> int:
    """A word followed by "(": a keyword, an alias with column names, or a call."""
    word, before = sql.word(index), sql.word(index - 1)
    close = sql.match(index + 1)
    if word == "OVER":
        calls.require_frame(sql, index)
        return index + 1
    if word == "CAST":
        return calls.cast(sql, index)
    if word in KEYWORDS - FUNCTION_KEYWORDS:
        return index + 1
    is_common_table = before == "WITH" or (sql.word(close + 1) == "AS" and sql.raw(close + 2) == "(")
    if is_common_table or before == "AS" or sql.raw(index - 1) == ")":
        for name in range(index, close + 1):
            if sql.is_name(name):
                fold_name(sql, name)
        return close + 1
    return calls.call(sql, index)
