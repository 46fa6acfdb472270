"""`gluebook rejects`: which records were set aside, and why."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.table import Table

from gluebook.aws.objects import Objects
from gluebook.cli import options, screens
from gluebook.cli.deployment import connect, raw_place
from gluebook.operations.rejects import Rejects, Wanted, find_rejects

_SHOWN_CHARACTERS = 160
_DAY: Any = {"formats": ["%Y-%m-%d"], "metavar": "YYYY-MM-DD"}


def rejects(
    dataset: Annotated[str | None, typer.Option(help="support_tickets or app_logs.")] = None,
    source: Annotated[str | None, typer.Option(help="The system the files come from.")] = None,
    reason: Annotated[str | None, typer.Option(help="Exactly this reason, such as unknown:status.")] = None,
    file: Annotated[str | None, typer.Option("--file", help="A raw key or s3:// URI.")] = None,
    batch: Annotated[str | None, typer.Option("--batch", help="A batch's id.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", help="First date of arrival, included.", **_DAY)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", help="Last date of arrival, included.", **_DAY)
    ] = None,
    limit: Annotated[int, typer.Option(help="How many records to show; all are counted.")] = 20,
    as_json: options.JSON = False,
) -> None:
    """List the records that were set aside, each with its reason, file, number and masked text."""
    wanted = Wanted(
        dataset=dataset,
        source=source,
        reason=reason,
        batch_id=batch,
        since=since.date().isoformat() if since else None,
        until=until.date().isoformat() if until else None,
    )
    deployment = connect()
    if file is not None:
        wanted = Wanted(**{**vars(wanted), "key": raw_place(file, deployment.raw_bucket)})
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
        screens.out.print(_told(found), soft_wrap=True)


def _told(found: Rejects) -> Group | str:
    if not found.records:
        return "No record is set aside. Files that can't be used as a whole: gluebook status --failed"
    parts: list[Table | str] = [_reasons(found)]
    if found.first:
        parts.append(_records(found))
    left = found.records - len(found.first)
    if left:
        parts.append(f"and {left:,} more: --limit {found.records}")
    parts.append(
        "Once the transformation is fixed and deployed: gluebook replay --dataset ... --from ... --to ..."
    )
    return Group(*parts)


def _reasons(found: Rejects) -> Table:
    table = Table(title="Set aside, by reason", title_justify="left")
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
        key, reason, raw = map(screens.plain, (reject.key, reject.reason, text))
        table.add_row(key, f"{reject.record:,}", reason, raw)
    return table
