"""The commands by heading, each of which is imported when it is called: most need AWS, some need all of the laptop.

A command is the function of its name in the module of its name (`try` in `try_`), or that module's group of commands.
The help of all takes their summaries from the source.
"""

from __future__ import annotations

import ast
import inspect
import keyword
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

# In the order of the help.
HEADINGS = {
    "Run the pipeline on this machine": ("try", "demo", "sample", "up", "lab"),
    "Work with a deployed pipeline": ("upload", "status", "query", "logs", "rejects", "lineage", "report"),
    "Repair": ("replay", "backfill", "reconcile"),
    "Notebooks": ("run", "lint", "export", "studio", "kernel"),
    "Deployment": ("build", "cost", "iam"),
}
_NAMES = tuple(name for names in HEADINGS.values() for name in names)


class LazyGroup(TyperGroup):
    """The group of all commands."""

    commands: Any  # only read here, so it need not be mutable

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, for which no command is imported."""
        commands, self.commands = self.commands, _summaries()
        try:
            super().format_help(ctx, formatter)
        finally:
            self.commands = commands


# typer carries its own click, whose types have no public name.
class _Commands(Mapping[str, Any]):
    """The commands by name."""

    def __getitem__(self, name: str) -> Any:
        if name not in _NAMES:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


@cache
def _command(name: str) -> Any:
    module = import_module(f"gluebook.cli.{_module(name)}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command(name, cls=getattr(module, "COMMAND_CLASS", None))(getattr(module, _module(name)))
    command = typer.main.get_command(app)
    command.name = name
    return command


def _module(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _summaries() -> dict[str, Any]:
    """Commands that have a name, a heading and a help, and do nothing."""
    return {
        name: TyperCommand(name, help=_docstring(name), rich_help_panel=heading)
        for heading, names in HEADINGS.items()
        for name in names
    }


def _docstring(name: str) -> str:
    """That of the function which is the command, or the callback of the group."""
    source = Path(__file__).with_name(f"{_module(name)}.py").read_text(encoding="utf-8")
    known = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    function = known.get(_module(name)) or known[f"_{name}"]
    return inspect.cleandoc(ast.get_docstring(function) or "")
