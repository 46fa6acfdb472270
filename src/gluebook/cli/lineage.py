"""`gluebook lineage`: OpenLineage events of every final batch."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gluebook.aws.objects import Objects
from gluebook.aws.sessions import new_session
from gluebook.cli import options, screens
from gluebook.cli.deployment import Deployment, connect
from gluebook.contracts import contract
from gluebook.core.model import Batch
from gluebook.deployment.build import project_root
from gluebook.errors import ConfigurationError, TerminalError
from gluebook.operations.status import FileStatus, Overview
from gluebook.quality.report import GateReport

if TYPE_CHECKING:  # slow to import
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import RunEvent


def lineage(
    dataset: Annotated[
        str | None, typer.Option(help=f"Write events of this dataset only: {options.DATASETS}.")
    ] = None,
    since: Annotated[
        datetime | None, options.day("--from", text="Write events of batches created on this day or later.")
    ] = None,
    until: Annotated[
        datetime | None, options.day("--to", text="Write events of batches created on this day or earlier.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write to this file; the default is build/lineage/events.jsonl."),
    ] = None,
    as_json: options.JSON = False,
) -> None:
    """Write where rows came from and went as OpenLineage events, to a file or to the client's configured transport.

    Example: gluebook lineage --dataset app_logs --from 2026-01-05
    """
    if dataset is not None:
        contract(dataset)
    if since and until and since > until:
        raise ConfigurationError(f"--from {since:%Y-%m-%d} is after --to {until:%Y-%m-%d}")
    file = output or project_root() / "build" / "lineage" / "events.jsonl"
    deployment = connect()
    seen = deployment.overview()
    batches = [
        batch for batch in seen.batches if dataset in (None, batch.dataset) and _created(batch, since, until)
    ]
    part = file.with_name(f"{file.name}.part")
    client, place = _client(file, part)
    emitted: Counter[str] = Counter()
    try:
        for event in _events(batches, seen, deployment):
            client.emit(event)
            emitted[str(event.eventType.value if event.eventType else "")] += 1
        client.close()
        if part.exists():
            part.replace(file)
    # The client's transports raise whatever their libraries do.
    except Exception as error:
        raise TerminalError(f"lineage events could not be sent to {place}: {error}") from error
    if as_json:
        options.print_json({"to": place, "batches": len(batches), "events": dict(emitted)})
    else:
        screens.out.print(
            f"{sum(emitted.values())} events of {len(batches)} batches: {place}", soft_wrap=True
        )


def _created(batch: Batch, since: datetime | None, until: datetime | None) -> bool:
    day = batch.created_at[:10]
    return (since is None or day >= f"{since:%Y-%m-%d}") and (until is None or day <= f"{until:%Y-%m-%d}")


def _events(batches: list[Batch], seen: Overview, deployment: Deployment) -> Iterator[RunEvent]:
    from gluebook.operations.lineage import PipelineNames
    from gluebook.operations.lineage import lineage as events_of

    at = PipelineNames(
        raw_bucket=deployment.raw_bucket,
        lake=deployment.lake,
        workgroup=deployment.output("Workgroup"),
        database=deployment.output("WarehouseDatabase"),
        region=new_session().region_name,
    )
    files: dict[str, list[FileStatus]] = defaultdict(list)
    for file in seen.files:
        files[file.batch_id or ""].append(file)
    objects = Objects()
    for batch in batches:
        key = at.lake.quality(batch.dataset, batch.batch_id, batch.reported_epoch)
        stored = objects.get_json(at.lake.bucket, key)
        report = GateReport.from_json(stored) if stored else None
        yield from events_of(batch, files[batch.batch_id], report, at)


def _client(file: Path, part: Path) -> tuple[OpenLineageClient, str]:
    """The client and the place of the events: its configured transport, else `part`, which is renamed to `file`."""
    from openlineage.client import OpenLineageClient
    from openlineage.client.transport.file import FileConfig, FileTransport

    # Without a configuration it warns, and this command writes to a file.
    logging.getLogger("openlineage").setLevel(logging.ERROR)
    configured = OpenLineageClient()
    if configured.config.transport or configured.transport.kind != "console":
        return configured, f"{configured.transport.kind} transport of OpenLineage's own configuration"
    file.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    part.touch()  # so that there is a file without any event, too
    transport = FileTransport(FileConfig(log_file_path=str(part), append=True))
    return OpenLineageClient(transport=transport), str(file)
