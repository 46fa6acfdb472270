"""The simulation of a day: its laws, its limits, and that it loses nothing."""

from __future__ import annotations

import ast
import itertools
import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import simulate
from bench.simulation import page
from bench.simulation.arrivals import DAY, PATTERNS
from bench.simulation.clock import SimulatedClock
from bench.simulation.deployed import deployed
from bench.simulation.happenings import Happenings
from bench.simulation.ledger import MeteredDynamo
from bench.simulation.limits import Limit, limits
from bench.simulation.meter import Meter
from bench.simulation.options import Options
from bench.simulation.outcome import Figures, figures, percentile
from bench.simulation.world import World
from gluebook.contracts import CONTRACTS

ROOT = Path(__file__).parents[2]
# Few sweeps, so that a day takes a second; nothing fails unless a test says so.
CALM = Options(
    files=40,
    size=400,
    dead_runs=0,
    failed_loads=0,
    lost_events=0,
    bad_files=0,
    parameters={"SweepSchedule": "rate(2 hours)"},
)


def played(**changes: Any) -> World:
    """A world after a day with `changes` to CALM."""
    parameters = {**CALM.parameters, **changes.pop("parameters", {})}
    world = World(replace(CALM, **changes, parameters=parameters))
    world.play()
    return world


def day(**changes: Any) -> Figures:
    """The figures of such a day."""
    return figures(played(**changes))


TROUBLED = {"dead_runs": 0.3, "failed_loads": 0.3, "lost_events": 0.3, "bad_files": 0.2}


def test_a_seed_decides_every_figure() -> None:
    once, again, other = day(**TROUBLED), day(**TROUBLED), day(**TROUBLED, seed=2)
    assert once == again
    assert once != other


@pytest.mark.parametrize("arrivals", PATTERNS)
def test_every_file_is_loaded_or_failed_once_whatever_dies_or_is_lost(arrivals: str) -> None:
    # That no file is both, or loaded twice, is asserted by the world at every commit.
    found = day(**TROUBLED, arrivals=arrivals, parameters={"MaxBatchMegabytes": "16"})
    assert found.accounted
    assert found.files["arrived"] == 40
    assert found.files["waiting"] == 0
    assert found.files["failed"] > 0
    assert found.files["loaded"] > 0
    assert found.runs["died"] > 0
    assert found.statements["failed"] > 0


def test_what_cannot_keep_up_is_counted_as_waiting() -> None:
    found = day(size=40_000_000, most_days=1.0)
    assert found.accounted
    assert found.files["waiting"] > 0
    assert max(found.busy.values()) > 0.9


def test_more_workers_never_make_the_even_day_slower() -> None:
    slowest = [day(size=200_000, parameters={"NumberOfWorkers": str(n)}).latency["p95"] for n in (2, 3, 5, 9)]
    assert slowest == sorted(slowest, reverse=True)
    assert slowest[0] > slowest[-1]


def test_no_file_is_faster_than_the_start_of_a_run_and_a_statement() -> None:
    world = played()
    least = world.options.start_up + world.options.statement_seconds
    waited = [at - world.parcels[key].arrives for key, at in world.loaded.items()]
    assert len(waited) == 40
    assert min(waited) > least + 2 * world.options.event_seconds


def test_files_wait_as_long_as_the_templates_window_says() -> None:
    short, long = (day(parameters={"ArrivalWindowSeconds": w}).latency["p50"] for w in ("20", "220"))
    assert long - short == pytest.approx(200, abs=20)


def test_a_few_files_reach_no_limit() -> None:
    assert day(files=10, size=100).first is None


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("raw puts", 0.5),
        ("events", 0.5),
        ("delivery", 0.5),
        ("ledger writes", 1),
        ("partition writes", 1),
        ("ledger reads", 1),
        ("partition reads", 1),
        ("functions", 0.5),
        ("admit time", 0.1),
        ("load time", 0.1),
        ("sweep time", 0.1),
        ("run time", 45.5),
        ("submitted", 0.5),
        ("statement size", 0.1),
        ("statement parts", 1),
        ("raw gets", 0.1),
    ],
)
def test_a_limit_that_is_set_low_is_the_first_one_reached(name: str, most: float) -> None:
    found = day(files=10, size=100, most_days=1.0, limits={name: most})
    assert found.first == name
    assert found.limits[0].name == name
    assert found.accounted


def test_the_data_api_refuses_statements_above_its_limit_and_all_are_loaded_in_the_end() -> None:
    found = day(arrivals="midnight", limits={"statements": 1})
    assert found.first == "statements"
    assert found.files["loaded"] == 40


def test_messages_wait_for_the_admit_functions_that_may_run_at_once() -> None:
    slow = {"arrivals": "midnight", "batch_size": 1, "ledger_seconds": 1.0}
    one, many = (day(**slow, concurrency=number) for number in (1, 40))
    assert (one.first, many.first) == ("admits", None)
    assert one.queue["deepest"] > many.queue["deepest"]
    assert one.files["loaded"] == many.files["loaded"] == 40


def test_a_file_that_takes_a_run_longer_than_its_timeout_fails() -> None:
    found = day(files=2, size=400_000, most_days=3.0, limits={"run time": 600})
    assert found.first == "run time"
    assert found.files["failed"] == 2
    assert found.runs["died"] >= 2 * 3


def test_parcels_give_the_figures_of_their_files() -> None:
    exact, rough = (day(files=400, size=4_000, arrivals="hourly", parcels=most) for most in (400, 100))
    assert (exact.files_of_each, rough.files_of_each) == (1, 4)
    assert exact.files == rough.files
    assert rough.latency["p50"] == pytest.approx(exact.latency["p50"], rel=0.1)
    assert rough.ledger["writes"] == pytest.approx(exact.ledger["writes"], rel=0.1)
    assert rough.queue["sent"] == pytest.approx(exact.queue["sent"], rel=0.1)


def test_loads_of_two_datasets_run_one_after_the_other() -> None:
    loads = [r for r in played(arrivals="hourly").warehouse.statements.values() if "load:" in r.name]
    ordered = sorted(loads, key=lambda ran: ran.begins)
    assert len({ran.name.split(":")[1].rsplit("-", 2)[0] for ran in loads}) == 2
    assert all(before.ends <= after.begins for before, after in itertools.pairwise(ordered))
    assert any(ran.begins > ran.submitted for ran in loads)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_lets_the_whole_day_arrive_in_order(name: str) -> None:
    when = [PATTERNS[name](share / 1000) for share in range(1000)]
    assert when == sorted(when)
    assert when[0] >= 0
    assert when[-1] < DAY


def test_business_hours_hold_nine_tenths_of_the_files() -> None:
    hours = [PATTERNS["business"]((n + 0.5) / 1000) / 3600 for n in range(1000)]
    assert sum(8 <= hour < 18 for hour in hours) == 900


def test_a_rate_above_its_limit_is_held_back_to_the_second_that_has_room() -> None:
    meter = Meter({"rate": Limit(1_000, "a second", "a test", "nothing")})
    assert meter.take("rate", 5.5, 1_000) == 0
    assert not meter.first()
    assert meter.take("rate", 5.5, 1_500) == 1.5
    assert meter.take("rate", 5.5, 100, of="another") == 0
    assert meter.used["rate"].reached_at == 5.5
    assert meter.used["rate"].peak == 1_000


def test_units_are_those_of_dynamodb() -> None:
    clock, meter = SimulatedClock(10), Meter(limits(deployed({}), {}))
    dynamo = MeteredDynamo(clock, meter, 0.5, files_of_each=10)
    item = {"pk": "PENDING#app_logs#0", "sk": "1", "text": "x" * 1_500}
    dynamo.put_item("ledger", {"pk": "MARK#a", "sk": "MARK", "value": "x" * 5_000})
    assert dynamo.units == {"writes": 5}
    dynamo.get_item("ledger", {"pk": "MARK#a", "sk": "MARK"}, True)
    assert dynamo.units == {"writes": 5, "reads": 2}
    assert (dynamo.requests, clock.elapsed) == (2, 1.0)
    # Two kilobytes, twice because of the transaction, for each of ten files.
    dynamo.transact_write_items([{"Put": {"Item": item}}])
    assert dynamo.units["writes"] == 5 + 40
    assert dynamo.requests == 12


def test_a_percentile_is_a_value_that_occurred() -> None:
    assert [percentile([1, 2, 3, 4], share) for share in (0.25, 0.5, 0.51, 1)] == [1, 2, 3, 4]
    assert percentile([7], 0.99) == 7


def test_json_is_one_object_with_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--files", "4", "--bytes", "40MB", "--datasets", "app_logs", "--workers", "3", "--json"]
    assert simulate.main([*asked, "--bad-files", "0", "--set", "SweepSchedule=rate(6 hours)"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["options"]["parameters"]["NumberOfWorkers"] == "3"
    assert found["files"] == {"arrived": 4, "loaded": 4, "failed": 0, "waiting": 0}
    assert set(found["busy"]) == {"admit function", "job of app_logs", "loads"}


def test_the_screen_names_the_busiest_stage_and_the_first_limit(capsys: pytest.CaptureFixture[str]) -> None:
    quick = ["--files", "4", "--bytes", "40MB", "--set", "SweepSchedule=rate(6 hours)"]
    assert simulate.main([*quick, "--limit", "raw puts=0.5"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "The first limit that is reached is raw puts: 0.5 PUT/s of a prefix." in shown
    assert "busiest" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--files", "0"], "a whole number above 0, not '0'"),
        (["--files", "many"], "a whole number above 0, not 'many'"),
        (["--bytes", "10"], "an amount such as 500MB, 10GB or 1TB, not '10'"),
        (["--bytes", "0TB"], "an amount such as 500MB, 10GB or 1TB, not '0TB'"),
        (["--dead-runs", "1"], "a share below 1, not '1'"),
        (["--start-up", "-1"], "a number of seconds, not '-1'"),
        (["--start-up", "nan"], "a number of seconds, not 'nan'"),
        (["--load-megabytes", "0"], "a number above 0, not '0'"),
        (["--datasets", "app_logs,none"], f"no dataset none; there are {', '.join(CONTRACTS)}"),
        (["--set", "NumberOfWorkers"], "NAME=VALUE, not 'NumberOfWorkers'"),
        (["--set", "Nothing=1"], "infra/pipeline.yaml has no parameter Nothing"),
        (["--set", "LeaseSeconds=soon"], "LeaseSeconds is a number, not 'soon'"),
        (["--workers", "1"], "NumberOfWorkers is at least 2, not 1"),
        (["--limit", "speed=1"], "there is no limit speed; there are events,"),
        (["--limit", "events=0"], "--limit events is above 0, not 0"),
        (["--arrivals", "never"], "invalid choice: 'never'"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        simulate.main(arguments)
    shown = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in shown
    assert shown.count("\n") == 1


def test_ctrl_c_ends_with_130_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usual, calls = Happenings.next, iter(range(10_000))

    def interrupted(self: Happenings) -> bool:
        if next(calls) == 20:
            signal.raise_signal(signal.SIGINT)
        return usual(self)

    monkeypatch.setattr(Happenings, "next", interrupted)
    assert simulate.main(["--files", "20", "--bytes", "1GB"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_limits_and_delays_are_the_templates() -> None:
    found = deployed({"ArrivalWindowSeconds": "7", "MaxBatchMegabytes": "100", "NumberOfWorkers": "5"})
    assert (found.window_seconds, found.max_batch_megabytes, found.vcpus) == (7, 100, 16)
    chosen = deployed({}, batch_size=10, concurrency=5)
    assert (chosen.batch_size, chosen.concurrency) == (10, 5)


@pytest.mark.parametrize(
    ("name", "rows"), [("limits", page.limit_rows), ("assumptions", page.assumption_rows)]
)
def test_the_page_shows_what_the_simulation_takes_for_granted(name: str, rows: Any) -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_table(text, name, rows()) == text, f"docs/scale.md: `{page.COMMAND}` writes it"


def test_the_page_has_a_row_for_each_scenario() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    for name, scenarios in (("defaults", page.DEFAULTS), ("changed", page.CHANGED)):
        table = text.partition(f"<!-- BEGIN {name}")[2].partition("<!-- END")[0]
        assert table.count("\n| ") - 1 == len(scenarios), f"docs/scale.md: `{page.COMMAND}` writes it"


def test_benchmarks_import_nothing_of_the_tests() -> None:
    ours = {path.stem for path in (ROOT / "tests").iterdir() if path.suffix == ".py" or path.is_dir()}
    for path in (ROOT / "bench").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & ours, path
