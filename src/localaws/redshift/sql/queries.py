"""Queries and expressions: the few things that PostgreSQL spells differently. See allowed.py for what is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sqlglot import exp

from localaws.redshift.errors import UnsupportedSql
from localaws.redshift.sql.allowed import read
from localaws.redshift.sql.dialect import render
from localaws.redshift.sql.functions import (
    COMPAT_SCHEMA,
    DATE_PARTS,
    DATE_TRUNC_PARTS,
    DATEADD_PARTS,
    DATEDIFF_PARTS,
    EXTRACT_PARTS,
    RENAMED,
)
from localaws.redshift.sql.tokens import quoted
from localaws.redshift.sql.types import type_of
from localaws.redshift.users import CATALOG_VIEWS


@lru_cache(maxsize=1000)
def query(text: str) -> str:
    """A query as PostgreSQL is to run it. Raises UnsupportedSql, RedshiftError."""
    tree = read(text)
    if not isinstance(tree, exp.Query):
        raise UnsupportedSql(
            f"WITH .. {tree.key.upper()} isn't supported here; put the query into the statement"
        )
    return render(rewrite_tree(tree))


def table_name(table: exp.Expr) -> str:
    """A table's name as PostgreSQL is to read it."""
    parts = [part for part in (table.args.get("db"), table.this) if part]
    return ".".join(quoted(part.name.lower()) for part in parts)


def data_type(postgres: str) -> exp.DataType:
    """A type by PostgreSQL's name."""
    return exp.DataType(this=exp.DType.USERDEFINED, kind=postgres)


def rewrite_tree(tree: exp.Expr) -> exp.Expr:
    """Replace what PostgreSQL spells differently. Raises UnsupportedSql for an argument that isn't supported."""
    # From the innermost outwards: what is replaced takes its finished parts along.
    for node in reversed(list(tree.walk(bfs=False))):
        if (rewrite := _REWRITES.get(type(node))) is not None:
            made = rewrite(node)
            if made is not node:
                tree = made if node is tree else tree
                node.replace(made)
    return tree


def _string(node: exp.Expr) -> exp.Expr:
    """Redshift reads backslash escapes in every string, PostgreSQL only in E'..'."""
    if not node.args["is_string"]:
        return node
    return exp.Var(this=f"{'E' if chr(92) in node.name else ''}'{node.name}'")


def _identifier(node: exp.Expr) -> exp.Expr:
    """Redshift folds quoted names to lower case too; a temporary table's # must be quoted in PostgreSQL."""
    if node.args.get("quoted") or node.name.startswith("#"):
        return exp.to_identifier(node.name.lower(), quoted=True)
    return node


def _table(node: exp.Expr) -> exp.Expr:
    if node.name.upper() in CATALOG_VIEWS:
        node.set("db", exp.to_identifier(COMPAT_SCHEMA))
    return node


def _column(node: exp.Expr) -> exp.Expr:
    is_bare = isinstance(node.this, exp.Identifier) and not node.this.args.get("quoted")
    is_sysdate = is_bare and node.name.upper() == "SYSDATE" and not node.args.get("table")
    return _compat("sysdate") if is_sysdate else node


def _cast(node: exp.Expr) -> exp.Expr:
    """Casts that mean something else in PostgreSQL go through a function."""
    postgres, varchar_bytes = type_of(node.args["to"].meta.get("written", ""), column=False)
    if postgres == "jsonb":
        # A string becomes a JSON string, it isn't parsed: that is JSON_PARSE.
        return _compat("to_super", node.this)
    value = node.this
    if varchar_bytes is not None:
        # Redshift cuts at n bytes, PostgreSQL at n characters.
        value = _compat("varchar_bytes", _to("varchar", value), exp.Literal.number(varchar_bytes))
    return _to(postgres, value)


def _to(postgres: str, value: exp.Expr) -> exp.Expr:
    return exp.Cast(this=value, to=data_type(postgres))


def _compat(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=f"{COMPAT_SCHEMA}.{name}", expressions=list(arguments))


def _call(node: exp.Expr) -> exp.Expr:
    name = node.name.upper()
    if name in _CALLS:
        return _CALLS[name](node)
    if name in RENAMED:
        node.set("this", RENAMED[name])
    return node


def _part(node: exp.Expr, known: frozenset[str], function: str) -> str:
    """A date part by its first name; `node` is a name or an already rewritten string."""
    written = node.sql().strip("'\"").lower()
    part = DATE_PARTS.get(written, written)
    if part not in known:
        raise UnsupportedSql(f'date part "{node.sql()}" of {function} isn\'t supported')
    return part


def _date_arithmetic(known: frozenset[str]) -> Callable[[exp.Expr], exp.Expr]:
    """DATEDIFF and DATEADD: the date part is written without quotes and becomes a string."""

    def rewrite(node: exp.Expr) -> exp.Expr:
        part, *others = node.expressions
        return _compat(node.name.lower(), exp.Var(this=f"'{_part(part, known, node.name)}'"), *others)

    return rewrite


def _date_trunc(node: exp.Expr) -> exp.Expr:
    part, *others = node.expressions
    if not (isinstance(part, exp.Var) and part.name.startswith("'")):
        raise UnsupportedSql("DATE_TRUNC's date part must be a literal")
    _part(part, DATE_TRUNC_PARTS, "DATE_TRUNC")
    return _compat("date_trunc", part, *others)


def _extract(node: exp.Expr) -> exp.Expr:
    """EXTRACT gives whole numbers on Redshift and numeric in PostgreSQL."""
    part = _part(node.this, EXTRACT_PARTS, "EXTRACT")
    return _compat("whole", exp.Extract(this=exp.Var(this=part), expression=node.expression))


def _listagg(node: exp.Expr) -> exp.Expr:
    """LISTAGG(value [, separator]) becomes STRING_AGG; see _within_group for its order."""
    value, *separator = node.expressions
    if isinstance(value, exp.Distinct):
        raise UnsupportedSql("LISTAGG is supported as LISTAGG(value [, separator]), without DISTINCT")
    return exp.Anonymous(
        this="string_agg", expressions=[_to("varchar", value), *(separator or [exp.Var(this="''")])]
    )


def _within_group(node: exp.Expr) -> exp.Expr:
    """LISTAGG(..) WITHIN GROUP (ORDER BY ..) becomes STRING_AGG(.. ORDER BY ..)."""
    call: exp.Expr = node.this
    order = node.expression
    if call.name != "string_agg":
        raise UnsupportedSql(f"{call.name.upper()} WITHIN GROUP isn't supported here")
    order.set("this", call.expressions[-1].copy())
    call.expressions[-1].replace(order)
    return call


_CALLS: dict[str, Callable[[exp.Expr], exp.Expr]] = {
    "DATEDIFF": _date_arithmetic(DATEDIFF_PARTS),
    "DATEADD": _date_arithmetic(DATEADD_PARTS),
    "DATE_TRUNC": _date_trunc,
    "LISTAGG": _listagg,
}
_REWRITES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Literal: _string,
    exp.Identifier: _identifier,
    exp.Table: _table,
    exp.Column: _column,
    exp.Cast: _cast,
    exp.Anonymous: _call,
    exp.Extract: _extract,
    exp.WithinGroup: _within_group,
}
