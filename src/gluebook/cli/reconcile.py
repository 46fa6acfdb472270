"""`gluebook reconcile`: compare bucket, ledger, lake and warehouse."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from gluebook.cli import options, screens
from gluebook.cli.deployment import connect
from gluebook.cli.screens import plain
from gluebook.cli.screens.progress import stage_progress
from gluebook.core.differences import EXPLANATIONS, Difference, grouped
from gluebook.operations.reconcile import Findings
from gluebook.operations.reconcile import reconcile as reconcile_step
from gluebook.operations.repair import Repaired
from gluebook.operations.repair import repair as repair_step


def reconcile(
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair the differences whose repair needs no decision.")
    ] = False,
    as_json: options.JSON = False,
) -> None:
    """Compare bucket, ledger, lake and warehouse; exits with 1 if a difference remains.

    Example: gluebook reconcile --repair
    """
    scope = connect().operations()
    with stage_progress() as progress:
        findings = reconcile_step(scope, progress.show)
        done = repair_step(findings, scope, progress.show) if repair and findings.differences else None
    if as_json:
        options.print_json(_as_json(findings, done))
    else:
        screens.out.print(_text(findings, done), soft_wrap=True)
    if done.remaining if done else findings.differences:
        raise typer.Exit(1)


def _text(findings: Findings, done: Repaired | None) -> str:
    """The differences by kind, with their meaning and what to do; then what was repaired and what remains."""
    if not findings.differences:
        return "Bucket, ledger, lake and warehouse agree."
    lines = []
    for kind, differences in grouped(findings.differences).items():
        explanation = EXPLANATIONS[kind]
        lines.append(f"[bold]{len(differences):,} {plain(explanation.title)}[/]")
        lines.append(plain(f"  {explanation.meaning}"))
        lines.append(plain(f"  ▸ {explanation.way_out}"))
        lines += map(plain, screens.limited(_line(difference) for difference in differences))
        lines.append("")
    if done is None:
        return "\n".join([*lines, f"{screens.counted(findings.differences, 'difference')}."])
    lines += [f"[green]{plain(what)}[/]" for what in done.done]
    lines += [f"[red]{plain(what)}[/]" for what in done.failed]
    left, every = len(done.remaining), len(findings.differences)
    lines.append(f"{left} of {every} differences remain." if left else "All differences are repaired.")
    return "\n".join(lines)


def _as_json(findings: Findings, done: Repaired | None) -> dict[str, Any]:
    remaining = findings.differences if done is None else done.remaining
    return {
        "differences": [_difference_json(difference) for difference in findings.differences],
        "repaired": list(done.done) if done else [],
        "failed_repairs": list(done.failed) if done else [],
        "remaining": len(remaining),
    }


def _difference_json(difference: Difference) -> dict[str, Any]:
    explanation = EXPLANATIONS[difference.kind]
    return {**asdict(difference), "meaning": explanation.meaning, "way_out": explanation.way_out}


def _line(difference: Difference) -> str:
    return f"    {difference.what}" + (f": {difference.detail}" if difference.detail else "")
