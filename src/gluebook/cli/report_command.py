"""The command for the stakeholder's report: report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gluebook.aws.objects import Objects
from gluebook.cli import options, screens
from gluebook.cli.deployment import Deployment, connect
from gluebook.cli.stages import stage_progress
from gluebook.clock import utc_now
from gluebook.deployment.build import project_root
from gluebook.report.history import Summary

_STYLE = {"yes": "green", "with reservations": "yellow", "no": "red"}
_NO = "no"


def report(
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Date of arrival; today in UTC, else."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder of the pages; build/reports if not given.")
    ] = None,
    publish: Annotated[
        bool,
        typer.Option("--publish/--no-publish", help="Also put them into the lake bucket, below reports/."),
    ] = True,
    kernel: Annotated[str, typer.Option(help="The Jupyter kernel.")] = "gluebook",
    as_json: options.JSON = False,
) -> None:
    """Say on one page whether a day's data can be trusted, and why; exits with 1 if it can't."""
    deployment = connect()
    folder = output or project_root() / "build" / "reports"
    with stage_progress() as progress:
        progress.tell("Running notebooks/reports/data_quality.ipynb")
        summary, page = make_report(deployment, options.arrival(day), folder, kernel, progress.tell)
        places: list[str] = []
        if publish:
            from gluebook.report.site import publish_day

            bucket = deployment.lake.bucket
            progress.tell(screens.plain(f"Publishing to s3://{bucket}/reports/"))
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
        _tell(summary, [str(page), *places])
    if summary.verdict == _NO:
        raise typer.Exit(1)


def make_report(
    deployment: Deployment, day: date, folder: Path, kernel: str, tell: Callable[[str], None]
) -> tuple[Summary, Path]:
    """The report of a day as pages in `folder`: the day in one line, and the path of its page.

    Raises NotebookError, ConfigurationError.
    """
    from gluebook.notebook.deployed import report_defaults
    from gluebook.notebook.execute import execute  # slow to import, as what follows
    from gluebook.report.data_docs import data_docs
    from gluebook.report.page import page
    from gluebook.report.shown import executed
    from gluebook.report.site import write_day

    notebook = project_root() / "notebooks" / "reports" / "data_quality.ipynb"
    for name in ("LakeBucket", "LedgerTable", "Workgroup", "WarehouseDatabase"):
        deployment.output(name)
    parameters = {**report_defaults(deployment.outputs), "day": day.isoformat()}
    # Kept, so that a wrong or missing page can be explained.
    path = project_root() / "build" / "runs" / f"{notebook.stem}-{day}.ipynb"
    execute(notebook, parameters, path, kernel=kernel)
    done = executed(path)
    tell("Rendering the gate's reports")
    summary = done.summary
    reports = {place: _gate_report(*place, deployment) for place in summary.batches}
    docs = {f"expectations/{d}/{b}.html": data_docs(found) for (d, b), found in reports.items() if found}
    html = page(day, summary.made_at, summary.verdict, done.parts)
    return summary, write_day(folder, summary, html, docs, utc_now().isoformat(timespec="seconds"))


def _gate_report(dataset: str, batch_id: str, deployment: Deployment) -> Any:
    """What the gate said of a batch, as it is now; None if it is gone."""
    batch, lake = deployment.ledger.batch(batch_id), deployment.lake
    key = lake.quality(dataset, batch_id, batch.reported_epoch if batch else 0)
    return Objects().get_json(lake.bucket, key)


def _tell(summary: Summary, places: list[str]) -> None:
    style = _STYLE.get(summary.verdict, "default")
    screens.out.print(
        f"[bold {style}]{screens.plain(f'{summary.day}: {summary.headline}')}[/]", soft_wrap=True
    )
    for reason in summary.reasons:
        screens.out.print(f"  {screens.plain(reason)}", soft_wrap=True, highlight=False)
    for place in places:
        screens.out.print(place, soft_wrap=True, highlight=False, markup=False)
