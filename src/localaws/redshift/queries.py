"""Queries and expressions: what may stand in them, and the few things that PostgreSQL spells differently.

Works on the tree (see dialect.py). A node, an argument of a node or a function that isn't listed is refused by name.
AWS docs: "SELECT", "SQL expressions" and "SQL functions reference" in the Amazon Redshift Database Developer Guide.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from localaws.redshift.dialect import parse, refuse_omissions, render, written
from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.functions import (
    ARGUMENTS,
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
from localaws.redshift.types import parse_type
from localaws.redshift.users import CATALOG_VIEWS
from localaws.redshift.words import RESERVED, SYSTEM_PREFIXES

_BINARY = "this expression"
_SET_OPERATION = "this expression distinct with_ order limit offset"
# Node ▸ the arguments that it may have.
_ALLOWED: dict[type[exp.Expr], str] = {
    exp.Select: "expressions distinct from_ joins where group having order limit offset with_",
    exp.Union: _SET_OPERATION,
    exp.Except: _SET_OPERATION,
    exp.Intersect: _SET_OPERATION,
    exp.Subquery: "this alias with_ order limit offset",
    exp.With: "expressions",
    exp.CTE: "this alias",
    exp.From: "this",
    exp.Table: "this db alias joins",
    exp.TableAlias: "this columns",
    exp.Join: "this method side kind on using",
    exp.Where: "this",
    exp.Group: "expressions",
    exp.Having: "this",
    exp.Order: "expressions",
    exp.Ordered: "this desc nulls_first",
    exp.Limit: "expression",
    exp.Offset: "expression",
    exp.Distinct: "expressions",
    exp.Alias: "this alias",
    exp.Column: "this table db",
    exp.Identifier: "this quoted",
    exp.Star: "",
    exp.Literal: "this is_string",
    exp.Null: "",
    exp.Boolean: "this",
    exp.Var: "this",
    exp.Paren: "this",
    exp.Tuple: "expressions",
    exp.Not: "this",
    exp.Neg: "this",
    exp.Between: "this low high",
    exp.In: "this expressions query",
    exp.Is: _BINARY,
    exp.Exists: "this",
    exp.Case: "this ifs default",
    exp.If: "this true",
    exp.Cast: "this to",
    exp.DataType: "this expressions nested kind",
    exp.DataTypeParam: "this",
    exp.Interval: "this unit",
    exp.Anonymous: "this expressions",
    exp.Extract: _BINARY,
    exp.Substring: "this start length",
    exp.StrPosition: "this substr",
    exp.Trim: "this expression position",
    exp.Window: "this partition_by order spec over",
    exp.WindowSpec: "kind start start_side end end_side",
    exp.WithinGroup: _BINARY,
    exp.Div: "this expression typed safe",
    exp.DPipe: "this expression safe",
    **dict.fromkeys((exp.And, exp.Or, exp.Add, exp.Sub, exp.Mul, exp.Mod), _BINARY),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _BINARY),
    **dict.fromkeys((exp.Like, exp.ILike, exp.SimilarTo, exp.Escape, exp.RegexpLike), _BINARY),
    # Changes of rows; see changes.py.
    exp.Insert: "this expression default",
    exp.Schema: "this expressions",
    exp.Values: "expressions",
    exp.Update: "this expressions from_ where",
    exp.Delete: "this tables using where",
    exp.Merge: "this using on whens",
    exp.Whens: "expressions",
    exp.When: "matched then",
}
# What to write instead of, or why not, for what is refused: a node, or an argument "Node.argument".
_HINTS = {
    "Table.sample": "TABLESAMPLE",
    "When.condition": "MERGE .. MATCHED AND ..",
    "When.source": "MERGE .. MATCHED BY ..",
    "ByteString": "E'..'",
    "JSONExtractScalar": "the operator ->>",
    "RegexpILike": "the operator ~*; use ~ with LOWER()",
    "Bracket": "[]: arrays and SUPER navigation",
    "Select.into": "SELECT .. INTO; use CREATE TABLE .. AS",
    "Select.locks": "SELECT .. FOR UPDATE; use LOCK",
    "Select.windows": "the WINDOW clause",
    "Select.qualify": "QUALIFY; filter the window function's column in an outer query",
    "Select.laterals": "LATERAL",
    "Fetch": "FETCH FIRST; use LIMIT",
    "Distinct.on": "DISTINCT ON; use ROW_NUMBER() in a subquery",
    "NullSafeEQ": "IS NOT DISTINCT FROM",
    "NullSafeNEQ": "IS DISTINCT FROM",
    "Filter": "FILTER (WHERE ..); use CASE within the aggregate",
    "Insert.conflict": "ON CONFLICT; use MERGE",
    **{
        f"{kind}.with_": f"WITH .. {kind.upper()}; put the query into the statement"
        for kind in ("Insert", "Update", "Delete", "Merge")
    },
}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_JOINS = frozenset({"", "INNER", "OUTER", "CROSS"})


def query(text: str) -> str:
    """A query as PostgreSQL is to run it. Raises UnsupportedSql, RedshiftError."""
    tree = read(text)
    if not isinstance(tree, exp.Query):
        raise UnsupportedSql(
            f"WITH .. {tree.key.upper()} isn't supported here; put the query into the statement"
        )
    return render(rewrite_tree(tree))


def query_from(sql: Sql, start: int) -> None:
    """Rewrite the query that begins at the token `start` and ends with the statement."""
    sql.replace(start, len(sql) - 1, query(sql.slice(start, len(sql))))


def expression(text: str) -> str:
    """One expression, such as a column's default, as PostgreSQL is to read it. Raises as `query` does."""
    tree = read(f"select {text}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or tree.args.get("from_"):
        raise RedshiftError(f'syntax error at or near "{text}"')
    return render(rewrite_tree(tree)).removeprefix("SELECT ")


def read(text: str) -> exp.Expr:
    """The tree of one query or change, every node of it known. Raises UnsupportedSql, RedshiftError."""
    tree = parse(text)
    for node in tree.walk():
        _check(node)
    refuse_omissions(text, tree)
    return tree


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


def _check(node: exp.Expr) -> None:
    kind = type(node)
    if kind not in _ALLOWED:
        raise _refused(node, kind.__name__)
    allowed = _ALLOWED[kind].split()
    for argument, value in node.args.items():
        if value and argument not in allowed:
            shown = value if isinstance(value, exp.Expr) else node
            raise _refused(shown, f"{kind.__name__}.{argument}")
    if (check := _CHECKS.get(kind)) is not None:
        check(node)


def _refused(node: exp.Expr, what: str) -> UnsupportedSql:
    return UnsupportedSql(f"{_HINTS.get(what, what)} isn't supported: {written(node)}")


# -- checks ------------------------------------------------------------------------------------------------


def _check_from_item(node: exp.Expr) -> None:
    item = node.this
    if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Query) and not item.alias:
        raise RedshiftError("subquery in FROM must have an alias")
    if isinstance(item, exp.Values):
        raise UnsupportedSql("VALUES as a table isn't supported by Redshift")
    if isinstance(node, exp.Join) and node.kind not in _JOINS:
        raise UnsupportedSql(f"{node.kind} JOIN isn't supported by Redshift")


def _check_table(node: exp.Expr) -> None:
    name = node.this
    if isinstance(name, exp.Anonymous):
        _known_function(name.name.upper())
        raise UnsupportedSql(f"function {name.name.upper()}() in FROM isn't supported by Redshift")
    first = node.args.get("db") or name
    if not first.args.get("quoted") and first.name.upper() in RESERVED:
        raise RedshiftError(f'syntax error at or near "{first.name}": a reserved word of Redshift')
    if first.name.upper().startswith(SYSTEM_PREFIXES) and first.name.upper() not in CATALOG_VIEWS:
        raise UnsupportedSql(f'system table "{first.name}" isn\'t supported')


def _check_column(node: exp.Expr) -> None:
    name = node.this
    if isinstance(name, exp.Identifier) and not name.args.get("quoted") and not node.args.get("table"):
        word = name.name.upper()
        if word in REFUSED:
            raise UnsupportedSql(f"{word} {REFUSED[word]}")


def _check_distinct(node: exp.Expr) -> None:
    if len(node.expressions) > 1:
        raise UnsupportedSql("DISTINCT of several values within a call isn't supported by Redshift")


def _check_cte(node: exp.Expr) -> None:
    if not isinstance(node.this, exp.Query):
        raise UnsupportedSql(f"{node.this.key.upper()} within a query isn't supported by Redshift")


def _check_comparison(node: exp.Expr) -> None:
    if isinstance(node.this, exp.Tuple) or isinstance(node.expression, exp.Tuple):
        raise UnsupportedSql("row-value comparisons such as (a, b) >= (c, d) aren't supported by Redshift")


def _check_call(node: exp.Expr) -> None:
    name, count = node.name.upper(), len(node.expressions)
    _known_function(name)
    if name in ARGUMENTS and count not in ARGUMENTS[name]:
        wanted = " or ".join(map(str, ARGUMENTS[name]))
        raise RedshiftError(f"function {name.lower()} takes {wanted} arguments, not {count}")


def _known_function(name: str) -> None:
    if name in REFUSED:
        raise UnsupportedSql(f"function {name}() {REFUSED[name]}")
    if name not in SAME and name not in RENAMED and name not in _CALLS:
        raise UnsupportedSql(f"function {name}() isn't supported: it isn't known to mean the same here")


def _check_window(node: exp.Expr) -> None:
    function = node.this.name.upper()
    if isinstance(node.this, exp.WithinGroup) or function == "LISTAGG":
        raise UnsupportedSql("LISTAGG as a window function isn't supported here")
    if node.args.get("order") and not node.args.get("spec") and function in NEED_FRAME:
        raise RedshiftError("Aggregate window functions with an ORDER BY clause require a frame clause")


def _check_frame(node: exp.Expr) -> None:
    if node.text("kind").upper() != "ROWS":
        raise UnsupportedSql(f"a {node.text('kind').upper()} frame isn't supported by Redshift; use ROWS")


def _check_interval(node: exp.Expr) -> None:
    if not (isinstance(node.this, exp.Literal) and node.this.is_string):
        raise UnsupportedSql("INTERVAL is supported as a literal only: interval '1 day'")


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr], None]] = {
    exp.From: _check_from_item,
    exp.Join: _check_from_item,
    exp.Table: _check_table,
    exp.Column: _check_column,
    exp.CTE: _check_cte,
    exp.Distinct: _check_distinct,
    exp.Anonymous: _check_call,
    exp.Window: _check_window,
    exp.WindowSpec: _check_frame,
    exp.Interval: _check_interval,
    **dict.fromkeys(_COMPARISONS, _check_comparison),
}


# -- rewriting ---------------------------------------------------------------------------------------------


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
    is_sysdate = isinstance(node.this, exp.Identifier) and node.sql().upper() == "SYSDATE"
    return _compat("sysdate") if is_sysdate else node


def _cast(node: exp.Expr) -> exp.Expr:
    """Casts that mean something else in PostgreSQL go through a function."""
    written = Sql(node.args["to"].meta.get("written", "?"))
    found = parse_type(written, 0, column=False)
    if found.stop != len(written):
        raise written.syntax_error(found.stop)
    if found.postgres == "jsonb":
        # A string becomes a JSON string, it isn't parsed: that is JSON_PARSE.
        return _compat("to_super", node.this)
    value = node.this
    if found.varchar_bytes is not None:
        # Redshift cuts at n bytes, PostgreSQL at n characters.
        value = _compat("varchar_bytes", _to("varchar", value), exp.Literal.number(found.varchar_bytes))
    return _to(found.postgres, value)


def _to(postgres: str, value: exp.Expr) -> exp.Expr:
    return exp.Cast(this=value, to=exp.DataType.build(postgres, udt=True))


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
    call, order = node.this, node.expression
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
