"""docs/performance.md, generated from bench/results, and the table on the screen."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from bench import results
from bench.contenders import CONTENDERS
from bench.inputs import INPUTS
from bench.results import FOLDER, Figures, Result
from bench.running import ROOT

PAGE = ROOT / "docs" / "performance.md"
_MEGABYTE = 1_000_000
_HEADER = (
    "contender",
    "job, s",
    "load, s",
    "total, s",
    "total / ours",
    "rows/s",
    "peak memory, MB",
    "Parquet, MB",
    "table, MB",
    "$ / million rows",
)
_BEGIN, _END = (
    "<!-- BEGIN results: written by `make bench` from bench/results -->\n",
    "<!-- END results -->\n",
)


def write() -> None:
    """Write all results that are kept into docs/performance.md; its other text stays."""
    PAGE.write_text(with_results(PAGE.read_text(encoding="utf-8"), kept()), encoding="utf-8")


def kept() -> list[Result]:
    """The results in bench/results, in the order of the inputs."""
    order = list(INPUTS)
    found = [results.read(path) for path in FOLDER.glob("*.json")]
    return sorted(found, key=lambda result: (order.index(result.input), result.records))


def with_results(text: str, found: list[Result]) -> str:
    """The page `text`, with these results in it instead of those that it has."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return "".join([before, _BEGIN, "\n", *(_section(result) for result in found), _END, after])


def _section(result: Result) -> str:
    machine, counts = result.machine, result.counts
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    lines = [
        f"## {INPUTS[result.input].title}: {result.records:,} records",
        "",
        f"{_files(result.files)}, {result.raw_bytes / _MEGABYTE:,.1f} MB. Of {counts['read']:,} records "
        f"{counts['kept']:,} are kept, {counts['duplicates']:,} are duplicates and {counts['rejects']:,} rejects.",
        "",
        "| " + " | ".join(_HEADER) + " |",
        "|---|" + "---:|" * (len(_HEADER) - 1),
        *("| " + " | ".join(row) + " |" for row in _rows(result)),
        "",
        *_verdict(result),
        "",
        f"{_repetitions(result)} on {machine.at}, commit {machine.commit}: {machine.processor}, "
        f"{machine.cores} cores, {machine.memory_bytes / 2**30:.0f} GiB, {machine.system}, Python {machine.python};",
        f"{versions}.",
        *_busy(result),
        "",
        "",
    ]
    return "\n".join(lines)


def _files(number: int) -> str:
    return "One file" if number == 1 else f"{number:,} files"


def _repetitions(result: Result) -> str:
    return "One repetition" if result.repetitions == 1 else f"Medians of {result.repetitions} repetitions"


def _busy(result: Result) -> list[str]:
    """Says so if the figures are rough."""
    found = []
    if result.machine.load > 1:
        found.append(
            f"The machine was busy with other work: its load was {result.machine.load} before the run."
        )
    if result.repetitions == 1:
        found.append("One repetition says little; take the ratios for an order of magnitude.")
    return found


def _rows(result: Result) -> Iterator[list[str]]:
    ours = result.figures.get("ours")
    for name, figures in result.figures.items():
        yield [
            CONTENDERS[name].title,
            *(f"{value:,.1f}" for value in (figures.job, figures.load, figures.total)),
            f"{figures.total / ours.total:.2f}" if ours else "",
            f"{result.records / figures.total:,.0f}",
            f"{figures.peak_bytes / _MEGABYTE:,.0f}",
            f"{figures.parquet_bytes / _MEGABYTE:,.1f}",
            f"{figures.table_bytes / _MEGABYTE:,.1f}",
            f"{result.per_million(name):,.2f}",
        ]


def _verdict(result: Result) -> Iterator[str]:
    """Where Gluebook loses and where it wins, in words."""
    ours = result.figures.get("ours")
    if ours is None:
        return
    others = {name: each for name, each in result.figures.items() if not name.startswith("ours")}
    faster = {name: each for name, each in others.items() if each.total < ours.total}
    if faster:
        listed = ", ".join(
            f"{_short(name)} by {ours.total / each.total:.1f} times" for name, each in _fastest(faster)
        )
        yield f"**Gluebook loses** to {listed}."
    if slower := {name: each for name, each in others.items() if name not in faster}:
        listed = ", ".join(
            f"{_short(name)} by {each.total / ours.total:.1f} times" for name, each in _fastest(slower)
        )
        yield f"It is faster than {listed}."
    waits, batches = ours.details["until the job starts"], int(ours.details["batches"])
    made = "one batch" if batches == 1 else f"{batches} batches"
    yield f"Its job starts {waits:.1f} s after the upload; it makes {made}."


def _fastest(figures: dict[str, Figures]) -> list[tuple[str, Figures]]:
    return sorted(figures.items(), key=lambda pair: pair[1].total)


def _short(name: str) -> str:
    """The contender's name without how it does it."""
    return CONTENDERS[name].title.partition(",")[0]


def table(result: Result) -> Table:
    """The same table for the screen."""
    shown = Table(title=f"{INPUTS[result.input].title}: {result.records:,} records", title_justify="left")
    shown.add_column(_HEADER[0])
    for name in _HEADER[1:]:
        shown.add_column(name, justify="right")
    for name, (_, *row) in zip(result.figures, _rows(result), strict=True):
        shown.add_row(name, *row)
    return shown
