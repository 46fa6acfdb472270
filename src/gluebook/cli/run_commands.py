"""Commands that run AWS on this machine: try, demo, up; and sample, which makes files to send there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from gluebook.cli import options, refusals, screens
from gluebook.cli.deployment import existing
from gluebook.cli.stages import stages
from gluebook.core.keys import raw_key
from gluebook.deployment.build import project_root
from gluebook.errors import TerminalError

_LOOK_SECONDS = 1.0


def try_files(
    files: options.FILES,
    dataset: options.DATASET,
    source: options.SOURCE,
    dt: options.DATE = None,
    sql: Annotated[list[str], typer.Option(help="Ask the warehouse afterwards; may be repeated.")] = [],  # noqa: B006
    as_json: options.JSON = False,
    timeout: options.TIMEOUT = 3600,
) -> None:
    """Send FILES through the whole chain on a throw-away laptop AWS and tell what became of every row."""
    from gluebook.cli.laptop import laptop
    from gluebook.cli.trial import Trial, run_queries, troubles, wait_until_settled

    paths, arrival = existing(files), options.arrival(dt)
    for path in paths:
        raw_key(dataset, source, arrival, path.name)
    with stages() as staged, laptop(staged.begin) as running:
        staged.begin("upload")
        staged.progress.expect(len(paths))
        for path in paths:
            running.deployment.upload(path, dataset, source, arrival)
        seen = wait_until_settled(running, len(paths), staged, timeout)
        staged.begin("query")
        wrong = troubles(running, seen, len(paths))
        queries = run_queries(running.deployment, sql, wrong)
        report = running.aws.report()
        staged.begin("stop")
    trial = Trial(seen, queries, staged.clock.seconds, wrong, report)
    refused = refusals.refusals(report)
    if as_json:
        options.print_json(trial.as_json())
    else:
        screens.out.print(screens.files_table(seen.files, "files"))
        for asked, rows in trial.queries:
            screens.out.print(screens.rows_table(asked, rows))
        screens.out.print(screens.stages_table(trial.stages))
        for trouble in trial.troubles:
            screens.err.print(f"[red]{screens.plain(trouble)}[/]")
        refusals.show(refused)
    if trial.troubles or refused:
        raise typer.Exit(1)


def demo(
    tickets: Annotated[int, typer.Option(help="How many tickets to make up.")] = 400,
    log_lines: Annotated[int, typer.Option(help="How many log lines to make up.")] = 4000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 7,
    timeout: options.TIMEOUT = 3600,
) -> None:
    """Make up messy tickets and logs, send them through the chain, and check the warehouse to the row."""
    from gluebook.cli import demo as demonstration
    from gluebook.cli.laptop import laptop
    from gluebook.cli.report_command import make_report
    from gluebook.cli.trial import troubles, wait_until_settled
    from gluebook.notebook.execute import KERNEL
    from gluebook.sample import generate

    reports = project_root() / "build" / "demo" / "reports"
    with stages() as staged:
        staged.begin("generate")
        made = generate(seed=seed, tickets=tickets, log_lines=log_lines)
        with laptop(staged.begin) as running:
            staged.begin("upload")
            staged.progress.expect(len(made.files))
            demonstration.send(made, running)
            seen = wait_until_settled(running, len(made.files), staged, timeout)
            staged.begin("query")
            warehouse = running.deployment.warehouse
            wrong = troubles(running, seen, len(made.files))
            if wrong:
                raise TerminalError("\n".join([*wrong, *refusals.refusals(running.aws.report())]))
            found = demonstration.checks(made.truth, seen, warehouse)
            price = demonstration.cost_of(running, seen)
            staged.begin("report")
            for day in sorted({file.dt for file in made.files}):
                _, page = make_report(running.deployment, day, reports, KERNEL, lambda _: None)
            screen = demonstration.last_screen(found, seen, warehouse, price, page)
            refused = refusals.refusals(running.aws.report())
            staged.begin("stop")
    screens.out.print(screens.stages_table(staged.clock.seconds))
    screens.out.print(screen)
    refusals.show(refused)
    if refused or not all(check.holds for check in found):
        raise typer.Exit(1)


def sample(
    folder: Annotated[Path, typer.Argument(help="Where to write; must be empty or new.")],
    tickets: Annotated[int, typer.Option(help="How many tickets to make up.")] = 400,
    log_lines: Annotated[int, typer.Option(help="How many log lines to make up.")] = 4000,
    days: Annotated[int, typer.Option(help="Over how many days.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 7,
) -> None:
    """Write made-up tickets and logs with their known truth (truth.json)."""
    from gluebook.sample import iter_files, write_files

    truth = write_files(iter_files(seed=seed, tickets=tickets, log_lines=log_lines, days=days), folder)
    screens.out.print(f"{len(truth.files)} files and truth.json are in {folder}", soft_wrap=True)


def up(port: Annotated[int, typer.Option(help="Port to listen on; a free one if 0.")] = 0) -> None:
    """Run AWS on this machine with the pipeline deployed, until Ctrl-C."""
    from gluebook.cli.laptop import standing_laptop

    with standing_laptop(port=port) as running:
        url = running.aws.endpoint.url
        watch = refusals.RefusalWatch(running.aws.report)
        try:
            screens.out.print(f"AWS is up at [bold]{url}[/]; Ctrl-C stops it. In another terminal:")
            screens.out.print("  gluebook upload FILE --dataset support_tickets --source servicenow")
            screens.out.print("  gluebook status")
            screens.out.print('  gluebook query "select count(*) from support_tickets"')
            while True:
                time.sleep(_LOOK_SECONDS)
                watch.look()
        except KeyboardInterrupt:
            screens.out.print("stopping")
        refused = refusals.refusals(running.aws.report())
    refusals.show(refused)
    if refused:
        raise typer.Exit(1)
