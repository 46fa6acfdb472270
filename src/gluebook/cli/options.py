"""What several commands share: their options, and JSON for machines."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gluebook.contracts import CONTRACTS
from gluebook.core.text import printable
from gluebook.sources import source_names

DATASETS = " or ".join(CONTRACTS)
_SOURCES = "; ".join(f"of {dataset} {', '.join(source_names(dataset))}" for dataset in CONTRACTS)


def day(*names: str, text: str) -> Any:
    """An option that takes a day; `text` is its help."""
    return typer.Option(*names, help=text, formats=["%Y-%m-%d"], metavar="YYYY-MM-DD")


JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]
DATASET = Annotated[str, typer.Option(help=f"The dataset that the files belong to: {DATASETS}.")]
SOURCE = Annotated[str, typer.Option(help=f"The source that the files come from: {_SOURCES}.")]
DATE = Annotated[datetime | None, day("--date", text="The files arrive on this date; the default is today.")]
FILES = Annotated[list[Path], typer.Argument(help="Send these files, plain or compressed with gzip.")]
TIMEOUT = Annotated[float, typer.Option(help="Wait at most this many seconds for the chain.")]
PORT = Annotated[int, typer.Option(help="Listen on this port; 0 picks a free one.")]
COLD = Annotated[
    bool, typer.Option("--cold", help="Start Java anew for each job run, as AWS Glue does for its first.")
]
KERNEL = Annotated[str, typer.Option(help="Run the notebook in this Jupyter kernel.")]
SEED = Annotated[
    int, typer.Option(help="Generate the files from this seed; the same seed gives the same files.")
]
TICKETS = Annotated[int, typer.Option(help="Generate this many tickets.")]
LOG_LINES = Annotated[int, typer.Option(help="Generate this many log lines.")]
ARRIVED_FROM = Annotated[
    datetime | None, day("--from", text="Take files that arrived on this date or later.")
]
ARRIVED_TO = Annotated[datetime | None, day("--to", text="Take files that arrived on this date or earlier.")]


def arrival(given: datetime | None) -> date:
    """The date of arrival: as given, else today in UTC."""
    return given.date() if given else datetime.now(UTC).date()


def iso_day(given: datetime | None) -> str | None:
    """A day that an option has taken, as YYYY-MM-DD."""
    return given.date().isoformat() if given else None


def print_json(value: Any) -> None:
    """`value` on stdout; what JSON has no type for as text. Nothing in it steers a terminal."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    sys.stdout.write(printable(text, keep="\n") + "\n")
