"""CREATE, ALTER, DROP, TRUNCATE and COMMENT: what only Redshift has is taken off, what it lacks is refused.

AWS docs: "CREATE TABLE", "CREATE TABLE AS", "ALTER TABLE" and the like in the Amazon Redshift Database Developer
Guide. PRIMARY KEY, UNIQUE and FOREIGN KEY are informational there, so they are dropped here; NOT NULL is enforced,
and a primary key's columns are NOT NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from sqlglot import exp

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.allowed import read
from localaws.redshift.sql.dialect import render, written
from localaws.redshift.sql.queries import data_type, rewrite_tree, table_name
from localaws.redshift.sql.types import type_of
from localaws.redshift.sql.words import RESERVED, word_set

_ENCODINGS = word_set(
    "AUTO AZ64 BYTEDICT DELTA DELTA32K LZO MOSTLY8 MOSTLY16 MOSTLY32 RAW RUNLENGTH TEXT255 TEXT32K ZSTD"
)
_DISTSTYLES = frozenset({"AUTO", "EVEN", "KEY", "ALL"})
# Attributes of a column that aren't for a column that is added.
_NOT_ADDED = {
    exp.PrimaryKeyColumnConstraint: "PRIMARY KEY",
    exp.UniqueColumnConstraint: "UNIQUE",
    exp.Reference: "REFERENCES",
    exp.GeneratedAsIdentityColumnConstraint: "IDENTITY",
    exp.Var: "DISTKEY or SORTKEY",
}


@dataclass
class _Table:
    """What is known of a table while its definition is read."""

    columns: dict[str, exp.ColumnDef] = field(default_factory=dict)
    primary_key: list[str] = field(default_factory=list)
    key_columns: list[str] = field(default_factory=list)

    def set_primary_key(self, columns: list[str]) -> None:
        if self.primary_key:
            raise RedshiftError("multiple primary keys for table are not allowed")
        self.primary_key = columns


@lru_cache(maxsize=1000)
def definition(text: str) -> tuple[str, str | None, str | None]:
    """A definition as PostgreSQL is to run it, the name of the table that got columns, and its DISTKEY.

    A temporary table's DISTKEY is left out.

    Raises UnsupportedSql, RedshiftError.
    """
    tree = read(text)
    kind = tree.text("kind").upper()
    define = _DEFINITIONS.get((type(tree), kind))
    if define is None:
        raise UnsupportedSql(f"statement {tree.key.upper()} {kind} isn't supported: {text}")
    key = tree.find(exp.DistKeyProperty)
    changed = define(tree)
    distributed_by = key.name.lower() if key and not tree.find(exp.TemporaryProperty) else None
    return render(rewrite_tree(tree)), changed, distributed_by


def _create_table(tree: exp.Expr) -> str:
    table, schema = _Table(), tree.this
    target = schema.this if isinstance(schema, exp.Schema) else schema
    is_temporary = _take_attributes(tree, table) or target.name.startswith("#")
    tree.set("properties", exp.Properties(expressions=[exp.TemporaryProperty()]) if is_temporary else None)
    if tree.args.get("replace"):
        raise UnsupportedSql("CREATE OR REPLACE TABLE isn't supported by Redshift")
    if isinstance(schema, exp.Schema):
        if bool(tree.expression) != any(isinstance(one, exp.Identifier) for one in schema.expressions):
            raise RedshiftError("syntax error: columns have types, but for those of CREATE TABLE .. AS")
        schema.set("expressions", [kept for one in schema.expressions if (kept := _element(one, table))])
        _check_keys(table)
    elif not tree.expression:
        raise RedshiftError("syntax error at end of input")
    return table_name(target)


def _take_attributes(tree: exp.Expr, table: _Table) -> bool:
    """Reads DISTSTYLE, DISTKEY, SORTKEY and the like; whether the table is temporary."""
    properties = tree.args.get("properties")
    found = properties.expressions if properties else []
    for one in found:
        if isinstance(one, exp.DistStyleProperty) and one.name.upper() not in _DISTSTYLES:
            raise UnsupportedSql(f'table attribute "DISTSTYLE {one.name}" isn\'t supported')
        if isinstance(one, exp.BackupProperty) and one.name.upper() not in ("YES", "NO"):
            raise UnsupportedSql(f'table attribute "BACKUP {one.name}" isn\'t supported')
        if isinstance(one, exp.DistKeyProperty):
            table.key_columns.append(one.name.lower())
        elif isinstance(one, exp.SortKeyProperty):
            table.key_columns += _names(one.this)
    return any(isinstance(one, exp.TemporaryProperty) for one in found)


def _element(node: exp.Expr, table: _Table) -> exp.Expr | None:
    """One element of a table's definition, without what PostgreSQL isn't to see."""
    if isinstance(node, exp.ColumnDef):
        return _column(node, table)
    if isinstance(node, exp.Identifier):
        _check_column_name(node)
    if isinstance(node, exp.LikeProperty) and any(
        one.text("value").upper() != "DEFAULTS" for one in node.expressions
    ):
        raise UnsupportedSql("LIKE is supported with INCLUDING DEFAULTS or EXCLUDING DEFAULTS only")
    if isinstance(node, exp.Identifier | exp.LikeProperty):
        return node
    for constraint in node.expressions if isinstance(node, exp.Constraint) else [node]:
        if isinstance(constraint, exp.UniqueColumnConstraint):
            table.key_columns += _names(constraint.this.expressions)
        else:
            table.key_columns += _names(constraint.expressions)
        if isinstance(constraint, exp.PrimaryKey):
            table.set_primary_key(_names(constraint.expressions))
    return None


def _column(node: exp.ColumnDef, table: _Table) -> exp.ColumnDef:
    _check_column_name(node.this)
    if not node.kind:
        raise RedshiftError(f'syntax error: column "{node.name}" has no type')
    postgres, _ = type_of(node.kind.meta.get("written", ""), column=True)
    node.set("kind", data_type(postgres))
    name = node.name.lower()
    table.columns[name] = node
    kept = []
    for constraint in node.constraints:
        kind = constraint.args["kind"]
        if isinstance(kind, exp.PrimaryKeyColumnConstraint):
            table.set_primary_key([name])
        elif isinstance(kind, exp.EncodeColumnConstraint) and kind.name.upper() not in _ENCODINGS:
            raise RedshiftError(f'compression encoding "{kind.name}" isn\'t known')
        elif isinstance(kind, exp.CollateColumnConstraint) and kind.name.upper() not in (
            "CASE_SENSITIVE",
            "CS",
        ):
            raise UnsupportedSql("COLLATE CASE_INSENSITIVE is Redshift SQL that isn't supported here")
        elif isinstance(kind, exp.GeneratedAsIdentityColumnConstraint):
            if not (kind.args["start"] and kind.args["increment"]):
                raise UnsupportedSql("an identity column is [GENERATED BY DEFAULT AS] IDENTITY(seed, step)")
            kept.append(constraint)
        elif isinstance(kind, exp.NotNullColumnConstraint | exp.DefaultColumnConstraint):
            kept.append(constraint)
    node.set("constraints", kept)
    return node


def _check_column_name(name: exp.Expr) -> None:
    if name.name.upper() in RESERVED and not name.args.get("quoted"):
        raise RedshiftError(f'syntax error at or near "{name.name}": a reserved word of Redshift')


def _check_keys(table: _Table) -> None:
    for name in [*table.primary_key, *table.key_columns]:
        if name not in table.columns:
            raise RedshiftError(f'column "{name}" named in key does not exist')
    for name in table.primary_key:
        column = table.columns[name]
        if not column.find(exp.NotNullColumnConstraint):
            column.append("constraints", exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))


def _names(nodes: Iterable[exp.Expr]) -> list[str]:
    return [node.name.lower() for node in nodes]


def _alter_table(tree: exp.Expr) -> str | None:
    """ADD COLUMN, DROP COLUMN, RENAME COLUMN or RENAME TO."""
    actions = tree.args["actions"]
    if len(actions) != 1:
        raise RedshiftError("ALTER TABLE takes one action, so it adds one column at a time")
    column = actions[0]
    if isinstance(column, exp.Drop) and (column.text("kind") != "COLUMN" or column.args.get("exists")):
        raise UnsupportedSql(f"ALTER TABLE .. {written(column)} isn't supported here: only DROP COLUMN")
    if not isinstance(column, exp.ColumnDef):
        return None
    kinds = [type(constraint.args["kind"]) for constraint in column.constraints]
    for kind in kinds:
        if kind in _NOT_ADDED:
            raise RedshiftError(f"ALTER TABLE ADD COLUMN doesn't support {_NOT_ADDED[kind]}")
    if exp.NotNullColumnConstraint in kinds and exp.DefaultColumnConstraint not in kinds:
        raise RedshiftError(
            "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression"
        )
    _column(column, _Table())
    return table_name(tree.this)


def _create_view(tree: exp.Expr) -> None:
    if tree.args.get("properties") or not isinstance(tree.expression, exp.Query):
        raise UnsupportedSql("CREATE VIEW is supported as CREATE [OR REPLACE] VIEW .. AS query")


def _truncate(tree: exp.Expr) -> None:
    if len(tree.expressions) != 1:
        raise RedshiftError("syntax error: TRUNCATE takes one table")


def _unchanged(_: exp.Expr) -> None:
    pass


_DEFINITIONS: dict[tuple[type[exp.Expr], str], Callable[[exp.Expr], str | None]] = {
    (exp.Create, "TABLE"): _create_table,
    (exp.Create, "VIEW"): _create_view,
    (exp.Create, "SCHEMA"): _unchanged,
    (exp.Alter, "TABLE"): _alter_table,
    (exp.TruncateTable, ""): _truncate,
    **{(exp.Drop, kind): _unchanged for kind in ("TABLE", "VIEW", "SCHEMA")},
    **{(exp.Comment, kind): _unchanged for kind in ("TABLE", "VIEW", "COLUMN")},
}
