"""The names that a cell reads from elsewhere and assigns, found without running it."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Names:
    """Names at the top level of a cell, each with the line of its first use.

    needed    read before the cell itself has assigned them
    assigned  by `=`, `:=`, import, for, with, except, del, def or class
    stars     lines of `from x import *`, which assign unknown names
    """

    needed: dict[str, int] = field(default_factory=dict)
    assigned: dict[str, int] = field(default_factory=dict)
    stars: list[int] = field(default_factory=list)


def names_in(tree: ast.Module) -> Names:
    """The names of a parsed cell, statement by statement in order."""
    found = Names()
    for statement in tree.body:
        read, written = _names_of(statement)
        simple = not isinstance(statement, ast.For | ast.AsyncFor | ast.With | ast.AsyncWith | ast.Try)
        for name in read - found.assigned.keys():
            # `x = x + 1` needs an x; the body of a loop or with-block may use what the block binds.
            if simple and name in written and not _is_definition(statement):
                found.needed.setdefault(name, statement.lineno)
            elif name not in written:
                found.needed.setdefault(name, _line_of(name, statement))
        for name in written:
            found.assigned.setdefault(name, statement.lineno)
        if any(isinstance(n, ast.ImportFrom) and n.names[0].name == "*" for n in ast.walk(statement)):
            found.stars.append(statement.lineno)
    return found


def _is_definition(statement: ast.stmt) -> bool:
    """A function may call itself; an if or while may use what it assigns above."""
    return isinstance(
        statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If | ast.While | ast.Match
    )


def _names_of(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """(read, written) at the top level by one statement and its body."""
    table = symtable.symtable(ast.unparse(statement), "cell", "exec")
    read = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    written = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    for scope in _scopes(table):
        symbols = [symbol for symbol in scope.get_symbols() if symbol.is_global()]
        read |= {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
        written |= {symbol.get_name() for symbol in symbols if symbol.is_assigned()}
    if isinstance(statement, ast.AugAssign | ast.Delete):
        read |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return read, written


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _scopes(child)


def _line_of(name: str, statement: ast.stmt) -> int:
    lines = [node.lineno for node in ast.walk(statement) if isinstance(node, ast.Name) and node.id == name]
    return min(lines, default=statement.lineno)
