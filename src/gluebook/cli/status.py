"""`gluebook status`: the state of every file version, and the reason."""

from __future__ import annotations

from typing import Annotated

import typer

from gluebook.cli import options, screens
from gluebook.cli.deployment import connect, failures
from gluebook.cli.screens import refusals
from gluebook.cli.screens.progress import stage_progress
from gluebook.operations.status import FileStatus, Overview, states


def status(
    failed: Annotated[
        bool, typer.Option("--failed", help="Show only files that need attention or have rejects.")
    ] = False,
    as_json: options.JSON = False,
) -> None:
    """Show the state of every file version and the reason; exits with 1 if a deployed role was refused a request.

    Example: gluebook status --failed
    """
    deployment = connect()
    with stage_progress() as progress:
        progress.show("Reading the ledger and the results")
        seen = deployment.overview()
        failed_last = failures(deployment, seen)
        report = refusals.of_running_laptop()
    refused = refusals.refusals(report) if report else []
    files = tuple(filter(screens.needs_a_look, seen.files)) if failed else seen.files
    if as_json:
        shown = screens.overview_json(Overview(files, seen.batches)) | {"failures": failed_last}
        options.print_json(shown | ({"refused": refusals.as_json(report)} if report else {}))
    else:
        _show(files, seen, failed_last, refused)
    if refused:
        raise typer.Exit(1)


def _show(files: tuple[FileStatus, ...], seen: Overview, failed_last: list[str], refused: list[str]) -> None:
    if files:
        screens.out.print(screens.files_table(files, "files"))
        screens.out.print(", ".join(f"{count} {state}" for state, count in states(seen.files).items()))
        for line in screens.advice(files):
            screens.show(f"▸ {line}")
    elif not seen.files:
        screens.out.print("No file has arrived yet.")
    elif not failed_last and not refused:
        screens.out.print("No file needs attention.")
    for failed_line in failed_last:
        screens.show(failed_line, style="red")
    refusals.show(refused)
