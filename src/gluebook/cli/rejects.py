"""`gluebook rejects`: the quarantined records."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table

from gluebook.aws.objects import Objects
from gluebook.cli import options, screens
from gluebook.cli.deployment import connect, raw_place
from gluebook.operations.rejects import RejectFilter, Rejects, find_rejects

_SHOWN_CHARACTERS = 160


def rejects(
    dataset: Annotated[
        str | None, typer.Option(help=f"Show rejects of this dataset only: {options.DATASETS}.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Show rejects of this source only.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="Show rejects with exactly this reason only, such as unknown:status.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="Show rejects of this raw key or s3:// URI only.")
    ] = None,
    batch: Annotated[
        str | None, typer.Option("--batch", help="Show rejects of the batch with this id only.")
    ] = None,
    since: options.ARRIVED_FROM = None,
    until: options.ARRIVED_TO = None,
    limit: Annotated[int, typer.Option(help="Show at most this many records; all are counted.")] = 20,
    as_json: options.JSON = False,
) -> None:
    """Show the quarantined records, counted by reason, each with its file, number and masked text.

    Example: gluebook rejects --dataset app_logs --reason malformed_record --limit 100
    """
    wanted = RejectFilter(
        dataset=dataset,
        source=source,
        reason=reason,
        batch_id=batch,
        since=options.iso_day(since),
        until=options.iso_day(until),
    )
    deployment = connect()
    if file is not None:
        wanted = RejectFilter(**{**vars(wanted), "key": raw_place(file, deployment.raw_bucket)})
    found = find_rejects(wanted, Objects(), deployment.lake, limit)
    if as_json:
        options.print_json(
            {
                "records": found.records,
                "reasons": [asdict(tally) for tally in found.tallies],
                "rejects": [asdict(reject) for reject in found.first],
            }
        )
    else:
        screens.out.print(_screen(found), soft_wrap=True)


def _screen(found: Rejects) -> Group | str:
    if not found.records:
        return (
            "No record is quarantined. `gluebook status --failed` shows files that cannot be used as a whole."
        )
    parts: list[Table | str] = [_reasons(found)]
    if found.first:
        parts.append(_records(found))
    left = found.records - len(found.first)
    if left:
        parts.append(f"and {left:,} more: --limit {found.records}")
    parts.append("Once the cause is fixed and deployed: gluebook replay --dataset ... --from ... --to ...")
    return Group(*parts)


def _reasons(found: Rejects) -> Table:
    table = Table(title="Rejects by reason", title_justify="left")
    for name in ("dataset", "source", "reason", "meaning"):
        table.add_column(name, overflow="fold")
    for name in ("records", "files"):
        table.add_column(name, justify="right")
    for tally in found.tallies:
        words = map(screens.plain, (tally.dataset, tally.source, tally.reason, screens.meaning(tally.reason)))
        table.add_row(*words, f"{tally.records:,}", f"{tally.files:,}")
    return table


def _records(found: Rejects) -> Table:
    table = Table(title="Records", title_justify="left", show_lines=True)
    table.add_column("file", overflow="fold")
    table.add_column("record", justify="right")
    table.add_column("reason", overflow="fold")
    table.add_column("masked text", overflow="fold")
    for reject in found.first:
        text = reject.raw[:_SHOWN_CHARACTERS]
        text += "…" if len(reject.raw) > _SHOWN_CHARACTERS else ""
        key, reason, text = map(screens.plain, (reject.key, reject.reason, text))
        table.add_row(key, f"{reject.record:,}", reason, text)
    return table
