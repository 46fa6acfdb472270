"""`gluebook iam report`: the grants of each deployed role, and whether they are used."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from gluebook.cli import options, screens
from gluebook.cli.screens import refusals
from gluebook.cli.screens.progress import stage_progress
from gluebook.deployment.laptop import running_laptop
from gluebook.errors import ConfigurationError

if TYPE_CHECKING:  # it imports moto
    from localaws.iam import UsageReport

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def _iam() -> None:
    """Show what the deployed roles may do, and what they use."""


@app.command()
def report(
    running: Annotated[
        bool,
        typer.Option(
            "--running", help="Report on the laptop AWS that is up, instead of playing the scenario."
        ),
    ] = False,
    as_json: options.JSON = False,
    timeout: options.TIMEOUT = 1800,
) -> None:
    """Play a scenario that uses every grant, on a temporary laptop AWS; show used and unused grants and refusals.

    Exits with 1 if a grant is unused, or a request was refused.

    Example: gluebook iam report --json
    """
    found = _of_running() if running else _played(timeout)
    if as_json:
        options.print_json(as_values(found))
    else:
        screens.out.print(_table(found))
        for one in found.unused:
            screens.out.print(
                f"unused: {one.role} {one.action} on {one.resource} (statement {one.statement})",
                soft_wrap=True,
                markup=False,
            )
        refusals.show(refusals.refusals(found))
    if refusals.refusals(found) or (found.unused and not running):
        raise typer.Exit(1)


def _of_running() -> UsageReport:
    known = running_laptop()
    if known is not None:
        known.enter()
    found = refusals.of_running_laptop()
    if found is None:
        raise ConfigurationError("no laptop AWS is up. Start one with `gluebook up`")
    return found


def _played(timeout: float) -> UsageReport:
    from gluebook.cli.laptop import laptop
    from gluebook.cli.laptop.scenario import PARAMETERS, play

    with stage_progress() as progress, laptop(progress.show, parameters=PARAMETERS) as made:
        play(made, progress.show, timeout)
        return made.aws.report()


def as_values(found: UsageReport) -> dict[str, Any]:
    """The report as JSON values, with a summary: numbers of grants used, used by AWS only, and unused."""
    summary = {
        "grants": len(found.grants),
        "used": sum(one.count > 0 for one in found.grants),
        "by_aws_only": sum(one.used and not one.count for one in found.grants),
        "unused": len(found.unused),
        "denied": len(refusals.as_json(found)) + len(found.unjudged),
    }
    return {"summary": summary, **found.as_dict()}


def _table(found: UsageReport) -> Table:
    table = Table(title="grants", title_justify="left", show_footer=True)
    counted: dict[str, Counter[str]] = {}
    for one in found.grants:
        kind = "used" if one.count else "by AWS only" if one.used else "unused"
        counted.setdefault(one.role, Counter())[kind] += 1
    for refused in refusals.as_json(found):
        counted.setdefault(refused["role"], Counter())["denied"] += 1
    kinds = ("used", "by AWS only", "unused", "denied")
    table.add_column("role", "all")
    for kind in kinds:
        table.add_column(kind, str(sum(of[kind] for of in counted.values())), justify="right")
    for role, of in sorted(counted.items()):
        table.add_row(role, *(str(of[kind]) for kind in kinds))
    return table
