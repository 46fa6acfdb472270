"""Tables in the documentation that are rendered from the code.

A line `<!-- table: NAME -->` stands above each. `PYTHONPATH=src:tests python -m docs_tables` writes them, and a
test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import typer

from gluebook.cli.app import app
from gluebook.contracts import CONTRACTS, QUARANTINE, TYPES, Column
from gluebook.contracts.reasons import About, Reason
from gluebook.core import states as state_module
from gluebook.core.differences import EXPLANATIONS
from gluebook.core.sql.quality import DQ_COLUMNS
from gluebook.core.sql.schema import LOADS_COLUMNS
from gluebook.core.states import BatchState, FileState
from gluebook.notebook.cells import ROLES
from gluebook.quality.baseline import identity
from gluebook.quality.expectation_types import EXPECTATION_TYPES
from gluebook.sources import source_names

ROOT = Path(__file__).parents[1]
COMMAND = "PYTHONPATH=src:tests .venv/bin/python -m docs_tables"
_TABLE = re.compile(
    r"(?<=<!-- table: )(?P<name>[^>]+)(?P<close> -->\n)(?P<rows>```\n(?s:.*?)```\n|(?:\|.*\n)*)"
)


def markdown(header: str, rows: Iterable[Iterable[object]]) -> str:
    """A table. `header`: the columns' names, with ` | ` between them."""
    lines = [f"| {header} |", "|" + "---|" * (header.count("|") + 1)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def states() -> str:
    """Every state of file versions and batches."""
    return markdown(
        "state | of | phase | meaning | what to do",
        (
            (state, kind, state.row.phase, state.row.meaning, state.row.action)
            for kind, states in (("file", FileState), ("batch", BatchState))
            for state in states
        ),
    )


def cell_roles() -> str:
    """Every role of a notebook's cells."""
    return markdown(
        "role | what it is for | in the Glue script?", ((f"`{name}`", *row) for name, row in ROLES.items())
    )


def differences() -> str:
    """Every kind of difference that `gluebook reconcile` finds."""
    return markdown(
        "difference | meaning | what to do",
        ((e.title, e.meaning, e.way_out.replace("--repair", "`--repair`")) for e in EXPLANATIONS.values()),
    )


def state_diagram() -> str:
    """The diagram of the states' docstring, as a block of code."""
    _, _, diagram = (state_module.__doc__ or "").partition("::\n\n")
    return f"```\n{dedent(diagram).rstrip()}\n```\n"


def reasons(about: About) -> str:
    """Every reason of records, files or batches, as it is stored."""
    of = [reason for reason in Reason if reason.row.about is about]
    if about is About.RECORD:
        return markdown(
            "reason | meaning | what to do", ((_stored(r), r.row.meaning, r.row.action) for r in of)
        )
    return markdown(
        "reason | state | meaning | what to do",
        ((_stored(r), r.row.states.replace(" ", ", "), r.row.meaning, r.row.action) for r in of),
    )


def _stored(reason: Reason) -> str:
    return f"`{reason}:<column>`" if reason.row.of_column else f"`{reason}`"


def types() -> str:
    """The types of contract columns."""
    return markdown(
        "type | values | Redshift | Spark, Glue catalog | Parquet (Arrow)",
        (
            (name, t.description, f"{t.redshift}(n)" if name == "text" else t.redshift, t.spark, t.arrow)
            for name, t in TYPES.items()
        ),
    )


def datasets() -> str:
    """The datasets, each with its key and its sources."""
    return markdown(
        "dataset | key | newest by | identity in a batch | sources",
        (
            (
                _code([c.name]),
                _code(c.key),
                _code(c.newest_by),
                _code(identity(c)),
                _code(source_names(c.name)),
            )
            for c in CONTRACTS.values()
        ),
    )


def columns(of: Iterable[Column], redshift: bool = True, parquet: bool = True) -> str:
    """Columns in order, with their types where they are stored."""
    places = [("Redshift", "redshift_type")] * redshift + [("Parquet", "spark_type")] * parquet
    return markdown(
        " | ".join(["#", "column", *(place for place, _ in places), "null", "description"]),
        (
            (
                number,
                f"`{column.name}`",
                *(getattr(column, type_) for _, type_ in places),
                "yes" if column.nullable else "no",
                _description(column),
            )
            for number, column in enumerate(of, 1)
        ),
    )


def expectation_types() -> str:
    """What the gate can evaluate, with the arguments that must and may be given."""
    return markdown(
        "type | needs | may have",
        (
            (
                f"`{name}`",
                _code(sorted(found.signature.required)),
                _code(sorted(found.signature.optional)),
            )
            for name, found in EXPECTATION_TYPES.items()
        ),
    )


def _description(column: Column) -> str:
    allowed = f": {_code(column.allowed)}" if column.allowed else ""
    return f"{column.description}{allowed}{'; keyed hash' if column.personal else ''}"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def commands() -> str:
    """Every command, as its help says."""
    return markdown("command | what it does", (_command(*one) for one in cli_commands()))


def cli_commands(group: Any = None, prefix: str = "gluebook") -> Iterator[tuple[str, Any]]:
    """Every command with the words that call it."""
    # typer carries its own click, whose types have no public name.
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        words = f"{prefix} {name}"
        yield from cli_commands(command, words) if hasattr(command, "commands") else [(words, command)]


def _command(words: str, command: Any) -> tuple[str, str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    named = [p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments]
    summary, _, _ = command.help.partition("Example: ")
    return f"`{' '.join([words, *named])}`", " ".join(summary.split())


# By page and name.
TABLES: dict[tuple[str, str], Callable[[], str]] = {
    ("README.md", "commands"): commands,
    ("docs/operations.md", "states"): states,
    ("docs/architecture.md", "diagram of states"): state_diagram,
    ("docs/notebooks.md", "roles of cells"): cell_roles,
    ("docs/operations.md", "differences"): differences,
    ("docs/operations.md", "reasons of batches"): partial(reasons, About.BATCH),
    ("docs/data.md", "datasets"): datasets,
    ("docs/data.md", "types"): types,
    **{("docs/data.md", f"columns of {name}"): partial(columns, c.columns) for name, c in CONTRACTS.items()},
    ("docs/data.md", "columns of etl_loads"): partial(columns, LOADS_COLUMNS, parquet=False),
    ("docs/data.md", "columns of the quarantine"): partial(columns, QUARANTINE, redshift=False),
    ("docs/quality.md", "types of expectations"): expectation_types,
    ("docs/quality.md", "columns of dq_results"): partial(columns, DQ_COLUMNS, parquet=False),
    ("docs/data.md", "reasons of records"): partial(reasons, About.RECORD),
    ("docs/data.md", "reasons of files"): partial(reasons, About.FILE),
}


def tables_in(page: str) -> dict[str, str]:
    """The tables of a page as they stand there, by name."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return {found["name"]: found["rows"] for found in _TABLE.finditer(text)}


def write() -> None:
    """Write every table into its page."""
    for page in {page for page, _ in TABLES}:
        rendered = {name: render() for (of, name), render in TABLES.items() if of == page}
        text = (ROOT / page).read_text(encoding="utf-8")
        text = _TABLE.sub(partial(_filled, rendered), text)
        (ROOT / page).write_text(text, encoding="utf-8")


def _filled(rendered: dict[str, str], found: re.Match[str]) -> str:
    return f"{found['name']}{found['close']}{rendered[found['name']]}"


if __name__ == "__main__":
    write()
