"""What may stand in a query, a change of rows or a definition: nodes of sqlglot's tree, each with its arguments.

What isn't listed is refused by name. AWS docs: "SELECT", "SQL expressions", "SQL functions reference", "INSERT",
"UPDATE", "DELETE", "MERGE" and "Unsupported PostgreSQL features" in the Amazon Redshift Database Developer Guide.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.dialect import parse, refuse_omissions, written
from localaws.redshift.sql.functions import ARGUMENTS, NEED_FRAME, REFUSED, known_function
from localaws.redshift.sql.words import RESERVED, SYSTEM_PREFIXES
from localaws.redshift.users import CATALOG_VIEWS

Kind = type[exp.Expr]
_COMPARISONS: tuple[Kind, ...] = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_MATCHES: tuple[Kind, ...] = (exp.Like, exp.ILike, exp.SimilarTo, exp.Escape, exp.RegexpLike, exp.Is)
_ARITHMETIC: tuple[Kind, ...] = (exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.Div, exp.DPipe)
_SET_OPERATIONS: tuple[Kind, ...] = (exp.Union, exp.Except, exp.Intersect)
# The arguments ▸ the nodes that may have these.
_NODES: dict[str, tuple[Kind, ...]] = {
    "": (exp.Null, exp.Star, exp.TemporaryProperty, exp.IndexParameters),
    "this": (exp.From, exp.Where, exp.Having, exp.Paren, exp.Not, exp.Neg, exp.Exists, exp.Boolean, exp.Var),
    "expressions": (exp.With, exp.Group, exp.Order, exp.Distinct, exp.Tuple, exp.Values, exp.Whens),
    "expression": (exp.Limit, exp.Offset),
    "this alias": (exp.Alias, exp.CTE),
    "this expressions": (exp.Anonymous, exp.Schema, exp.Reference, exp.Constraint, exp.LikeProperty),
    "this expression": (exp.And, exp.Or, exp.Extract, exp.WithinGroup, *_COMPARISONS, *_MATCHES),
    "this expression typed safe": _ARITHMETIC,
    "expressions distinct from_ joins where group having order limit offset with_": (exp.Select,),
    "this expression distinct order limit offset with_": _SET_OPERATIONS,
    "this alias order limit offset with_": (exp.Subquery,),
    "this db alias joins": (exp.Table,),
    "this columns": (exp.TableAlias,),
    "this method side kind on using": (exp.Join,),
    "this desc nulls_first": (exp.Ordered,),
    "this table db": (exp.Column,),
    "this quoted": (exp.Identifier,),
    "this is_string": (exp.Literal,),
    "this low high": (exp.Between,),
    "this expressions query": (exp.In,),
    "this ifs default": (exp.Case,),
    "this true": (exp.If,),
    "this expressions nested kind": (exp.DataType, exp.DataTypeParam),
    "this unit": (exp.Interval,),
    "this start length": (exp.Substring,),
    "this substr": (exp.StrPosition,),
    "this expression position": (exp.Trim,),
    "this partition_by order spec over": (exp.Window,),
    "kind start start_side end end_side": (exp.WindowSpec,),
    "this expression default": (exp.Insert,),
    "this expressions from_ where": (exp.Update,),
    "this tables using where": (exp.Delete,),
    "this using on whens": (exp.Merge,),
    "matched then": (exp.When,),
    # Definitions; see definitions.py.
    "this ": (exp.BackupProperty, exp.DistKeyProperty, exp.DistStyleProperty, exp.SortKeyProperty),
    " this": (
        exp.DefaultColumnConstraint,
        exp.EncodeColumnConstraint,
        exp.CollateColumnConstraint,
        exp.AlterRename,
    ),
    "this kind replace expression exists properties": (exp.Create,),
    "this kind exists cascade restrict tables": (exp.Drop,),
    "this kind actions": (exp.Alter,),
    "this kind expression": (exp.Comment,),
    "this kind constraints": (exp.ColumnDef,),
    "expressions option": (exp.TruncateTable,),
    "this to": (exp.Cast, exp.RenameColumn),
    "this value": (exp.Property,),
    "kind": (exp.ColumnConstraint,),
    "allow_null": (exp.NotNullColumnConstraint,),
    "this start increment minvalue maxvalue": (exp.GeneratedAsIdentityColumnConstraint,),
    "this expressions include": (exp.PrimaryKey, exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint),
    "expressions ": (exp.Properties,),
    "expressions reference": (exp.ForeignKey,),
}
_ALLOWED = {node: frozenset(names.split()) for names, nodes in _NODES.items() for node in nodes}

# What a refused node, or a refused argument of one, is called; and what to write instead.
_NAMES = {
    "Table.catalog": "a cross-database name",
    "Table.sample": "TABLESAMPLE",
    "When.condition": "MERGE .. MATCHED AND ..",
    "When.source": "MERGE .. MATCHED BY ..",
    "ByteString": "E'..'",
    "JSONExtractScalar": "the operator ->>",
    "RegexpILike": "the operator ~*; use ~ with LOWER()",
    "Bracket": "[] of arrays and SUPER navigation",
    "Select.into": "SELECT .. INTO; use CREATE TABLE .. AS",
    "Select.locks": "SELECT .. FOR UPDATE; use LOCK",
    "Select.windows": "the WINDOW clause",
    "Select.qualify": "QUALIFY; filter the window function's column in an outer query",
    "Fetch": "FETCH FIRST; use LIMIT",
    "Distinct.on": "DISTINCT ON; use ROW_NUMBER() in a subquery",
    "NullSafeEQ": "IS NOT DISTINCT FROM",
    "NullSafeNEQ": "IS DISTINCT FROM",
    "Filter": "FILTER (WHERE ..); use CASE within the aggregate",
    "Insert.conflict": "ON CONFLICT; use MERGE",
    "Delete.with_": "WITH .. DELETE; put the query into the statement",
    "Update.with_": "WITH .. UPDATE; put the query into the statement",
    "Insert.with_": "WITH .. INSERT; put the query into the statement",
}


def read(text: str) -> exp.Expr:
    """The tree of one query, change or definition, every node of it allowed. Raises UnsupportedSql, RedshiftError."""
    tree = parse(text)
    for node in tree.walk():
        _check(node)
    refuse_omissions(text, tree)
    return tree


def _check(node: exp.Expr) -> None:
    kind = type(node)
    if kind not in _ALLOWED:
        raise _refused(node, kind.__name__)
    for argument, value in node.args.items():
        if value and argument not in _ALLOWED[kind]:
            raise _refused(value if isinstance(value, exp.Expr) else node, f"{kind.__name__}.{argument}")
    if message := _refusal(node):
        raise UnsupportedSql(message)
    if kind in _CHECKS:
        _CHECKS[kind](node)


def _refused(node: exp.Expr, what: str) -> UnsupportedSql:
    return UnsupportedSql(f"{_NAMES.get(what, what)} isn't supported: {written(node)}")


def _refusal(node: exp.Expr) -> str | None:
    """Why an allowed node is refused with what it holds; None if it isn't."""
    match node:
        case exp.Expr(this=exp.Tuple()) | exp.Expr(expression=exp.Tuple()) if isinstance(node, _COMPARISONS):
            return "row-value comparisons such as (a, b) >= (c, d) aren't supported by Redshift"
        case exp.From(this=exp.Values()) | exp.Join(this=exp.Values()):
            return "VALUES as a table isn't supported by Redshift"
        case exp.Join(kind=kind) if kind not in ("", "INNER", "OUTER", "CROSS"):
            return f"{kind} JOIN isn't supported by Redshift"
        case exp.Insert() | exp.Update() | exp.Delete() if node.parent and not isinstance(
            node.parent, exp.When
        ):
            return f"{node.key.upper()} within a query isn't supported by Redshift"
        case exp.Select(expressions=[]):
            return "SELECT without expressions isn't supported by Redshift"
        case exp.Distinct(expressions=[_, _, *_]):
            return "DISTINCT of several values within a call isn't supported"
        case exp.Window(this=call) if isinstance(call, exp.WithinGroup) or call.name.upper() == "LISTAGG":
            return "LISTAGG as a window function isn't supported here"
        case exp.WindowSpec() if node.text("kind").upper() != "ROWS":
            return f"a {node.text('kind').upper()} frame isn't supported by Redshift; use ROWS"
        case exp.Interval(this=value) if not (isinstance(value, exp.Literal) and value.is_string):
            return "INTERVAL is supported as a literal only: interval '1 day'"
    return None


def _check_from_item(node: exp.Expr) -> None:
    item = node.this
    if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Query) and not item.alias:
        raise RedshiftError("subquery in FROM must have an alias")
    if isinstance(item, exp.Table) and isinstance(item.this, exp.Anonymous):
        known_function(item.this.name)
        raise UnsupportedSql(f"function {item.this.name.upper()}() in FROM isn't supported by Redshift")


def _check_table(node: exp.Expr) -> None:
    first = node.args.get("db") or node.this
    name = first.name.upper()
    if not first.args.get("quoted") and name in RESERVED:
        raise RedshiftError(f'syntax error at or near "{first.name}": a reserved word of Redshift')
    if name.startswith(SYSTEM_PREFIXES) and name not in CATALOG_VIEWS:
        raise UnsupportedSql(f'system table "{first.name}" isn\'t supported')


def _check_column(node: exp.Expr) -> None:
    bare = isinstance(node.this, exp.Identifier) and not node.this.args.get("quoted")
    if bare and not node.args.get("table") and node.name.upper() in REFUSED:
        raise UnsupportedSql(f"{node.name.upper()} {REFUSED[node.name.upper()]}")


def _check_call(node: exp.Expr) -> None:
    name, count = node.name.upper(), len(node.expressions)
    known_function(name)
    if count not in ARGUMENTS.get(name, (count,)):
        wanted = " or ".join(map(str, ARGUMENTS[name]))
        raise RedshiftError(f"function {name.lower()} takes {wanted} arguments, not {count}")


def _check_window(node: exp.Expr) -> None:
    if node.args.get("order") and not node.args.get("spec") and node.this.name.upper() in NEED_FRAME:
        raise RedshiftError("Aggregate window functions with an ORDER BY clause require a frame clause")


_CHECKS: dict[Kind, Callable[[exp.Expr], None]] = {
    exp.From: _check_from_item,
    exp.Join: _check_from_item,
    exp.Table: _check_table,
    exp.Column: _check_column,
    exp.Anonymous: _check_call,
    exp.Window: _check_window,
}
