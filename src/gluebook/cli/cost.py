"""`gluebook cost`: an estimate of what a month costs on AWS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, cast, get_args

import typer
from rich.table import Table

from gluebook.cli import options, screens
from gluebook.core import prices
from gluebook.core.cost import Line, Stack, Workload, monthly, per_load
from gluebook.core.health import Health
from gluebook.core.loading import CrawlPolicy
from gluebook.deployment.build import project_root
from gluebook.deployment.template import parse_template
from gluebook.errors import ConfigurationError

# After each load of a dataset: rows merged, superseded, retracted; expectations failed, batches rejected.
_LOAD_METRICS = 5
_AT_REST = Workload(0, 0, 0)


def cost(
    files_per_day: Annotated[
        float, typer.Option(min=0, help="Assume this many files a day, of all datasets.")
    ] = 96,
    file_mb: Annotated[
        float, typer.Option(min=0, help="Assume files of this many megabytes, uncompressed.")
    ] = 5,
    deliveries: Annotated[
        float | None,
        typer.Option(min=1, help="Assume this many deliveries a day; the default is one for each file."),
    ] = None,
    set_parameter: Annotated[
        list[str],
        typer.Option("--set", help="Set a template parameter, as NAME=VALUE; repeat the option for more."),
    ] = [],  # noqa: B006
    as_json: options.JSON = False,
) -> None:
    """Estimate what a month costs on AWS at list prices, to compare policies.

    Example: gluebook cost --files-per-day 288 --file-mb 2 --set CrawlPolicy=never --set NumberOfWorkers=4
    """
    stack = deployed_stack(_chosen(set_parameter))
    workload = Workload(files_per_day, file_mb, deliveries or max(1.0, files_per_day))
    lines, rest = monthly(stack, workload), monthly(stack, _AT_REST)
    if as_json:
        options.print_json(
            {
                "region": prices.REGION,
                "stack": asdict(stack),
                "workload": asdict(workload),
                "lines": [{**asdict(line), "usd": round(line.usd, 4)} for line in lines],
                "usd_per_month": round(_total(lines), 2),
                "usd_per_month_at_rest": round(_total(rest), 2),
                "usd_per_load": round(per_load(stack), 4),
            }
        )
    else:
        screens.out.print(_table(lines))
        screens.out.print(
            f"About ${_total(lines):,.2f} a month, ${_total(rest):,.2f} of it if nothing arrives. A load that wakes "
            f"the warehouse costs ${per_load(stack):.2f}: one wake-up for the load, one for the comparison after it."
        )


def deployed_stack(chosen: Mapping[str, str]) -> Stack:
    """What infra/pipeline.yaml deploys with `chosen` parameters. Raises as `stack_of`."""
    return stack_of(parse_template(project_root() / "infra" / "pipeline.yaml"), chosen)


def stack_of(template: Mapping[str, Any], chosen: Mapping[str, str]) -> Stack:
    """What the template deploys, with `chosen` parameters and the defaults of the others.

    Raises ConfigurationError for a parameter that the template lacks, or an invalid value.
    """
    parameters = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()}
    unknown = sorted(chosen.keys() - parameters.keys())
    if unknown:
        raise ConfigurationError(f"infra/pipeline.yaml has no parameter {', '.join(unknown)}")
    values = {name: str(value) for name, value in {**parameters, **chosen}.items()}
    kinds = Counter(resource["Type"] for resource in template["Resources"].values())
    datasets = kinds["AWS::Glue::Job"]
    if values["CrawlPolicy"] not in get_args(CrawlPolicy):
        raise ConfigurationError(f"CrawlPolicy is one of {', '.join(get_args(CrawlPolicy))}")
    return Stack(
        workers=int(_number("NumberOfWorkers", values) * _dpus(values["WorkerType"])),
        rpus=int(_number("BaseCapacity", values)),
        sweep_seconds=_seconds(values["SweepSchedule"]),
        arrival_window_seconds=max(1.0, _number("ArrivalWindowSeconds", values)),
        max_batch_megabytes=_number("MaxBatchMegabytes", values),
        crawl_policy=cast(CrawlPolicy, values["CrawlPolicy"]),
        datasets=datasets,
        alarms=kinds["AWS::CloudWatch::Alarm"],
        # Of each dataset its health and its drift in the warehouse; and keys outside the convention.
        metrics=datasets * (len(Health().metrics()) + 1) + 1,
        load_metrics=datasets * _LOAD_METRICS,
        # The pseudonym key, and the administrator's password that Redshift keeps.
        secrets=kinds["AWS::SecretsManager::Secret"] + kinds["AWS::RedshiftServerless::Namespace"],
    )


def _chosen(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise ConfigurationError(f"--set takes NAME=VALUE, not {wrong[0]!r}")
    return {name: value for name, _, value in pairs}


def _number(name: str, values: Mapping[str, str]) -> float:
    try:
        number = float(values[name])
    except ValueError:
        raise ConfigurationError(f"{name} is a number, not {values[name]!r}") from None
    if not 0 < number < float("inf"):
        raise ConfigurationError(f"{name} is a number above 0, not {values[name]}")
    return number


def _dpus(worker_type: str) -> float:
    """G.1X is one DPU, G.2X two, and so on; AWS Glue documentation, "Worker types"."""
    size = worker_type.removeprefix("G.").removesuffix("X")
    if not size.isdigit():
        raise ConfigurationError(f"WorkerType is G.1X, G.2X, G.4X or G.8X, not {worker_type!r}")
    return float(size)


def _seconds(schedule: str) -> float:
    """Of `rate(5 minutes)`."""
    number, _, unit = schedule.removeprefix("rate(").removesuffix(")").partition(" ")
    units = {"minute": 60, "hour": 3600, "day": 86_400}
    if not number.isdigit() or int(number) < 1 or unit.removesuffix("s") not in units:
        raise ConfigurationError(f"SweepSchedule is estimated as rate(N minutes), not {schedule!r}")
    return float(number) * units[unit.removesuffix("s")]


def _total(lines: list[Line]) -> float:
    return sum(line.usd for line in lines)


def _table(lines: list[Line]) -> Table:
    table = Table(title=f"a month in {prices.REGION}, list prices", title_justify="left", show_footer=True)
    table.add_column("service", "all")
    table.add_column("what")
    table.add_column("quantity", justify="right")
    table.add_column("unit")
    table.add_column("USD", f"{_total(lines):,.2f}", justify="right")
    service = ""
    for line in sorted(lines, key=lambda line: line.service):
        shown = line.service if line.service != service else ""
        service = line.service
        table.add_row(shown, line.what, f"{line.quantity:,.1f}", line.price.unit, f"{line.usd:,.2f}")
    return table
