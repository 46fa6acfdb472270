"""`gluebook logs`: the logs of job runs and functions."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from gluebook.aws.logs import JOB_GROUPS, LogLine, function_group
from gluebook.aws.sessions import new_session
from gluebook.cli import options, screens
from gluebook.cli.deployment import FUNCTION_OUTPUTS, Deployment, connect
from gluebook.clock import utc_now
from gluebook.core.timestamps import utc_timestamp
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.errors import ConfigurationError

_NAMES = (*JOB_OUTPUTS, *FUNCTION_OUTPUTS)


def logs(
    what: Annotated[
        str | None,
        typer.Argument(
            help=f"Show the log of this job, by its dataset, or function: {', '.join(_NAMES)}. The default lists "
            "where CloudWatch Logs keeps each."
        ),
    ] = None,
    run: Annotated[
        str | None, typer.Option(help="Show the job run with this id; the default is the last one.")
    ] = None,
    lines: Annotated[
        int, typer.Option(min=1, max=10_000, help="Show at most this many of the last lines.")
    ] = 200,
    hours: Annotated[float, typer.Option(help="Search a function's log this many hours back.")] = 24,
    as_json: options.JSON = False,
) -> None:
    """Show the log of a job run or a function, or where CloudWatch Logs keeps the logs.

    Example: gluebook logs app_logs --lines 50
    """
    if what is not None and what not in _NAMES:
        raise ConfigurationError(f"no logs of {what!r}; there are logs of {', '.join(_NAMES)}")
    deployment = connect()
    if what is None:
        _show_places(deployment, as_json)
        return
    place, found = (
        _of_job(deployment, what, run, lines)
        if what in JOB_OUTPUTS
        else _of_function(deployment, what, hours, lines)
    )
    if as_json:
        shown = [{"at": utc_timestamp(line.at), "stream": line.stream, "text": line.text} for line in found]
        options.print_json({"place": place, "lines": shown})
        return
    screens.err.print(f"CloudWatch Logs: {place}", soft_wrap=True, markup=False, highlight=False)
    for line in found:
        for text in line.text.splitlines():
            screens.out.print(screens.plain(text), soft_wrap=True, highlight=False)


def _of_job(deployment: Deployment, dataset: str, run: str | None, most: int) -> tuple[str, list[LogLine]]:
    job = deployment.output(JOB_OUTPUTS[dataset])
    if run is None:
        runs = new_session().client("glue").get_job_runs(JobName=job, MaxResults=50)["JobRuns"]
        if not runs:
            raise ConfigurationError(f"job {job} has not run yet")
        run = str(max(runs, key=lambda one: one["StartedOn"])["Id"])
    found = [line for group in JOB_GROUPS for line in deployment.logs.of_run(group, run, most)]
    return f"{' and '.join(JOB_GROUPS)}, streams {run}*", found[-most:]


def _of_function(deployment: Deployment, name: str, hours: float, most: int) -> tuple[str, list[LogLine]]:
    group = function_group(deployment.output(FUNCTION_OUTPUTS[name]))
    return group, deployment.logs.since(group, utc_now() - timedelta(hours=hours), most)


def _show_places(deployment: Deployment, as_json: bool) -> None:
    groups = {name: function_group(deployment.output(output)) for name, output in FUNCTION_OUTPUTS.items()}
    places = {**dict.fromkeys(JOB_OUTPUTS, " and ".join(JOB_GROUPS)), **groups}
    if as_json:
        options.print_json({"places": places})
        return
    for name, place in places.items():
        screens.out.print(f"{name:<16} {place}", soft_wrap=True, markup=False, highlight=False)
