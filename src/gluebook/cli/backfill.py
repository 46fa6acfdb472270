"""`gluebook backfill`: register objects that were in the raw bucket before the pipeline."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from gluebook.cli import options, screens
from gluebook.cli.deployment import connect, raw_place
from gluebook.cli.screens.progress import stage_progress
from gluebook.errors import ConfigurationError
from gluebook.operations.backfill import Backfilled
from gluebook.operations.backfill import backfill as backfill_step
from gluebook.operations.register import Registrations


def backfill(
    prefix: Annotated[
        str,
        typer.Argument(
            help="Register objects whose key has this prefix, or an s3:// URI; / means the whole bucket."
        ),
    ],
    restart: Annotated[
        bool, typer.Option("--restart", help="Start over instead of resuming where the last call stopped.")
    ] = False,
    as_json: options.JSON = False,
) -> None:
    """Register objects that were in the raw bucket before the pipeline; an interrupted call is resumed.

    Exits with 1 if an object could not be registered.

    Example: gluebook backfill app_logs/mongod/
    """
    if not prefix:
        raise ConfigurationError("the prefix is empty; for the whole bucket say /")
    deployment = connect()
    below = "" if prefix == "/" else raw_place(prefix, deployment.raw_bucket)
    where = f"s3://{deployment.raw_bucket}/{below}"
    work = deployment.operations()
    with stage_progress() as progress:
        progress.show(screens.plain(f"Listing {where}"))

        def on_page(so_far: Registrations, last: str) -> None:
            progress.show(screens.plain(f"{_counts(so_far)}; at {last}"))

        try:
            done = backfill_step(below, work, restart=restart, on_page=on_page)
        except KeyboardInterrupt:
            screens.err.print("registered objects stay registered; the same command resumes from here")
            raise
    if as_json:
        options.print_json(_as_json(where, done))
    else:
        for line in _lines(where, done):
            screens.show(line)
    if done.registrations.failed:
        raise typer.Exit(1)


def _counts(found: Registrations) -> str:
    return f"{found.registered:,} registered, {found.known:,} known, {found.refused:,} refused"


def _lines(where: str, done: Backfilled) -> list[str]:
    lines = [f"Resumed after {done.resumed_after}; --restart starts over"] if done.resumed_after else []
    lines.append(f"{where}: file versions: {_counts(done.registrations)}")
    if done.registrations.refused:
        lines.append("No dataset takes the keys of those refused; `gluebook status --failed` says why")
    if done.registrations.failed:
        failed = screens.counted(done.registrations.failed, "object")
        lines.append(f"Could not be registered: {failed}; the same command tries again:")
        lines += screens.limited(f"  {failure}" for failure in done.registrations.failed)
    return [*lines, *(f"{dataset}: {start}" for dataset, start in done.started.items())]


def _as_json(where: str, done: Backfilled) -> dict[str, Any]:
    return {
        "prefix": where,
        **{name: getattr(done.registrations, name) for name in ("registered", "known", "refused")},
        "failed": [
            {"key": failure.key, "error": str(failure.error)} for failure in done.registrations.failed
        ],
        "resumed_after": done.resumed_after or None,
        "started": {dataset: asdict(start) for dataset, start in done.started.items()},
    }
