"""Commands for when something went wrong, or came before: replay, backfill, reconcile."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from gluebook.cli import options, recovery_screens, screens
from gluebook.cli.deployment import connect, raw_place
from gluebook.cli.stages import stage_progress
from gluebook.core.replaying import Replay
from gluebook.errors import ConfigurationError
from gluebook.operations.backfill import backfill as backfill_step
from gluebook.operations.reconcile import reconcile as reconcile_step
from gluebook.operations.register import Registrations
from gluebook.operations.repair import repair as repair_step
from gluebook.operations.replay import replay as replay_step
from gluebook.operations.replay import replay_of_dataset, replay_of_files

_FILE = Annotated[
    list[str], typer.Option("--file", help="A raw key or s3:// URI, all its versions; may be repeated.")
]
_VERSION = Annotated[str | None, typer.Option("--version-id", help="Only this version of the file.")]
_OF = Annotated[str | None, typer.Option("--dataset", help="All files of support_tickets or app_logs.")]
_FROM = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First date of arrival, included.")
]
_TO = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last date of arrival, included.")
]


def replay(
    file: _FILE = [],  # noqa: B006
    version_id: _VERSION = None,
    dataset: _OF = None,
    since: _FROM = None,
    until: _TO = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    as_json: options.JSON = False,
) -> None:
    """Process file versions again, with those that share a batch with them; changes nothing if nothing differs."""
    _check_choice(file, version_id, dataset, since, until)
    deployment = connect()
    work = deployment.operations()
    with stage_progress() as progress:
        progress.tell("Looking for the file versions")
        if dataset:
            plan = replay_of_dataset(dataset, _day(since), _day(until), work)
        else:
            keys = [raw_place(one, deployment.raw_bucket) for one in file]
            plan = replay_of_files(keys, version_id, work)
        done = None
        if not dry_run:
            progress.tell("Opening batches again")
            done = replay_step(plan, work)
    if as_json:
        options.print_json(recovery_screens.replay_json(plan, done))
    else:
        screens.out.print(recovery_screens.replay_told(plan, done), soft_wrap=True)
    if not _comes_again(plan):
        raise typer.Exit(1)


def _check_choice(
    file: list[str], version_id: str | None, dataset: str | None, since: object, until: object
) -> None:
    if bool(file) == bool(dataset):
        raise ConfigurationError("say what to process again: either --file KEY, or --dataset D")
    if version_id and len(file) != 1:
        raise ConfigurationError("--version-id goes with exactly one --file")
    if file and (since or until):
        raise ConfigurationError("--from and --to go with --dataset")


def _day(given: datetime | None) -> str | None:
    return given.date().isoformat() if given else None


def _comes_again(plan: Replay) -> bool:
    return bool(plan.repeat or plan.readmit or plan.under_way)


def backfill(
    prefix: Annotated[
        str, typer.Argument(help="What the raw keys begin with, or an s3:// URI; / for the whole bucket.")
    ],
    restart: Annotated[
        bool, typer.Option("--restart", help="Start over, instead of going on where the last call stopped.")
    ] = False,
    as_json: options.JSON = False,
) -> None:
    """Take in objects that were in the raw bucket before the pipeline; an interrupted call is gone on with.

    Exits with 1 if an object could not be registered; the others are.
    """
    if not prefix:
        raise ConfigurationError("an empty prefix means everything; for the whole bucket say /")
    deployment = connect()
    below = "" if prefix == "/" else raw_place(prefix, deployment.raw_bucket)
    where = f"s3://{deployment.raw_bucket}/{below}"
    work = deployment.operations()
    with stage_progress() as progress:
        progress.tell(screens.plain(f"Listing {where}"))

        def on_page(so_far: Registrations, last: str) -> None:
            counts = f"{so_far.registered:,} registered, {so_far.known:,} known, {so_far.refused:,} refused"
            progress.tell(screens.plain(f"{counts}; at {last}"))

        try:
            done = backfill_step(below, work, restart=restart, on_page=on_page)
        except KeyboardInterrupt:
            screens.err.print("what is registered stays so; the same command goes on from there")
            raise
    if as_json:
        options.print_json(recovery_screens.backfill_json(where, done))
    else:
        screens.out.print(recovery_screens.backfill_told(where, done), soft_wrap=True)
    if done.registrations.failed:
        raise typer.Exit(1)


def reconcile(
    repair: Annotated[
        bool, typer.Option("--repair", help="Resolve the differences that need no decision.")
    ] = False,
    as_json: options.JSON = False,
) -> None:
    """Hold bucket, ledger, lake and warehouse against each other; exits with 1 if a difference remains."""
    scope = connect().operations()
    with stage_progress() as progress:
        findings = reconcile_step(scope, progress.tell)
        done = repair_step(findings, scope, progress.tell) if repair and findings.differences else None
    if as_json:
        options.print_json(recovery_screens.reconcile_json(findings, done))
    else:
        screens.out.print(recovery_screens.reconcile_told(findings, done), soft_wrap=True)
    if done.remaining if done else findings.differences:
        raise typer.Exit(1)
