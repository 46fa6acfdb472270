"""INSERT, UPDATE, DELETE and MERGE, as trees.

AWS docs: "INSERT", "UPDATE", "DELETE", "MERGE" in the Amazon Redshift Database Developer Guide. MERGE there takes
a table as its source, no alias of the target, no condition except MATCHED, and both WHEN clauses.
"""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.allowed import read
from localaws.redshift.sql.dialect import render
from localaws.redshift.sql.queries import rewrite_tree, table_name

_WHENS = "MERGE takes WHEN MATCHED THEN .. and WHEN NOT MATCHED THEN .., once each, in this order"


@lru_cache(maxsize=1000)
def change(text: str) -> tuple[str, tuple[str, ...]]:
    """A change as PostgreSQL is to run it, and the names that must be tables (MERGE's).

    Raises UnsupportedSql, RedshiftError.
    """
    tree = read(text)
    tables: tuple[str, ...] = ()
    if isinstance(tree, exp.Delete):
        _check_delete(tree)
    elif isinstance(tree, exp.Merge):
        tables = _check_merge(tree)
    elif not isinstance(tree, exp.Insert | exp.Update):
        raise RedshiftError("syntax error: INSERT, UPDATE, DELETE or MERGE is expected")
    return render(rewrite_tree(tree)), tables


def _check_delete(tree: exp.Delete) -> None:
    """DELETE [FROM] table [USING ..] [WHERE ..]; PostgreSQL needs the FROM."""
    for table in tree.args.get("tables") or []:
        tree.set("this", table)
    tree.set("tables", None)
    if tree.this.alias:
        raise UnsupportedSql(f'"{tree.this.sql()}" isn\'t supported by Redshift: DELETE takes no alias')


def _check_merge(tree: exp.Merge) -> tuple[str, str]:
    target, source = tree.this, tree.args["using"]
    if target.alias:
        raise UnsupportedSql("MERGE INTO takes no alias of the target on Redshift")
    if not isinstance(source, exp.Table):
        raise UnsupportedSql("MERGE's source must be a table on Redshift, not a subquery")
    if table_name(target) == table_name(source):
        raise RedshiftError("Source table/view and target table can't be the same in MERGE")
    whens = tree.args["whens"].expressions
    if [bool(when.args["matched"]) for when in whens] != [True, False]:
        raise RedshiftError(_WHENS)
    for when, allowed in zip(whens, (exp.Update, exp.Insert), strict=True):
        then = when.args["then"]
        is_delete = isinstance(then, exp.Var) and then.name.upper() == "DELETE" and when is whens[0]
        if not is_delete and not isinstance(then, allowed):
            raise UnsupportedSql(f"MERGE .. THEN {then.sql()} isn't supported by Redshift")
    return table_name(target), table_name(source)
