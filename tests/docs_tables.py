"""Tables in the documentation that are rendered from the code.

A line `<!-- table: NAME -->` stands above each. `PYTHONPATH=src:tests python -m docs_tables` writes them, and a
test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from gluebook.contracts import CONTRACTS, QUARANTINE, TYPES, Column
from gluebook.contracts.reasons import About, Reason
from gluebook.core.sql.quality import DQ_COLUMNS
from gluebook.core.sql.schema import LOADS_COLUMNS
from gluebook.core.states import BatchState, FileState
from gluebook.quality.baseline import identity
from gluebook.sources import source_names

DOCS = Path(__file__).parents[1] / "docs"
COMMAND = "PYTHONPATH=src:tests .venv/bin/python -m docs_tables"
_TABLE = re.compile(r"(?<=<!-- table: )(?P<name>[^>]+)(?P<close> -->\n)(?P<rows>(?:\|.*\n)*)")


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


def _description(column: Column) -> str:
    allowed = f": {_code(column.allowed)}" if column.allowed else ""
    return f"{column.description}{allowed}{'; keyed hash' if column.personal else ''}"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


# By page and name.
TABLES: dict[tuple[str, str], Callable[[], str]] = {
    ("operations.md", "states"): states,
    ("operations.md", "reasons of batches"): partial(reasons, About.BATCH),
    ("data.md", "datasets"): datasets,
    ("data.md", "types"): types,
    **{("data.md", f"columns of {name}"): partial(columns, c.columns) for name, c in CONTRACTS.items()},
    ("data.md", "columns of etl_loads"): partial(columns, LOADS_COLUMNS, parquet=False),
    ("data.md", "columns of the quarantine"): partial(columns, QUARANTINE, redshift=False),
    ("quality.md", "columns of dq_results"): partial(columns, DQ_COLUMNS, parquet=False),
    ("data.md", "reasons of records"): partial(reasons, About.RECORD),
    ("data.md", "reasons of files"): partial(reasons, About.FILE),
}


def tables_in(page: str) -> dict[str, str]:
    """The tables of a page as they stand there, by name."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return {found["name"]: found["rows"] for found in _TABLE.finditer(text)}


def write() -> None:
    """Write every table into its page."""
    for page in {page for page, _ in TABLES}:
        rendered = {name: render() for (of, name), render in TABLES.items() if of == page}
        text = (DOCS / page).read_text(encoding="utf-8")
        text = _TABLE.sub(partial(_filled, rendered), text)
        (DOCS / page).write_text(text, encoding="utf-8")


def _filled(rendered: dict[str, str], found: re.Match[str]) -> str:
    return f"{found['name']}{found['close']}{rendered[found['name']]}"


if __name__ == "__main__":
    write()
