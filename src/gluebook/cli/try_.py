"""`gluebook try`: send files through the whole chain on a laptop AWS of their own."""

from __future__ import annotations

from typing import Annotated

import typer

from gluebook.cli import options, screens
from gluebook.cli.deployment import existing
from gluebook.cli.screens import refusals
from gluebook.cli.screens.progress import stages
from gluebook.core.keys import raw_key


def try_(
    files: options.FILES,
    dataset: options.DATASET,
    source: options.SOURCE,
    dt: options.DATE = None,
    sql: Annotated[
        list[str], typer.Option(help="Run this SQL in the warehouse at the end; repeat the option for more.")
    ] = [],  # noqa: B006
    as_json: options.JSON = False,
    timeout: options.TIMEOUT = 3600,
    cold: options.COLD = False,
) -> None:
    """Send FILES through the whole chain on a temporary laptop AWS and account for every record.

    Exits with 1 if a file is not loaded, or a deployed role was refused a request.

    Example: gluebook try mongod.log.gz --dataset app_logs --source mongod --sql "select count(*) from app_logs"
    """
    from gluebook.cli.laptop import laptop
    from gluebook.cli.laptop.trial import Trial, problems, run_queries, wait_until_settled

    paths, arrival = existing(files), options.arrival(dt)
    for path in paths:
        raw_key(dataset, source, arrival, path.name)
    with stages() as staged, laptop(staged.begin, cold=cold) as running:
        staged.begin("upload")
        staged.progress.expect(len(paths))
        for path in paths:
            running.deployment.upload(path, dataset, source, arrival)
        seen = wait_until_settled(running, len(paths), staged, timeout)
        staged.begin("query")
        found = problems(running, seen, len(paths))
        queries = run_queries(running.deployment, sql, found)
        report = running.aws.report()
        staged.begin("stop")
    trial = Trial(seen, queries, staged.clock.seconds, found, report)
    refused = refusals.refusals(report)
    if as_json:
        options.print_json(trial.as_json())
    else:
        screens.out.print(screens.files_table(seen.files, "files"))
        for statement, rows in trial.queries:
            screens.out.print(screens.rows_table(statement, rows))
        screens.out.print(screens.stages_table(trial.stages))
        for problem in trial.problems:
            screens.show_error(problem)
        refusals.show(refused)
    if trial.problems or refused:
        raise typer.Exit(1)
