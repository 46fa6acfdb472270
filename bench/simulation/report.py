"""A simulated day on the screen and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.simulation.measured import measured
from bench.simulation.options import Options
from bench.simulation.outcome import Figures

_SHOWN_LIMITS = 12


def to_json(options: Options, found: Figures) -> dict[str, Any]:
    """What was asked for and what was found."""
    return {"options": asdict(options), "throughput_measured_in": measured().run, **found.to_json()}


def show(options: Options, found: Figures, console: Console) -> None:
    """Two tables and what to make of them."""
    console.print(_figures(options, found))
    console.print(_limits(found))
    console.print(summary(found))
    if found.files_of_each > 1:
        console.print(
            f"Each simulated file version stands for {found.files_of_each} files; "
            "ledger, S3 and queue are counted by file."
        )


def summary(found: Figures) -> str:
    """The slowest stage and the limit that is reached first, in words."""
    verb = "are" if found.slowest == "loads" else "is"
    busy = f"The {found.slowest} {verb} busiest, {found.busy[found.slowest]:.0%} of the time"
    waiting = (
        f"; {found.files['waiting']:,} files still wait after {found.days:g} days"
        if found.files["waiting"]
        else ""
    )
    if found.first is None:
        nearest = max(found.limits, key=lambda each: each.share)
        return f"{busy}{waiting}. No limit is reached; the nearest is {nearest.name}, {nearest.share:.0%}."
    [first] = [each for each in found.limits if each.name == found.first]
    return (
        f"{busy}{waiting}. The first limit that is reached is {first.name}: {first.most:g} {first.unit}. "
        f"To change: {first.change}."
    )


def duration(seconds: float) -> str:
    """A time in words, such as 1 min 30 s."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    if seconds < 2 * 86_400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.1f} days"


def _figures(options: Options, found: Figures) -> Table:
    table = Table(
        title=f"{options.files:,} files, {options.size / 1000:,.0f} GB, {options.arrivals}",
        title_justify="left",
    )
    table.add_column("what")
    table.add_column("figure", justify="right")
    rows: list[tuple[str, str]] = [
        *((f"files {name}", f"{number:,}") for name, number in found.files.items()),
        *((f"from arrival to rows, {name}", duration(seconds)) for name, seconds in found.latency.items()),
        ("days until all is settled", f"{found.days:g}"),
        ("job runs, those that died", f"{found.runs['number']:,}, {found.runs['died']:,}"),
        (
            "files, megabytes, seconds of a run",
            ", ".join(f"{found.runs[n]:,.0f}" for n in ("files", "megabytes", "seconds")),
        ),
        ("loads, those that failed", f"{found.statements['loads']:,}, {found.statements['failed']:,}"),
        ("longest wait of a load for the one before", duration(found.statements["longest_wait"])),
        ("messages in the queue at most", f"{found.queue['deepest']:,}"),
        *((f"invocations of {name}", f"{each['invocations']:,}") for name, each in found.functions.items()),
        (
            "ledger: requests, writes, reads",
            ", ".join(f"{found.ledger.get(n, 0):,}" for n in ("requests", "writes", "reads")),
        ),
        ("S3: reads, writes", ", ".join(f"{sum(found.store[n].values()):,}" for n in ("reads", "writes"))),
        *((f"busy: {stage}", f"{share:.0%}") for stage, share in found.busy.items()),
        *((f"USD: {name}", f"{usd:,.2f}") for name, usd in found.usd.items()),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def _limits(found: Figures) -> Table:
    table = Table(title="limits, those reached first, then the nearest", title_justify="left")
    for name in ("limit", "most", "peak", "share", "reached after", "held back", "where", "source"):
        table.add_column(name, justify="right" if name in ("most", "peak", "share") else "left")
    for each in found.limits[:_SHOWN_LIMITS]:
        reached = "" if each.reached_at is None else duration(each.reached_at)
        held = duration(each.held) if each.held else ""
        table.add_row(
            each.name,
            f"{each.most:,g} {each.unit}",
            f"{each.peak:,g}",
            f"{each.share:.0%}",
            reached,
            held,
            each.where,
            each.source,
        )
    return table
