"""The magics in a cell, found as IPython finds them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

_CALLS = ("run_line_magic", "run_cell_magic", "system", "getoutput")


@dataclass(frozen=True)
class Magic:
    """One magic or shell call; `name` without its percent signs, "!" for a shell call; `line` from 1.

    `cell`: what stands below it, of a magic for the `whole_cell`.
    """

    name: str
    arguments: str
    line: int
    whole_cell: bool = False
    cell: str = ""

    def __str__(self) -> str:
        if self.name == "!":
            return f"!{self.arguments}"
        return f"{'%%' if self.whole_cell else '%'}{self.name} {self.arguments}".strip()


def parse(source: str) -> tuple[ast.Module, list[Magic]]:
    """A cell's syntax tree, its magics turned into calls as IPython does it, and those magics.

    Raises SyntaxError for what is neither Python nor a magic.
    """
    try:
        return ast.parse(source), []
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager  # slow to import, and seldom needed

        transformer: Any = TransformerManager
        tree = ast.parse(transformer().transform_cell(source))
        return tree, [magic for node in ast.walk(tree) if (magic := _magic(node))]


def _magic(node: ast.AST) -> Magic | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS):
        return None
    if ast.unparse(node.func.value) != "get_ipython()":
        return None
    words = [str(word.value) for word in node.args if isinstance(word, ast.Constant)]
    if node.func.attr in ("system", "getoutput"):
        return Magic("!", " ".join(words), node.lineno)
    whole = node.func.attr == "run_cell_magic"
    return Magic(words[0], words[1], node.lineno, whole, words[2] if whole else "")
