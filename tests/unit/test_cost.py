"""What a run and a month cost on AWS, against figures worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gluebook.cli.cost import stack_of
from gluebook.contracts import CONTRACTS
from gluebook.core.cost import Line, Stack, Workload, cost, monthly, per_load
from gluebook.deployment.template import parse_template
from gluebook.errors import ConfigurationError
from template_kit import TEMPLATE

DOCUMENT = parse_template(TEMPLATE)
# The figures below are worked out for these numbers, whatever the template comes to have.
STACK = replace(
    stack_of(DOCUMENT, {}), workers=2, rpus=8, datasets=2, alarms=8, metrics=9, load_metrics=10, secrets=2
)
SECONDS = st.lists(st.floats(0, 10_000), max_size=5)


def test_nothing_costs_nothing() -> None:
    assert cost([], [], [], STACK).total == 0


@pytest.mark.parametrize(
    ("runs", "crawls", "loads", "jobs", "crawling", "warehouse"),
    [
        # the smallest run: one minute of 2 DPU at $0.44 an hour
        ([1.0], [], [], 0.014667, 0, 0),
        # the smallest crawl: ten minutes of 2 DPU
        ([], [3.0], [], 0, 0.146667, 0),
        # the smallest load: one minute of 8 RPU at $0.375 an hour
        ([], [], [0.5], 0, 0, 0.05),
        ([3600.0], [3600.0], [3600.0], 0.88, 0.88, 3.0),
        ([30.0, 90.0], [600.0, 601.0], [60.0, 61.0], 0.036667, 0.293578, 0.100833),
    ],
)
def test_minimums_and_prices_are_those_of_the_list(
    runs: list[float], crawls: list[float], loads: list[float], jobs: float, crawling: float, warehouse: float
) -> None:
    found = cost(runs, crawls, loads, STACK)
    assert found.jobs == pytest.approx(jobs, abs=1e-6)
    assert found.crawls == pytest.approx(crawling, abs=1e-6)
    assert found.warehouse == pytest.approx(warehouse, abs=1e-6)
    assert found.total == pytest.approx(jobs + crawling + warehouse, abs=1e-5)


@given(SECONDS, SECONDS, SECONDS)
def test_one_run_for_many_files_is_never_dearer_than_a_run_for_each(
    runs: list[float], crawls: list[float], loads: list[float]
) -> None:
    together = cost(
        [sum(runs)] if runs else [], [sum(crawls)] if crawls else [], [sum(loads)] if loads else [], STACK
    )
    assert together.total <= cost(runs, crawls, loads, STACK).total + 1e-9


WORKLOADS = st.builds(
    Workload,
    files_per_day=st.floats(1, 100_000),
    megabytes_per_file=st.floats(0.001, 1000),
    deliveries_per_day=st.floats(1, 100_000),
)


def usd(lines: list[Line], service: str, what: str = "") -> float:
    return sum(line.usd for line in lines if line.service == service and what in line.what)


def test_a_nightly_delivery_costs_a_run_a_crawl_and_two_wake_ups_of_each_dataset() -> None:
    lines = monthly(STACK, Workload(files_per_day=20, megabytes_per_file=0.1, deliveries_per_day=1))
    days = 365 / 12
    # The smallest run is a minute of two DPUs, the smallest crawl ten minutes of two.
    assert usd(lines, "Glue", "runs") == pytest.approx(days * 2 * 0.44 * 2 / 60)
    assert usd(lines, "Glue", "crawls") == pytest.approx(days * 2 * 0.44 * 2 / 6)
    # One minute for the load and one for the comparison, of eight RPUs.
    assert usd(lines, "Redshift", "loads") == pytest.approx(days * 2 * 2 * 0.375 * 8 / 60)


def test_at_rest_only_what_stands_there_is_paid_for() -> None:
    lines = monthly(STACK, Workload(0, 0, 0))
    assert usd(lines, "Glue") == usd(lines, "Redshift") == usd(lines, "S3") == 0
    assert usd(lines, "CloudWatch") == pytest.approx(8 * 0.10 + 9 * 0.30)
    assert usd(lines, "Secrets Manager") == pytest.approx(0.80)
    assert sum(line.usd for line in lines) == pytest.approx(5.2, abs=0.3)


def test_a_load_that_wakes_the_warehouse_is_two_wake_ups() -> None:
    assert per_load(STACK) == pytest.approx(2 * 0.05)


@given(WORKLOADS)
def test_fewer_deliveries_never_cost_more(workload: Workload) -> None:
    fewer = replace(workload, deliveries_per_day=max(1.0, workload.deliveries_per_day / 2))
    assert total(STACK, fewer) <= total(STACK, workload) * (1 + 1e-9)


@given(WORKLOADS)
def test_no_crawls_cost_less_than_needed_ones_and_those_less_than_one_a_run(workload: Workload) -> None:
    never, needed, always = (
        total(replace(STACK, crawl_policy=policy), workload) for policy in ("never", "when-needed", "always")
    )
    assert never <= needed <= always


@given(WORKLOADS)
def test_the_warehouse_is_never_awake_for_more_than_the_month(workload: Workload) -> None:
    awake = usd(monthly(STACK, workload), "Redshift", "loads") / (0.375 * 8)
    assert awake <= 24 * 365 / 12 * (1 + 1e-9)


def total(stack: Stack, workload: Workload) -> float:
    return sum(line.usd for line in monthly(stack, workload))


def test_the_stack_is_counted_in_the_template_and_takes_other_parameters() -> None:
    alarms = [one for one in DOCUMENT["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    stack = stack_of(
        DOCUMENT, {"NumberOfWorkers": "4", "WorkerType": "G.2X", "SweepSchedule": "rate(1 hour)"}
    )
    assert (stack.datasets, stack.alarms, stack.workers, stack.sweep_seconds) == (
        len(CONTRACTS),
        len(alarms),
        8,
        3600,
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("NoSuch", "1", "no parameter NoSuch"),
        ("BaseCapacity", "many", "BaseCapacity is a number, not 'many'"),
        ("BaseCapacity", "-8", "BaseCapacity is a number above 0"),
        ("CrawlPolicy", "sometimes", "CrawlPolicy is one of when-needed, always, never"),
        ("SweepSchedule", "cron(0 * * * ? *)", "SweepSchedule is estimated as rate"),
        ("WorkerType", "Standard", "WorkerType is G.1X"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_name(name: str, value: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        stack_of(DOCUMENT, {name: value})


def test_the_command_prints_the_same_figures_for_people_and_machines() -> None:
    from gluebook.cli.app import app

    words = ["cost", "--files-per-day", "48", "--file-mb", "2", "--set", "CrawlPolicy=never"]
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    shown = CliRunner().invoke(app, words, env={"COLUMNS": "120"}).output
    assert f"About ${told['usd_per_month']:,.2f} a month" in " ".join(shown.split())
    assert sum(line["usd"] for line in told["lines"]) == pytest.approx(told["usd_per_month"], abs=0.01)
    assert not any(line["what"] == "crawls" and line["usd"] for line in told["lines"])
