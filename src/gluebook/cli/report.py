"""`gluebook report`: a page that says whether the data of a day can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gluebook.aws.objects import Objects
from gluebook.cli import options, screens
from gluebook.cli.deployment import Deployment, connect
from gluebook.cli.screens.progress import stage_progress
from gluebook.clock import utc_now
from gluebook.deployment.build import project_root
from gluebook.report.history import Summary

_STYLE = {"yes": "green", "with reservations": "yellow", "no": "red"}
_NO = "no"


def report(
    day: Annotated[
        datetime | None,
        options.day(
            "--day", text="Report on the files that arrived on this date; the default is today in UTC."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the pages to this folder; the default is build/reports."),
    ] = None,
    publish: Annotated[
        bool,
        typer.Option(
            "--publish/--no-publish", help="Publish the pages to the lake bucket too, below reports/."
        ),
    ] = True,
    kernel: options.KERNEL = "gluebook",
    as_json: options.JSON = False,
) -> None:
    """Write a page that says whether the data of a day can be trusted, and why; exits with 1 if it cannot.

    Example: gluebook report --day 2026-01-05
    """
    deployment = connect()
    folder = output or project_root() / "build" / "reports"
    with stage_progress() as progress:
        progress.show("Running notebooks/reports/data_quality.ipynb")
        summary, page = make_report(deployment, options.arrival(day), folder, kernel, progress.show)
        places: list[str] = []
        if publish:
            from gluebook.report.site import publish_day

            bucket = deployment.lake.bucket
            progress.show(screens.plain(f"Publishing to s3://{bucket}/reports/"))
            places = publish_day(folder, summary.day, Objects(), bucket, summary.made_at)
    if as_json:
        options.print_json(
            {
                **{name: value for name, value in summary.to_json().items() if name != "batches"},
                "page": str(page),
                "index": str(folder / "index.html"),
                "published": places,
            }
        )
    else:
        _show(summary, [str(page), *places])
    if summary.verdict == _NO:
        raise typer.Exit(1)


def make_report(
    deployment: Deployment, day: date, folder: Path, kernel: str, announce: Callable[[str], None]
) -> tuple[Summary, Path]:
    """Write the report of a day into `folder`; return the summary of the day and the path of its page.

    Raises NotebookError, ConfigurationError.
    """
    from gluebook.notebook.deployed import report_defaults
    from gluebook.notebook.execute import execute  # slow to import, as what follows
    from gluebook.report.data_docs import data_docs, import_renderers
    from gluebook.report.outputs import executed
    from gluebook.report.page import page
    from gluebook.report.site import write_day

    notebook = project_root() / "notebooks" / "reports" / "data_quality.ipynb"
    for name in ("LakeBucket", "LedgerTable", "Workgroup", "WarehouseDatabase"):
        deployment.output(name)
    parameters = {**report_defaults(deployment.outputs), "day": day.isoformat()}
    # Kept, so that readers can check how the page was made, or why there is none.
    path = project_root() / "build" / "runs" / f"{notebook.stem}-{day}.ipynb"
    # While the notebook is executed, in another process, this one has nothing to do.
    with ThreadPoolExecutor(1) as beside:
        imported = beside.submit(import_renderers)
        execute(notebook, parameters, path, kernel=kernel)
        imported.result()
    done = executed(path)
    announce("Rendering the gate's reports")
    summary = done.summary
    reports = {place: _gate_report(*place, deployment) for place in summary.batches}
    docs = {f"expectations/{d}/{b}.html": data_docs(found) for (d, b), found in reports.items() if found}
    html = page(day, summary.made_at, summary.verdict, done.parts)
    return summary, write_day(folder, summary, html, docs, utc_now().isoformat(timespec="seconds"))


def _gate_report(dataset: str, batch_id: str, deployment: Deployment) -> Any:
    """The gate's report on a batch, of its latest run; None if there is none."""
    batch, lake = deployment.ledger.batch(batch_id), deployment.lake
    key = lake.quality(dataset, batch_id, batch.reported_epoch if batch else 0)
    return Objects().get_json(lake.bucket, key)


def _show(summary: Summary, places: list[str]) -> None:
    style = _STYLE.get(summary.verdict, "default")
    screens.out.print(
        f"[bold {style}]{screens.plain(f'{summary.day}: {summary.headline}')}[/]", soft_wrap=True
    )
    for reason in summary.reasons:
        screens.out.print(f"  {screens.plain(reason)}", soft_wrap=True, highlight=False)
    for place in places:
        screens.out.print(place, soft_wrap=True, highlight=False, markup=False)
