"""What several commands share: their options, and JSON for machines."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gluebook.core.text import printable

JSON = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else there.")]
DATASET = Annotated[str, typer.Option(help="support_tickets or app_logs.")]
SOURCE = Annotated[
    str, typer.Option(help="The system the files come from, such as servicenow, helpdesk or containers.")
]
DATE = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Date of arrival; today if not given.")
]
FILES = Annotated[list[Path], typer.Argument(help="Files to send, plain or gzip.")]
TIMEOUT = Annotated[float, typer.Option(help="Seconds to wait for the chain.")]


def arrival(given: datetime | None) -> date:
    """The date of arrival: as given, else today."""
    return given.date() if given else datetime.now(UTC).date()


def print_json(value: Any) -> None:
    """`value` on stdout; what JSON doesn't know as text. Nothing in it steers a terminal."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    sys.stdout.write(printable(text, keep="\n") + "\n")
