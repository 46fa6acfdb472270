"""Charts for the explore notebooks: few kinds, one style, colours for colour-blind readers.

Each draws one figure and returns its axes. In a notebook end the line with `;` to show only the figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

# Okabe and Ito's colours: https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW, GREY = "#56B4E9", "#CC79A7", "#F0E442", "#8C8C8C"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)

_WIDTH = 9.0
_LOOK = {
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid.axis": "x",
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "date.converter": "concise",
}


def _canvas(title: str, rows: float, x_label: str, y_label: str) -> Axes:
    plt.rcParams.update(_LOOK)
    axes: Axes = plt.subplots(figsize=(_WIDTH, 1.3 + 0.3 * max(rows, 3)))[1]
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    return axes


def bars(
    values: pd.Series,
    title: str,
    x_label: str,
    y_label: str,
    *,
    percent: bool = False,
    log: bool = False,
    highlight: Sequence[str] = (),
) -> Axes:
    """One horizontal bar per entry, the first at the top, each with its number; `highlight` in another colour."""
    axes = _canvas(title, len(values), x_label, y_label)
    colours = [VERMILION if name in highlight else BLUE for name in values.index]
    drawn = axes.barh([str(name) for name in values.index], values.to_numpy(), color=colours)
    axes.bar_label(drawn, [f"{v:.1%}" if percent else f"{v:,.0f}" for v in values], padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.09)
    if percent:
        axes.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    elif log:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return axes


def stacked(table: pd.DataFrame, title: str, x_label: str, y_label: str) -> Axes:
    """One horizontal bar per row, made of the table's columns, with a legend below."""
    axes = _canvas(title, len(table) + 1, x_label, y_label)
    begin = pd.Series(0, table.index)
    for name, colour in zip(table.columns, COLOURS, strict=False):
        axes.barh([str(row) for row in table.index], table[name], left=begin, color=colour, label=name)
        begin = begin + table[name]
    axes.invert_yaxis()
    axes.figure.legend(loc="outside lower center", ncols=len(table.columns))
    return axes


def marks(table: pd.DataFrame, title: str, x_label: str, y_label: str) -> Axes:
    """A dot where a table of booleans is true: which row has which property."""
    axes = _canvas(title, len(table) + 1, x_label, y_label)
    rows, columns = table.to_numpy().nonzero()
    axes.scatter(columns, rows, s=90, color=BLUE, zorder=2)
    axes.set_xticks(range(len(table.columns)), table.columns)
    axes.set_yticks(range(len(table)), table.index)
    axes.set(xlim=(-0.6, len(table.columns) - 0.4), ylim=(len(table) - 0.5, -0.5))
    axes.grid(visible=True, axis="both")
    return axes


def spans(begin_end: Mapping[str, pd.DataFrame], title: str, x_label: str, y_label: str) -> Axes:
    """For each row a bar from `begin` to `end`, side by side for each entry; the entries share their rows."""
    rows = next(iter(begin_end.values())).index
    axes = _canvas(title, 1.4 * len(rows) + 1, x_label, y_label)
    height = 0.8 / len(begin_end)
    for number, (label, table) in enumerate(begin_end.items()):
        places = [row + (number - (len(begin_end) - 1) / 2) * height for row in range(len(rows))]
        axes.barh(
            places,
            table["end"] - table["begin"],
            height,
            left=table["begin"],
            color=COLOURS[number],
            label=label,
        )
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.legend(loc="upper right")
    return axes


def spread(values: pd.Series, title: str, x_label: str, y_label: str, marked: Mapping[str, float]) -> Axes:
    """A histogram of sizes on a logarithmic axis, with lines at the values in `marked`."""
    plt.rcParams.update(_LOOK)
    axes: Axes = plt.subplots(figsize=(_WIDTH, 3.6))[1]
    positive = values[values > 0]
    steps = 24
    low, high = float(positive.min()), float(positive.max())
    edges = [low * (high / low) ** (step / steps) for step in range(steps + 1)]
    axes.hist(positive, bins=edges, color=BLUE)
    axes.set(title=title, xlabel=x_label, ylabel=y_label, xscale="log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    for (label, at), colour in zip(marked.items(), (ORANGE, VERMILION, PURPLE), strict=False):
        axes.axvline(at, color=colour, linewidth=2, label=label)
    axes.legend(loc="upper right")
    axes.grid(visible=True, axis="y")
    return axes
