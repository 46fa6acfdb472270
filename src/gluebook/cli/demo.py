"""The demonstration: made-up tickets and logs with a known truth, through the whole chain, compared to the row."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.table import Table

from gluebook.aws.objects import Objects
from gluebook.aws.services import Warehouse
from gluebook.cli.cost_command import deployed_stack
from gluebook.cli.laptop import Laptop
from gluebook.core.cost import Cost, cost
from gluebook.core.model import Counts
from gluebook.operations.status import Overview
from gluebook.sample import Sample, Truth


@dataclass(frozen=True)
class Check:
    """One thing that is known about the sample, and what the warehouse or the ledger says."""

    what: str
    expected: Any
    found: Any

    @property
    def holds(self) -> bool:
        """Whether they agree."""
        return bool(self.expected == self.found)


def send(sample: Sample, laptop: Laptop) -> None:
    """Upload the sample's files under the keys they were made for."""
    bucket = laptop.deployment.outputs["RawBucket"]
    objects = Objects()
    with tempfile.TemporaryDirectory(prefix="gluebook-demo-") as folder:
        for file in sample.files:
            path = Path(folder) / "file"
            path.write_bytes(file.body)
            objects.upload(path, bucket, file.key)


def checks(truth: Truth, seen: Overview, warehouse: Warehouse) -> list[Check]:
    """Everything the truth says, against what came out."""
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
    """File by file: what was read, kept, repeated and rejected, and for which reasons."""
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
    """What the same would cost on AWS."""
    glue = laptop.aws.endpoint.client("glue")
    outputs = laptop.deployment.outputs
    jobs = [outputs[name] for name in ("SupportTicketsJob", "AppLogsJob")]
    runs = [run.get("ExecutionTime", 0) for job in jobs for run in glue.get_job_runs(JobName=job)["JobRuns"]]
    crawlers = [outputs[name] for name in ("SupportTicketsCrawler", "AppLogsCrawler")]
    crawls = [c for c in crawlers if "LastCrawl" in glue.get_crawler(Name=c)["Crawler"]]
    loads = [0.0 for batch in seen.batches for _ in range(batch.load_attempts)]
    return cost(runs, [0.0] * len(crawls), loads, deployed_stack({}))


def last_screen(found: list[Check], seen: Overview, warehouse: Warehouse, price: Cost, report: Path) -> Group:
    """What a manager wants to know: what arrived, what is there now, whether it is right, what it costs."""
    wrong = [check for check in found if not check.holds]
    verdict = (
        f"[bold green]All {len(found)} checks against the known truth hold.[/] No row is lost, none is there twice."
        if not wrong
        else f"[bold red]{len(wrong)} of {len(found)} checks against the known truth do not hold.[/]"
    )
    c = seen.totals
    summary = (
        f"{len(seen.files)} files arrived with {c.read:,} records. {c.curated:,} are clean and loaded, "
        f"{c.duplicates:,} were repeats, {c.rejected:,} were set aside with their reasons."
    )
    price_told = (
        f"On AWS this would have cost about ${price.total:.2f}: Glue jobs ${price.jobs:.2f}, "
        f"crawls ${price.crawls:.2f}, Redshift Serverless ${price.warehouse:.2f}."
    )
    lines = [verdict, summary, *(f"[red]{w.what}: expected {w.expected}, found {w.found}[/]" for w in wrong)]
    lines += [price_told, f"Quality report: {report}"]
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
    table = Table(title="Set aside, never dropped", title_justify="left")
    for name in ("dataset", "reason", "records"):
        table.add_column(name, justify="right" if name == "records" else "left")
    counted: dict[tuple[str, str], int] = {}
    for file in seen.files:
        for reason, count in file.reject_reasons.items():
            counted[file.dataset, reason] = counted.get((file.dataset, reason), 0) + count
    for (dataset, reason), count in sorted(counted.items()):
        table.add_row(dataset, reason, f"{count:,}")
    return table
