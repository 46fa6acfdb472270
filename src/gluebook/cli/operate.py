"""Commands for every day: upload, status, query."""

from __future__ import annotations

from typing import Annotated

import typer

from gluebook.cli import options, refusals, screens
from gluebook.cli.deployment import connect, existing
from gluebook.cli.failures import failures
from gluebook.cli.stages import stage_progress
from gluebook.operations.status import FileStatus, Overview, states


def upload(
    files: options.FILES,
    dataset: options.DATASET,
    source: options.SOURCE,
    dt: options.DATE = None,
    as_json: options.JSON = False,
) -> None:
    """Put FILES into the raw bucket, named by the convention; the chain does the rest."""
    deployment = connect()
    paths, arrival = existing(files), options.arrival(dt)
    keys = [deployment.upload(path, dataset, source, arrival) for path in paths]
    if as_json:
        options.print_json({"bucket": deployment.raw_bucket, "keys": keys})
    else:
        for key in keys:
            screens.out.print(screens.plain(f"s3://{deployment.raw_bucket}/{key}"), soft_wrap=True)


def status(
    failed: Annotated[bool, typer.Option("--failed", help="Only what a person should look at.")] = False,
    as_json: options.JSON = False,
) -> None:
    """Tell what became of every file version, and why."""
    from gluebook.cli.trial import Trial

    deployment = connect()
    with stage_progress() as progress:
        progress.tell("Reading the ledger and the results")
        seen = deployment.overview()
        failed_last = failures(deployment, seen)
        report = refusals.of_running_laptop()
    refused = refusals.refusals(report) if report else []
    files = screens.troubled(seen.files) if failed else seen.files
    if as_json:
        shown = Trial(type(seen)(files, seen.batches), [], {}).as_json()
        fields = {name: shown[name] for name in ("files", "totals", "loads")} | {"failures": failed_last}
        options.print_json(fields | ({"refused": refusals.as_json(report)} if report else {}))
    else:
        _show_status(files, seen, failed_last, refused)
    if refused:
        raise typer.Exit(1)


def _show_status(
    files: tuple[FileStatus, ...], seen: Overview, failed_last: list[str], refused: list[str]
) -> None:
    if files:
        screens.out.print(screens.files_table(files, "files"))
        screens.out.print(", ".join(f"{count} {state}" for state, count in states(seen.files).items()))
        for line in screens.advice(files):
            screens.out.print(f"  ▸ {screens.plain(line)}", soft_wrap=True, highlight=False)
    elif not seen.files:
        screens.out.print("Nothing has arrived yet.")
    elif not failed_last and not refused:
        screens.out.print("All is well.")
    for failed_line in failed_last:
        screens.out.print(f"[red]{screens.plain(failed_line)}[/]", soft_wrap=True)
    refusals.show(refused)


def query(sql: str, as_json: options.JSON = False) -> None:
    """Run one SQL statement in the warehouse."""
    rows = connect().warehouse.query(sql)
    if as_json:
        options.print_json(
            {"sql": sql, "columns": list(rows.columns), "rows": [list(row) for row in rows.rows]}
        )
    else:
        screens.out.print(screens.rows_table(sql, rows))
