"""The plots of the report: batches compared, and business numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from gluebook.report.model import ServiceErrors, TicketsOpened, Trend, title_of
from gluebook.report.svg import drawn

# Okabe and Ito's colours that are visible on white and on black: https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, GREY = "#56B4E9", "#CC79A7", "#8C8C8C"
SERVICE_COLOURS = (SKY, ORANGE, GREEN, PURPLE, VERMILION, GREY)
PRIORITY_COLOURS = {
    "critical": VERMILION,
    "high": ORANGE,
    "moderate": SKY,
    "low": BLUE,
    "not given": GREY,
}

_MOST_DAYS, _MOST_BATCHES, _MOST_SERVICES = 30, 40, 5


# -- trends over batches -----------------------------------------------------------------------------------


def rows_per_batch(trends: Sequence[Trend], dataset: str) -> str:
    """Records that each batch read, by outcome; the latest at the right."""
    shown = _latest(trends, dataset)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        parts = {
            "curated": [t.counts.curated for t in shown],
            "duplicates": [t.counts.duplicates for t in shown],
            "rejected": [t.counts.rejected for t in shown],
        }
        _stack(axes, range(len(shown)), parts, dict(zip(parts, (BLUE, GREY, VERMILION), strict=True)))
        axes.set_title(f"{title_of(dataset)}: records per batch")
        _batches(axes, shown)
        _whole(axes)
        _legend(axes)

    return drawn(draw, f"Records per batch of {dataset}, by outcome", 2.9)


def reject_share(trends: Sequence[Trend]) -> str:
    """The share of rejects in each batch, one line for each dataset."""

    def draw(figure: Any) -> None:
        from matplotlib.ticker import PercentFormatter

        axes = figure.subplots()
        for colour, dataset in zip((BLUE, ORANGE, GREEN), _datasets(trends), strict=False):
            shown = _latest(trends, dataset)
            shares = [t.counts.rejected / t.counts.read if t.counts.read else 0.0 for t in shown]
            # The latest batch of each stands at the right, however many there are.
            places = range(1 - len(shown), 1)
            axes.plot(places, shares, color=colour, label=title_of(dataset))
        axes.set_title("Share of rejected records")
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=1))
        axes.set_ylim(bottom=0)
        axes.margins(y=0.15)
        longest = max((len(_latest(trends, dataset)) for dataset in _datasets(trends)), default=1)
        # Room for a few batches, so that a single one is not alone in the middle.
        axes.set_xlim(min(1 - longest, -4) - 0.5, 0.5)
        _counting_back(axes)
        _legend(axes, below=0.3)

    return drawn(draw, "Share of rejected records by batch", 2.9)


def failed_checks(trends: Sequence[Trend]) -> str:
    """Expectations that each batch failed, critical ones and warnings, all datasets together."""
    shown = sorted(trends, key=lambda t: (t.checked_at, t.batch_id))[-_MOST_BATCHES:]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        parts = {"critical": [t.critical for t in shown], "warning": [t.warnings for t in shown]}
        _stack(axes, range(len(shown)), parts, {"critical": VERMILION, "warning": ORANGE})
        axes.set_title("Expectations not met")
        _batches(axes, shown)
        _whole(axes)
        axes.set_ylim(0, max(3, *(t.critical + t.warnings + 1 for t in shown), 0))
        _legend(axes)

    return drawn(draw, "Expectations not met by batch", 2.9)


# -- business numbers ------------------------------------------------------------------------------------


def tickets_and_errors(tickets: Sequence[TicketsOpened], services: Sequence[ServiceErrors]) -> str:
    """Tickets opened per day by priority, and below, on the same days, the error rates of services."""
    days = last_days([*(t.day for t in tickets), *(s.day for s in services)])
    place = {day: number for number, day in enumerate(days)}
    priorities = [name for name in PRIORITY_COLOURS if any(t.priority == name for t in tickets)]
    rates = error_rates(services, days)

    def draw(figure: Any) -> None:
        from matplotlib.ticker import PercentFormatter

        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1))
        parts = {name: [0] * len(days) for name in priorities}
        for ticket in tickets:
            if ticket.day in place and ticket.priority in parts:
                parts[ticket.priority][place[ticket.day]] += ticket.tickets
        _stack(upper, range(len(days)), parts, PRIORITY_COLOURS)
        upper.set_title("Tickets opened per day, by priority")
        _whole(upper)
        _legend(upper)
        for colour, (service, shares) in zip(SERVICE_COLOURS, rates.items(), strict=False):
            there = [(x, share) for x, share in enumerate(shares) if share is not None]
            lower.plot(
                [x for x, _ in there],
                [share for _, share in there],
                color=colour,
                label=service,
            )
        lower.set_title("Share of log lines that are errors, by service")
        lower.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
        lower.set_ylim(bottom=0)
        _ticks(lower, [date.fromisoformat(day).strftime("%-d %b") for day in days])
        _legend(lower, columns=3)
        figure.get_layout_engine().set(hspace=0.12)

    return drawn(
        draw, "Tickets opened per day by priority, above error rates of services on the same days", 5.6
    )


def last_days(days: Iterable[str]) -> list[str]:
    """The latest days (YYYY-MM-DD) among these, at most 30, oldest first; days without any are left out."""
    return sorted(set(days))[-_MOST_DAYS:]


def error_rates(services: Sequence[ServiceErrors], days: Sequence[str]) -> dict[str, list[float | None]]:
    """For the services with most errors the share of lines that are errors on each day, None without lines.

    At most five services; what the others have together stands under "others".
    """
    within = [s for s in services if s.day in set(days)]
    errors: dict[str, int] = {}
    for one in within:
        errors[one.service] = errors.get(one.service, 0) + one.errors
    named = sorted(errors, key=lambda name: (-errors[name], name))[:_MOST_SERVICES]
    rates: dict[str, list[float | None]] = {}
    for name in [*named, *(["others"] if len(errors) > len(named) else [])]:
        mine = [s for s in within if (s.service == name if name in named else s.service not in named)]
        rates[name] = []
        for day in days:
            lines = sum(s.lines for s in mine if s.day == day)
            wrong = sum(s.errors for s in mine if s.day == day)
            rates[name].append(wrong / lines if lines else None)
    return rates


# -- common to them ----------------------------------------------------------------------------------------


def _datasets(trends: Iterable[Trend]) -> list[str]:
    return sorted({trend.dataset for trend in trends})


def _latest(trends: Iterable[Trend], dataset: str) -> list[Trend]:
    of = [trend for trend in trends if trend.dataset == dataset]
    return sorted(of, key=lambda t: (t.checked_at, t.batch_id))[-_MOST_BATCHES:]


def _stack(
    axes: Any, places: Sequence[int], parts: Mapping[str, Sequence[int]], colours: Mapping[str, str]
) -> None:
    below = [0] * len(places)
    for name, values in parts.items():
        axes.bar(places, values, 0.72, bottom=below, color=colours[name], label=name)
        below = [one + more for one, more in zip(below, values, strict=True)]
    # A single batch is a bar, not a wall.
    axes.set_xlim(-0.6 - max(0, 6 - len(places)), max(len(places) - 0.4, 0.6))


def _batches(axes: Any, shown: Sequence[Trend]) -> None:
    _ticks(axes, [f"{date.fromisoformat(t.checked_at[:10]):%-d %b}\n{t.checked_at[11:16]}" for t in shown])


def _ticks(axes: Any, labels: Sequence[str]) -> None:
    """At most six of the labels, the last one always: more would run into each other on a phone."""
    step = max(1, -(-len(labels) // 6))
    at = list(range(len(labels) - 1, -1, -step))[::-1]
    axes.set_xticks(at, [labels[place] for place in at])


def _counting_back(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.xaxis.set_major_formatter(
        lambda value, _: "latest" if round(value) == 0 else f"{value:.0f}".replace("-", "\u2212")
    )
    axes.set_xlabel("batches before the latest")


def _whole(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.yaxis.set_major_formatter("{x:,.0f}")


def _legend(axes: Any, columns: int = 5, below: float = 0.18) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(-0.01, -below),
            ncols=columns,
            handlelength=1.0,
            columnspacing=1.2,
        )
