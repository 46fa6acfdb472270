"""docs/scale.md: its tables, simulated anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bench.running import ROOT
from bench.simulation.arrivals import DAY
from bench.simulation.deployed import deployed
from bench.simulation.limits import limits
from bench.simulation.measured import measured
from bench.simulation.options import Options
from bench.simulation.outcome import Figures, figures
from bench.simulation.report import duration
from bench.simulation.world import World

PAGE = ROOT / "docs" / "scale.md"
COMMAND = ".venv/bin/python -m bench.simulate --write"
# Fewer than usual, so that the page takes minutes.
_PARCELS, _MOST_DAYS = 2_000, 1.25
# What can't keep up is the same story every hour, and takes longest to simulate.
_HALF_A_DAY = 0.5


@dataclass(frozen=True)
class Scenario:
    """A row of the page. `size` in megabytes; `days` after which the simulation ends, whatever still waits."""

    files: int
    size: float
    arrivals: str = "even"
    parameters: str = ""
    days: float = _MOST_DAYS

    @property
    def options(self) -> Options:
        """Those of the simulation."""
        chosen = dict(pair.split("=") for pair in self.parameters.split())
        return replace(
            Options(),
            files=self.files,
            size=self.size,
            arrivals=self.arrivals,
            parameters=chosen,
            parcels=_PARCELS,
            most_days=self.days,
        )


_LARGE = "NumberOfWorkers=17 BaseCapacity=64 MaxCapacity=64 MaxBatchMegabytes=20000"
DEFAULTS = [
    Scenario(files, size, days=_HALF_A_DAY if size == 1e7 else _MOST_DAYS)
    for size in (1e4, 1e6, 1e7)
    for files in (1_000, 100_000, 1_000_000)
]
CHANGED = [
    Scenario(1_000_000, 1e4, "hourly"),
    Scenario(1_000_000, 1e4, "midnight"),
    Scenario(100_000, 1e6, "business"),
    Scenario(100_000, 1e6, "business", "NumberOfWorkers=9 BaseCapacity=32 MaxCapacity=32"),
    Scenario(1_000_000, 1e7, "even", _LARGE),
]
_HEADER = (
    "files a day | bytes | arrivals | p50 | p95 | max | runs | files a run | busiest stage | first limit reached "
    "| $ a day"
)


def write(say: Callable[[str], None]) -> None:
    """Simulate every scenario and write the tables; the page's other text stays."""
    tables: dict[str, Callable[[], list[str]]] = {
        "limits": limit_rows,
        "assumptions": assumption_rows,
        "defaults": lambda: scenario_rows(DEFAULTS, say),
        "changed": lambda: scenario_rows(CHANGED, say),
    }
    for name, rows in tables.items():
        made = rows()
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), name, made), encoding="utf-8")


def scenario_rows(scenarios: Iterable[Scenario], say: Callable[[str], None]) -> list[str]:
    """A header, and a row for each."""
    return [_header(_HEADER), *(row(each, played(each, say)) for each in scenarios)]


def played(scenario: Scenario, say: Callable[[str], None] = lambda _: None) -> Figures:
    """The figures of a scenario."""
    say(
        f"{scenario.files:,} files, {scenario.size / 1000:,.0f} GB, {scenario.arrivals} {scenario.parameters}"
    )
    world = World(scenario.options)
    world.play()
    return figures(world)


def row(scenario: Scenario, found: Figures) -> str:
    """A row of Markdown."""
    times = [duration(found.latency[name]) if found.latency else "" for name in ("p50", "p95", "max")]
    waiting = found.files["waiting"] / found.files["arrived"]
    if waiting:
        times = [f"{waiting:.0%} wait after {duration(found.days * DAY)}", "", ""]
    changed = "".join(f"<br>`{pair}`" for pair in scenario.parameters.split())
    cells = [
        f"{scenario.files:,}",
        f"{scenario.size / 1e6:g} TB" if scenario.size >= 1e6 else f"{scenario.size / 1e3:g} GB",
        f"{scenario.arrivals}{changed}",
        *times,
        f"{found.runs['number']:,}",
        f"{found.runs['files']:,.0f}",
        f"{found.slowest}, {found.busy[found.slowest]:.0%}",
        found.first or "none",
        f"{found.usd['total']:,.0f}",
    ]
    return _row(cells)


def limit_rows() -> list[str]:
    """Every limit with its source."""
    known = limits(deployed({}), {})
    return [
        _header("limit | most | source | what to change"),
        *(
            _row([name, f"{each.most:,g} {each.unit}", each.source, each.change])
            for name, each in known.items()
        ),
    ]


def assumption_rows() -> list[str]:
    """The default of everything that AWS takes time for, and whether it is measured."""
    default = Options()
    kept = measured().run
    on_two_cores = "`core/cost.py`, measured on two cores"
    rows = [
        (
            "raw megabytes a vCPU takes in a second",
            default.megabytes_per_vcpu,
            f"measured, bench/results: {kept}",
        ),
        ("seconds of a job run beside its files", default.start_up, on_two_cores),
        ("seconds of a load beside its bytes", default.statement_seconds, on_two_cores),
        (
            "raw megabytes a load takes in a second at 8 RPU; in proportion with more",
            default.load_megabytes,
            f"{on_two_cores}; the proportion is assumed",
        ),
        ("seconds of a vCPU for each file beside its bytes", default.file_seconds, "assumed"),
        ("seconds until an event is delivered", default.event_seconds, "assumed"),
        (
            "seconds of a request to DynamoDB, to S3",
            f"{default.ledger_seconds:g}, {default.store_seconds:g}",
            "assumed",
        ),
        (
            "share of runs that die, of loads that fail",
            f"{default.dead_runs:g}, {default.failed_loads:g}",
            "assumed",
        ),
        (
            "share of lost events, of unreadable files",
            f"{default.lost_events:g}, {default.bad_files:g}",
            "assumed",
        ),
    ]
    return [
        _header("what | value | from"),
        *(_row([name, f"{value}", source]) for name, value, source in rows),
    ]


def with_table(text: str, name: str, rows: Iterable[str]) -> str:
    """The page with these rows between its markers."""
    begin, end = f"<!-- BEGIN {name}: written by `{COMMAND}` -->\n", f"<!-- END {name} -->\n"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"{PAGE} lacks the markers of {name}")
    return before + begin + "\n".join(rows) + "\n" + end + after


def _header(names: str) -> str:
    return f"| {names} |\n|" + "---|" * (names.count("|") + 1)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
