"""`gluebook demo`: generated tickets and logs go through the whole chain, and every count is compared."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group
from rich.panel import Panel
from rich.table import Table

from gluebook.aws.objects import Objects
from gluebook.aws.services import Warehouse
from gluebook.cli import options, screens
from gluebook.cli.cost import deployed_stack
from gluebook.cli.screens import refusals
from gluebook.cli.screens.progress import stages
from gluebook.core.cost import Cost, cost
from gluebook.core.model import Counts
from gluebook.deployment.build import project_root
from gluebook.deployment.laptop import CRAWLER_OUTPUTS, JOB_OUTPUTS
from gluebook.errors import TerminalError
from gluebook.operations.status import Overview
from gluebook.sample import Sample, Truth

if TYPE_CHECKING:  # it imports the whole laptop AWS, which most commands don't need
    from gluebook.cli.laptop import Laptop


def demo(
    tickets: options.TICKETS = 400,
    log_lines: options.LOG_LINES = 4000,
    seed: options.SEED = 7,
    timeout: options.TIMEOUT = 3600,
    cold: options.COLD = False,
) -> None:
    """Generate tickets and logs with faults, send them through the chain, and compare the warehouse to the row.

    Exits with 1 if a count differs, or a deployed role was refused a request.

    Example: gluebook demo --tickets 1000 --seed 8
    """
    from gluebook.cli.laptop import laptop
    from gluebook.cli.laptop.trial import problems, wait_until_settled
    from gluebook.cli.report import make_report
    from gluebook.notebook.execute import KERNEL
    from gluebook.sample import Request, generate

    reports = project_root() / "build" / "demo" / "reports"
    with stages() as staged:
        staged.begin("generate")
        made = generate(Request(seed=seed, tickets=tickets, log_lines=log_lines))
        with laptop(staged.begin, cold=cold) as running:
            staged.begin("upload")
            staged.progress.expect(len(made.files))
            send(made, running)
            seen = wait_until_settled(running, len(made.files), staged, timeout)
            staged.begin("query")
            warehouse = running.deployment.warehouse
            wrong = problems(running, seen, len(made.files))
            if wrong:
                raise TerminalError("\n".join([*wrong, *refusals.refusals(running.aws.report())]))
            found = checks(made.truth, seen, warehouse)
            price = cost_of(running, seen)
            staged.begin("report")
            for day in sorted({file.dt for file in made.files}):
                _, page = make_report(running.deployment, day, reports, KERNEL, lambda _: None)
            screen = last_screen(found, seen, warehouse, price, page)
            refused = refusals.refusals(running.aws.report())
            staged.begin("stop")
    screens.out.print(screens.stages_table(staged.clock.seconds))
    screens.out.print(screen)
    refusals.show(refused)
    if refused or not all(check.holds for check in found):
        raise typer.Exit(1)


@dataclass(frozen=True)
class Check:
    """A known number of the sample, and the one that the warehouse or the ledger has."""

    what: str
    expected: Any
    found: Any

    @property
    def holds(self) -> bool:
        """Whether they are equal."""
        return bool(self.expected == self.found)


def send(sample: Sample, laptop: Laptop) -> None:
    """Upload the sample's files under their keys."""
    bucket = laptop.deployment.outputs["RawBucket"]
    objects = Objects()
    with tempfile.TemporaryDirectory(prefix="gluebook-demo-") as folder:
        for file in sample.files:
            path = Path(folder) / "file"
            path.write_bytes(file.body)
            objects.upload(path, bucket, file.key)


def checks(truth: Truth, seen: Overview, warehouse: Warehouse) -> list[Check]:
    """Every number of the truth, compared with the outcome."""
    found = [_file_check(truth, seen)]
    for dataset, rows in sorted(truth.table_rows.items()):
        counted = warehouse.query(f"select count(*) from {dataset}").rows[0][0]
        found.append(Check(f"rows in {dataset}", rows, counted))
        totals = truth.totals[dataset]
        mine = sum((f.counts for f in seen.files if f.dataset == dataset), Counts())
        found += [
            Check(f"{dataset}: {name}", getattr(totals, name), getattr(mine, name))
            for name in ("read", "duplicates", "rejected")
        ]
    grouped = (
        ("support_tickets", "status", truth.tickets_by_status),
        ("support_tickets", "priority", truth.tickets_by_priority),
        ("app_logs", "level", truth.logs_by_level),
    )
    for dataset, column, expected in grouped:
        rows_found = warehouse.query(f"select {column}, count(*) from {dataset} group by {column}").rows
        found.append(Check(f"{dataset} by {column}", dict(expected), dict(rows_found)))
    return found


def _file_check(truth: Truth, seen: Overview) -> Check:
    """Of each file: records read, curated, duplicate and rejected, and the reasons."""
    expected = {
        key: (t.counts.read, t.counts.curated, t.counts.duplicates, t.counts.rejected, dict(t.reject_reasons))
        for key, t in truth.files.items()
    }
    found = {
        f.key: (f.counts.read, f.counts.curated, f.counts.duplicates, f.counts.rejected, f.reject_reasons)
        for f in seen.files
    }
    agree = sum(expected[key] == found.get(key) for key in expected)
    return Check("files whose counts and reject reasons are right", len(expected), agree)


def cost_of(laptop: Laptop, seen: Overview) -> Cost:
    """The cost of the same on AWS."""
    glue = laptop.aws.endpoint.client("glue")
    outputs = laptop.deployment.outputs
    jobs = [outputs[name] for name in JOB_OUTPUTS.values()]
    runs = [run.get("ExecutionTime", 0) for job in jobs for run in glue.get_job_runs(JobName=job)["JobRuns"]]
    crawlers = [outputs[name] for name in CRAWLER_OUTPUTS.values()]
    crawls = [c for c in crawlers if "LastCrawl" in glue.get_crawler(Name=c)["Crawler"]]
    loads = [0.0 for batch in seen.batches for _ in range(batch.load_attempts)]
    return cost(runs, [0.0] * len(crawls), loads, deployed_stack({}))


def last_screen(found: list[Check], seen: Overview, warehouse: Warehouse, price: Cost, report: Path) -> Group:
    """What arrived, what is in the warehouse, whether the counts are right, and what it costs."""
    wrong = [check for check in found if not check.holds]
    verdict = (
        f"[bold green]All {len(found)} checks against the known truth hold.[/] No row is lost, none is duplicated."
        if not wrong
        else f"[bold red]{len(wrong)} of {len(found)} checks against the known truth do not hold.[/]"
    )
    c = seen.totals
    summary = (
        f"{len(seen.files)} files arrived with {c.read:,} records. {c.curated:,} are clean and loaded, "
        f"{c.duplicates:,} are duplicates, {c.rejected:,} are quarantined with their reasons."
    )
    price_line = (
        f"On AWS this would have cost about ${price.total:.2f}: Glue jobs ${price.jobs:.2f}, "
        f"crawls ${price.crawls:.2f}, Redshift Serverless ${price.warehouse:.2f}."
    )
    lines = [verdict, summary, *(f"[red]{w.what}: expected {w.expected}, found {w.found}[/]" for w in wrong)]
    lines += [price_line, f"Quality report: {report}"]
    return Group(
        _warehouse_table(warehouse), _rejects_table(seen), Panel.fit("\n".join(lines), title="Gluebook")
    )


def _warehouse_table(warehouse: Warehouse) -> Table:
    table = Table(title="In the warehouse now", title_justify="left")
    for name in ("table", "what", "rows"):
        table.add_column(name, justify="right" if name == "rows" else "left")
    for dataset, column in (("support_tickets", "status"), ("app_logs", "level")):
        sql = f"select {column}, count(*) from {dataset} group by {column} order by 2 desc"
        for number, (value, count) in enumerate(warehouse.query(sql).rows):
            table.add_row(dataset if number == 0 else "", str(value), f"{count:,}")
        table.add_section()
    return table


def _rejects_table(seen: Overview) -> Table:
    table = Table(title="Rejects", title_justify="left")
    for name in ("dataset", "reason", "records"):
        table.add_column(name, justify="right" if name == "records" else "left")
    counted: dict[tuple[str, str], int] = {}
    for file in seen.files:
        for reason, count in file.reject_reasons.items():
            counted[file.dataset, reason] = counted.get((file.dataset, reason), 0) + count
    for (dataset, reason), count in sorted(counted.items()):
        table.add_row(dataset, reason, f"{count:,}")
    return table
