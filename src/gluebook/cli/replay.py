"""`gluebook replay`: process file versions again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from gluebook.cli import options, screens
from gluebook.cli.deployment import connect, raw_place
from gluebook.cli.screens.progress import stage_progress
from gluebook.core.model import Batch, FileVersion
from gluebook.core.replaying import Replay
from gluebook.errors import ConfigurationError
from gluebook.operations.replay import Replayed, replay_of_dataset, replay_of_files
from gluebook.operations.replay import replay as replay_step


def replay(
    file: Annotated[
        list[str],
        typer.Option(
            "--file",
            help="Replay all versions of this raw key or s3:// URI; repeat the option for more files.",
        ),
    ] = [],  # noqa: B006
    version_id: Annotated[
        str | None, typer.Option("--version-id", help="Replay only this version of the file.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help=f"Replay all files of this dataset: {options.DATASETS}.")
    ] = None,
    since: options.ARRIVED_FROM = None,
    until: options.ARRIVED_TO = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be replayed, and change nothing.")
    ] = False,
    as_json: options.JSON = False,
) -> None:
    """Process file versions again, together with those in the same batches.

    Nothing changes if the result is the same. Exits with 1 if no file version can be replayed.

    Example: gluebook replay --dataset app_logs --from 2026-01-01 --to 2026-01-31 --dry-run
    """
    _check_choice(file, version_id, dataset, since, until)
    deployment = connect()
    work = deployment.operations()
    with stage_progress() as progress:
        progress.show("Looking for the file versions")
        if dataset:
            plan = replay_of_dataset(dataset, options.iso_day(since), options.iso_day(until), work)
        else:
            keys = [raw_place(one, deployment.raw_bucket) for one in file]
            plan = replay_of_files(keys, version_id, work)
        done = None
        if not dry_run:
            progress.show("Reopening batches")
            done = replay_step(plan, work)
    if as_json:
        options.print_json(_as_json(plan, done))
    else:
        for line in _lines(plan, done):
            screens.show(line)
    if not (plan.repeat or plan.readmit or plan.under_way):
        raise typer.Exit(1)


def _check_choice(
    file: list[str], version_id: str | None, dataset: str | None, since: object, until: object
) -> None:
    if bool(file) == bool(dataset):
        raise ConfigurationError("name what to replay: either --file KEY, or --dataset DATASET")
    if version_id and len(file) != 1:
        raise ConfigurationError("--version-id goes with exactly one --file")
    if file and (since or until):
        raise ConfigurationError("--from and --to go with --dataset")


def _lines(plan: Replay, done: Replayed | None) -> list[str]:
    """What was done, or without `done` what would be."""
    lines = []
    if plan.reopen:
        verb = "Replayed" if done else "Would replay"
        batches = screens.counted(plan.reopen, "batch")
        lines.append(f"{verb} {screens.counted(plan.repeat, 'file version')} in {batches}:")
        lines += screens.limited(f"  {batch.batch_id}: {_generations(batch)}" for batch in plan.reopen)
    for heading, files, details in (
        ("Replayed with them, because they are in the same batches", plan.included, ()),
        ("Refused for their key before, and have a source now", plan.readmit, map(_named, plan.readmit)),
        ("Left alone, because they are being processed", plan.under_way, ()),
        ("Left out, because a newer version is loaded", plan.superseded, ()),
        ("Cannot be replayed", plan.refused, (f"{_named(no.file)}: {no.reason}" for no in plan.refused)),
    ):
        if files:
            lines.append(f"{heading}: {screens.counted(files, 'file version')}")
            lines += screens.limited(details)
    if done and done.already_reopened:
        lines.append(
            f"Reopened by another caller meanwhile: {screens.counted(done.already_reopened, 'batch')}"
        )
    return [*lines, *(f"{dataset}: {start}" for dataset, start in (done.started if done else {}).items())]


def _as_json(plan: Replay, done: Replayed | None) -> dict[str, Any]:
    return {
        "dry_run": done is None,
        "chosen": plan.chosen,
        "batches": [
            {"batch_id": b.batch_id, "state": b.state, "generation": b.generation} for b in plan.reopen
        ],
        **{
            name: [_file_json(file) for file in files]
            for name, files in (
                ("repeat", plan.repeat),
                ("riding", plan.included),
                ("readmit", plan.readmit),
                ("under_way", plan.under_way),
                ("superseded", plan.superseded),
            )
        },
        "refused": [{**_file_json(refusal.file), "reason": refusal.reason} for refusal in plan.refused],
        "started": asdict(done)["started"] if done else {},
    }


def _generations(batch: Batch) -> str:
    return f"{batch.state} in generation {batch.generation}, next is {batch.generation + 1}"


def _named(file: FileVersion) -> str:
    return f"  {file.key} ({file.version_id})"


def _file_json(file: FileVersion) -> dict[str, Any]:
    return {"key": file.key, "version_id": file.version_id, "batch_id": file.batch_id}
