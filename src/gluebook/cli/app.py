"""The commands. Exit codes: 0 all is well, 1 data or chain are not, 2 wrong usage, 130 Ctrl-C."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from gluebook.build import build, project_root
from gluebook.cli import screens
from gluebook.cli.deployment import connect, existing, forget_laptop, note_laptop
from gluebook.core.keys import raw_key
from gluebook.errors import ConfigurationError, GluebookError, TerminalError
from gluebook.status import states
from localaws.errors import LocalAwsError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

# typer carries its own click and doesn't name the base of its usage errors.
_WrongUsage: Any = typer.BadParameter.__bases__[0]

_JSON = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else there.")]
_DATASET = Annotated[str, typer.Option(help="support_tickets or app_logs.")]
_SOURCE = Annotated[str, typer.Option(help="The system the files come from, such as servicenow or mongod.")]
_DATE = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Date of arrival; today if not given.")
]
_FILES = Annotated[list[Path], typer.Argument(help="Files to send, plain or gzip.")]


def _arrival(given: datetime | None) -> date:
    return given.date() if given else datetime.now(UTC).date()


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n")


@app.command("try")
def try_files(
    files: _FILES,
    dataset: _DATASET,
    source: _SOURCE,
    dt: _DATE = None,
    sql: Annotated[list[str], typer.Option(help="Ask the warehouse afterwards; may be repeated.")] = [],  # noqa: B006
    as_json: _JSON = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the chain.")] = 3600,
) -> None:
    """Send FILES through the whole chain on a throw-away laptop AWS and tell what became of every row."""
    from gluebook.cli.laptop import laptop
    from gluebook.cli.trial import Stopwatch, Trial, run_queries, troubles, wait_until_settled

    paths, arrival, clock = existing(files), _arrival(dt), Stopwatch()
    for path in paths:
        raw_key(dataset, source, arrival, path.name)
    with screens.stage_progress() as progress:

        def begin(stage: str) -> None:
            clock.begin(stage)
            progress.tell(stage)

        with laptop(begin) as running:
            begin("upload")
            progress.expect(len(paths))
            for path in paths:
                running.deployment.upload(path, dataset, source, arrival)
            seen = wait_until_settled(running, len(paths), clock, timeout, progress.watch)
            begin("query")
            wrong = troubles(running, seen, len(paths))
            trial = Trial(seen, run_queries(running.deployment, sql, wrong), clock.stages, wrong)
            begin("stop")
        clock.end()
    if as_json:
        _print_json(trial.as_json())
    else:
        screens.out.print(screens.files_table(seen.files, "files"))
        for asked, rows in trial.queries:
            screens.out.print(screens.rows_table(asked, rows))
        screens.out.print(screens.stages_table(trial.stages))
        for trouble in trial.troubles:
            screens.err.print(f"[red]{escape(trouble)}[/]")
    if trial.troubles:
        raise typer.Exit(1)


@app.command()
def demo(
    tickets: Annotated[int, typer.Option(help="How many tickets to make up.")] = 400,
    log_lines: Annotated[int, typer.Option(help="How many log lines to make up.")] = 4000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 7,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the chain.")] = 3600,
) -> None:
    """Make up messy tickets and logs, send them through the chain, and check the warehouse to the row."""
    from gluebook.cli import demo as demonstration
    from gluebook.cli.laptop import laptop
    from gluebook.cli.trial import Stopwatch, troubles, wait_until_settled
    from gluebook.sample import generate

    clock = Stopwatch()
    reports = project_root() / "build" / "demo" / "quality"
    with screens.stage_progress() as progress:

        def begin(stage: str) -> None:
            clock.begin(stage)
            progress.tell(stage)

        begin("generate")
        sample = generate(seed=seed, tickets=tickets, log_lines=log_lines)
        with laptop(begin) as running:
            begin("upload")
            progress.expect(len(sample.files))
            demonstration.send(sample, running)
            seen = wait_until_settled(running, len(sample.files), clock, timeout, progress.watch)
            begin("query")
            warehouse = running.deployment.warehouse
            wrong = troubles(running, seen, len(sample.files))
            if wrong:
                raise TerminalError("\n".join(wrong))
            found = demonstration.checks(sample.truth, seen, warehouse)
            price = demonstration.cost_of(running, seen)
            demonstration.save_quality_reports(running, seen, reports)
            screen = demonstration.last_screen(found, seen, warehouse, price, reports)
            begin("stop")
        clock.end()
    screens.out.print(screens.stages_table(clock.stages))
    screens.out.print(screen)
    if not all(check.holds for check in found):
        raise typer.Exit(1)


@app.command()
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


@app.command()
def up(port: Annotated[int, typer.Option(help="Port to listen on; a free one if 0.")] = 0) -> None:
    """Run AWS on this machine with the pipeline deployed, until Ctrl-C."""
    from gluebook.cli.laptop import laptop

    with screens.stage_progress() as progress:
        context = laptop(progress.tell, port=port)
        running = context.__enter__()
    try:
        endpoint = running.aws.endpoint
        note_laptop(endpoint.environment(), running.deployment.outputs)
        screens.out.print(f"AWS is up at [bold]{endpoint.url}[/]; Ctrl-C stops it. In another terminal:")
        screens.out.print("  gluebook upload FILE --dataset support_tickets --source servicenow")
        screens.out.print("  gluebook status")
        screens.out.print('  gluebook query "select count(*) from support_tickets"')
        signal.pause()
    except KeyboardInterrupt:
        screens.out.print("stopping")
    finally:
        forget_laptop()
        context.__exit__(None, None, None)


@app.command()
def upload(
    files: _FILES, dataset: _DATASET, source: _SOURCE, dt: _DATE = None, as_json: _JSON = False
) -> None:
    """Put FILES into the raw bucket, named by the convention; the chain does the rest."""
    deployment = connect()
    paths, arrival = existing(files), _arrival(dt)
    keys = [deployment.upload(path, dataset, source, arrival) for path in paths]
    if as_json:
        _print_json({"bucket": deployment.outputs["RawBucket"], "keys": keys})
    else:
        for key in keys:
            screens.out.print(f"s3://{deployment.outputs['RawBucket']}/{key}", soft_wrap=True)


@app.command()
def status(
    failed: Annotated[bool, typer.Option("--failed", help="Only what a person should look at.")] = False,
    as_json: _JSON = False,
) -> None:
    """Tell what became of every file version, and why."""
    from gluebook.cli.trial import Trial

    seen = connect().overview()
    files = screens.troubled(seen.files) if failed else seen.files
    if as_json:
        shown = Trial(type(seen)(files, seen.batches), [], {}).as_json()
        _print_json({name: shown[name] for name in ("files", "totals", "loads")})
    elif not files:
        screens.out.print("Nothing has arrived yet." if not seen.files else "All is well.")
    else:
        screens.out.print(screens.files_table(files, "files"))
        screens.out.print(", ".join(f"{count} {state}" for state, count in states(seen.files).items()))


@app.command()
def query(sql: str, as_json: _JSON = False) -> None:
    """Run one SQL statement in the warehouse."""
    rows = connect().warehouse.query(sql)
    if as_json:
        _print_json({"sql": sql, "columns": list(rows.columns), "rows": [list(row) for row in rows.rows]})
    else:
        screens.out.print(screens.rows_table(sql, rows))


@app.command()
def export(
    notebooks: Annotated[list[Path], typer.Argument(help="Job notebooks; all of them if not given.")] = [],  # noqa: B006
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a script differs.")] = False,
) -> None:
    """Write the Glue job scripts from the job notebooks."""
    from gluebook.notebook.export import drift
    from gluebook.notebook.export import export as export_notebook

    root = project_root()
    drifted = False
    for notebook in notebooks or sorted((root / "notebooks" / "jobs").glob("*.ipynb")):
        shown_as = f"notebooks/jobs/{notebook.name}"
        script = root / "glue" / f"{notebook.stem}.py"
        difference = drift(notebook, script, shown_as)
        if check:
            drifted |= bool(difference)
            sys.stdout.write(difference)
        elif difference:
            script.write_text(export_notebook(notebook, shown_as), encoding="utf-8")
            screens.out.print(f"wrote {script.relative_to(root)}")
    if drifted:
        screens.err.print("The scripts are not what the notebooks say; run `gluebook export`.")
        raise typer.Exit(1)


@app.command("build")
def build_artefacts(as_json: _JSON = False) -> None:
    """Build the wheel that jobs run and the layer that functions run."""
    made = build(project_root())
    if as_json:
        _print_json({"wheel": str(made.wheel), "wheel_key": made.wheel_key, "layer": str(made.layer)})
    else:
        screens.out.print(f"{made.wheel}\n{made.layer}", soft_wrap=True)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; errors that are meant for people are shown without a traceback."""
    # The laptop's AWS has its own logs, for those who want to look into it: LOCALAWS_LOG=INFO.
    wanted = os.environ.get("LOCALAWS_LOG", "").upper()
    if wanted:
        logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("localaws").setLevel(wanted or "CRITICAL")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except _WrongUsage as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        screens.err.print("interrupted; everything is stopped")
        sys.exit(130)
    except ConfigurationError as error:
        screens.err.print(f"[red]{escape(str(error))}[/]")
        sys.exit(2)
    except (GluebookError, LocalAwsError, ClientError, BotoCoreError, OSError) as error:
        screens.err.print(f"[red]{escape(str(error))}[/]")
        sys.exit(1)
