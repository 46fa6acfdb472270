"""Function calls and casts: known, rewritten, or refused by name."""

from __future__ import annotations

from collections.abc import Callable

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.functions import (
    COMPAT_SCHEMA,
    DATE_PARTS,
    DATE_TRUNC_PARTS,
    DATEADD_PARTS,
    DATEDIFF_PARTS,
    EXTRACT_PARTS,
    NEED_FRAME,
    REFUSED,
    RENAMED,
    SAME,
)
from localaws.redshift.tokens import Sql
from localaws.redshift.types import is_type, parse_type
from localaws.redshift.words import FUNCTION_KEYWORDS, KEYWORDS

_ARGUMENTS = {
    "CONCAT": (2,),
    "REGEXP_REPLACE": (2, 3),
    "GETDATE": (0,),
    "SHA2": (2,),
    "CHARINDEX": (2,),
    "AVG": (1,),
}


def call(sql: Sql, index: int) -> int:
    """The call whose name is at `index`; returns where to go on. Raises UnsupportedSql for an unknown name."""
    name = sql.word(index)
    _check_count(sql, index)
    if name in _SPECIAL:
        return _SPECIAL[name](sql, index)
    refuse_unknown(name)
    if name in RENAMED:
        sql.replace(index, index, RENAMED[name])
    return index + 1


def refuse_unknown(name: str) -> None:
    """Raises UnsupportedSql unless the function is known."""
    if name in REFUSED:
        raise UnsupportedSql(f"function {name}() {REFUSED[name]}")
    if name not in SAME and name not in RENAMED and name not in _SPECIAL:
        raise UnsupportedSql(f"function {name}() isn't supported: it isn't known to mean the same here")


def _check_count(sql: Sql, index: int) -> None:
    name, opening = sql.word(index), index + 1
    close = sql.match(opening)
    count = 0 if close == opening + 1 else len(sql.split(opening + 1, close))
    if name in _ARGUMENTS and count not in _ARGUMENTS[name]:
        wanted = " or ".join(map(str, _ARGUMENTS[name]))
        raise RedshiftError(f"function {name.lower()} takes {wanted} arguments, not {count}")


def _part(sql: Sql, first: int, last: int, known: frozenset[str], function: str) -> str:
    """The date part in the tokens `first` .. before `last`, by its first name."""
    token = sql.tokens[first]
    written = (token.value if token.is_string or token.is_quoted else token.raw).lower()
    part = DATE_PARTS.get(written, written)
    if last - first != 1 or part not in known:
        raise UnsupportedSql(f'date part "{sql.slice(first, last)}" of {function} isn\'t supported')
    return part


def _date_arithmetic(known: frozenset[str]) -> Callable[[Sql, int], int]:
    """DATEDIFF and DATEADD: the date part is written without quotes and becomes a string."""

    def rewrite(sql: Sql, index: int) -> int:
        name, close = sql.word(index), sql.match(index + 1)
        arguments = sql.split(index + 2, close)
        if len(arguments) != 3:
            raise RedshiftError(f"function {name.lower()} takes 3 arguments, not {len(arguments)}")
        first, last = arguments[0]
        part = _part(sql, first, last, known, name)
        sql.replace(index, index, f"{COMPAT_SCHEMA}.{name.lower()}")
        sql.replace(first, last - 1, f"'{part}'")
        return last

    return rewrite


def _extract(sql: Sql, index: int) -> int:
    """EXTRACT gives whole numbers on Redshift and numeric in PostgreSQL."""
    close = sql.match(index + 1)
    if sql.word(index + 3) != "FROM":
        raise UnsupportedSql("EXTRACT is supported as EXTRACT(part FROM value)")
    part = _part(sql, index + 2, index + 3, EXTRACT_PARTS, "EXTRACT")
    sql.replace(index + 2, index + 2, part)
    sql.wrap_before(index, f"{COMPAT_SCHEMA}.whole(")
    sql.insert_after(close, ")")
    return index + 3


def _date_trunc(sql: Sql, index: int) -> int:
    arguments = sql.split(index + 2, sql.match(index + 1))
    if not sql.tokens[index + 2].is_string:
        raise UnsupportedSql("DATE_TRUNC's date part must be a literal")
    _part(sql, *arguments[0], DATE_TRUNC_PARTS, "DATE_TRUNC")
    sql.replace(index, index, RENAMED["DATE_TRUNC"])
    return arguments[0][1]


def _listagg(sql: Sql, index: int) -> int:
    """LISTAGG(x [, sep]) [WITHIN GROUP (ORDER BY ..)] becomes STRING_AGG(x, sep ORDER BY ..)."""
    close = sql.match(index + 1)
    arguments = sql.split(index + 2, close)
    if len(arguments) > 2 or sql.word(index + 2) == "DISTINCT":
        raise UnsupportedSql("LISTAGG is supported as LISTAGG(value [, separator]), without DISTINCT")
    after = close + 1
    sql.replace(index, index, "string_agg")
    # From the parenthesis and the comma, so that what wraps the value itself stays within.
    sql.insert_after(index + 1, "cast((")
    sql.wrap_before(arguments[0][1], ") as varchar)" + (", ''" if len(arguments) == 1 else ""))
    if sql.phrase(after, "WITHIN", "GROUP") and sql.raw(after + 2) == "(":
        sql.replace(close, after + 2, " ")  # sep) WITHIN GROUP (ORDER BY
        after = sql.match(after + 2) + 1
    if sql.word(after) == "OVER":
        raise UnsupportedSql("LISTAGG as a window function isn't supported here")
    return index + 1


def require_frame(sql: Sql, index: int) -> None:
    """Redshift wants a frame clause for an aggregate with an ordered window. `index`: OVER."""
    opening = index + 1
    inside = list(sql.top_level(opening + 1, sql.match(opening)))
    ordered = any(sql.word(i) == "ORDER BY" for i in inside)
    framed = any(sql.word(i) == "ROWS" for i in inside)
    function = sql.word(sql.match(index - 1) - 1) if sql.raw(index - 1) == ")" else ""
    if ordered and not framed and function in NEED_FRAME:
        raise RedshiftError("Aggregate window functions with an ORDER BY clause require a frame clause")


def cast(sql: Sql, index: int) -> int:
    """CAST(value AS type), `index` at CAST; returns the index of the value, which is still to be looked at."""
    close = sql.match(index + 1)
    places = [i for i in sql.top_level(index + 2, close) if sql.word(i) == "AS"]
    if not places:
        raise sql.syntax_error(close)
    _convert(sql, index, places[-1] + 1, close, after_value=close)
    return index + 1


def cast_after(sql: Sql, index: int) -> int:
    """value::type, `index` at "::"; returns the index after the type."""
    found = parse_type(sql, index + 1, column=False)
    _convert(sql, _operand(sql, index), index + 1, found.stop, after_value=found.stop - 1)
    return found.stop


def _convert(sql: Sql, start: int, type_start: int, type_stop: int, *, after_value: int) -> None:
    """Casts that mean something else in PostgreSQL go through a function; `after_value`: the cast's last token."""
    found = parse_type(sql, type_start, column=False)
    if found.stop != type_stop:
        raise sql.syntax_error(found.stop)
    if found.varchar_bytes is not None:
        # Redshift cuts at n bytes, PostgreSQL at n characters.
        sql.wrap_before(start, f"{COMPAT_SCHEMA}.varchar_bytes(")
        sql.replace(type_start, found.stop - 1, "varchar")
        sql.insert_after(after_value, f", {found.varchar_bytes})::{found.postgres}")
    elif found.postgres == "jsonb":
        # A string becomes a JSON string, it isn't parsed: that is JSON_PARSE.
        _convert_to_super(sql, start, type_start, type_stop)
    else:
        sql.replace(type_start, found.stop - 1, found.postgres)


def _convert_to_super(sql: Sql, start: int, type_start: int, type_stop: int) -> None:
    if sql.word(start) == "CAST" and sql.raw(start + 1) == "(":
        sql.replace(start, start, f"{COMPAT_SCHEMA}.to_super")
        sql.delete(type_start - 1, type_stop - 1)
    else:
        sql.wrap_before(start, f"{COMPAT_SCHEMA}.to_super(")
        sql.replace(type_start - 1, type_stop - 1, ")")


def _operand(sql: Sql, index: int) -> int:
    """Where the value before the "::" at `index` begins."""
    at = index - 1
    if sql.raw(at) == ")":
        at = sql.match(at)
        if sql.word(at - 1) in ("OVER", "GROUP"):
            raise UnsupportedSql("a cast after OVER (..) isn't supported here; use CAST(.. AS ..)")
        name = sql.word(at - 1)
        if name and (name not in KEYWORDS or name in FUNCTION_KEYWORDS):
            at -= 1
    elif sql.word(at) == "END":
        raise UnsupportedSql("END::type isn't supported here; use CAST(CASE .. END AS type)")
    for earlier in range(at - 1, at - 5, -1):
        if sql.raw(earlier) == "::" and parse_type(sql, earlier + 1, column=False).stop == index:
            return _operand(sql, earlier)
    if sql.tokens[at].is_string and (is_type(sql, at - 1) or sql.word(at - 1) == "INTERVAL"):
        return at - 1
    while sql.raw(at - 1) == ".":
        at -= 2
    return at


def _nothing(_: Sql, index: int) -> int:
    return index + 1


_SPECIAL: dict[str, Callable[[Sql, int], int]] = {
    "DATEDIFF": _date_arithmetic(DATEDIFF_PARTS),
    "DATEADD": _date_arithmetic(DATEADD_PARTS),
    "EXTRACT": _extract,
    "DATE_TRUNC": _date_trunc,
    "LISTAGG": _listagg,
    "CAST": cast,
    "EXISTS": _nothing,
}
