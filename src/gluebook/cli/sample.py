"""`gluebook sample`: write generated tickets and logs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gluebook.cli import options, screens


def sample(
    folder: Annotated[Path, typer.Argument(help="Write to this folder, which must be empty or new.")],
    tickets: options.TICKETS = 400,
    log_lines: options.LOG_LINES = 4000,
    days: Annotated[int, typer.Option(help="Spread the files over this many days.")] = 3,
    seed: options.SEED = 7,
) -> None:
    """Write generated tickets and logs, with the expected counts in truth.json.

    Example: gluebook sample build/sample --tickets 1000 --days 7
    """
    from gluebook.sample import Request, iter_files, write_files

    truth = write_files(
        iter_files(Request(seed=seed, tickets=tickets, log_lines=log_lines, days=days)), folder
    )
    screens.out.print(f"{len(truth.files)} files and truth.json are in {folder}", soft_wrap=True)
