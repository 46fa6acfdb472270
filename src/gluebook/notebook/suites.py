"""The suites of a suite notebook: its literals are read, and nothing of it is run."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from gluebook.contracts import Contract
from gluebook.errors import ContractError, NotebookError
from gluebook.notebook.cells import Cell, read_notebook
from gluebook.notebook.problems import Problem, refuse
from gluebook.quality.suites import batch_suite, names, rows_suite, suite_text

# The names that cells of role `suite` assign: the rules for a batch's rows, and for its numbers.
RULES = ("row_rules", "batch_rules")


def export_suites(notebook: Path, contract: Contract) -> dict[str, str]:
    """The texts of the two suite files of `contract`, by file name.

    Raises NotebookError if rules are missing or not literals, or make no valid suite for this contract.
    """
    read = read_notebook(notebook)
    refuse(read.problems)
    rules: dict[str, list[Any]] = {}
    for cell in read.of_role("suite"):
        name, value = _assigned(read.name, cell)
        if name in rules:
            refuse([Problem(read.name, cell.number, 0, f"{name} is assigned a second time", "merge them")])
        rules[name] = value
    missing = [name for name in RULES if name not in rules]
    if missing:
        what = f"no cell of role suite assigns {' or '.join(missing)}"
        refuse([Problem(read.name, 0, 0, what, "assign a list, if only an empty one")])
    try:
        suites = (rows_suite(contract, rules["row_rules"]), batch_suite(contract, rules["batch_rules"]))
    except ContractError as error:
        raise NotebookError(f"{read.name}: {error}") from None
    return {f"{name}.json": suite_text(suite) for name, suite in zip(names(contract), suites, strict=True)}


def _assigned(notebook: str, cell: Cell) -> tuple[str, list[Any]]:
    """The name and the value of the one assignment of a suite cell: `row_rules: list = [...]`."""
    try:
        statements = ast.parse(cell.source).body
    except SyntaxError as error:
        refuse([Problem(notebook, cell.number, (error.lineno or 1) + cell.line - 1, error.msg)])
    match statements:
        case [
            ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="list"), value=ast.List() as value)
        ] if name in RULES:
            try:
                return name, ast.literal_eval(value)
            except ValueError:
                pass
    what = "a suite cell is one assignment of literals"
    refuse(
        [
            Problem(
                notebook, cell.number, 0, what, f"like {' or '.join(f'`{n}: list = [...]`' for n in RULES)}"
            )
        ]
    )
    raise AssertionError("unreachable: refuse raises")
