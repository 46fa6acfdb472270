"""Matplotlib figures as elements of a page: text stays text, and colours follow the page's, light and dark.

The same values give the same bytes. Figures are drawn about as wide as a phone, so that their letters stay
readable there; wider screens set two side by side.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

# This colour is replaced by the page's text colour.
_INK = "#123456"
_WIDTH = 4.8
_LOOK = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gluebook",
    # A dollar in a name starts no formula.
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": _INK,
    "grid.alpha": 0.13,
    "grid.linewidth": 0.7,
    "ytick.major.size": 0,
    "xtick.major.size": 3,
    "axes.titlesize": 11,
    "axes.titleweight": "semibold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "lines.marker": "o",
    "lines.markersize": 3.5,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
}


def drawn(draw: Callable[[Any], None], label: str, height: float) -> str:
    """An `<svg>` of what `draw` draws on a matplotlib Figure; `label`: what it shows, for who can't see it.

    `height` in inches, of a width of 4.8. Raises nothing of its own.
    """
    import matplotlib as mpl  # slow to import
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        draw(figure)
        stream = io.StringIO()
        # Without a date: nothing in a plot depends on when it was drawn.
        FigureCanvasSVG(figure).print_svg(
            stream, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    return _inlined(stream.getvalue(), label)


def _inlined(text: str, label: str) -> str:
    """matplotlib's file as an element of a page; ids are the plot's own, since all plots share one page."""
    svg = text[text.index("<svg") :]
    # Comments repeat the text.
    svg = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", svg, flags=re.S)
    box = re.search(r'viewBox="([^"]+)"', svg)
    own = re.sub(r"\W+", "-", label.lower()).strip("-")[:60]
    svg = re.sub(r'\b(id|clip-path|xlink:href)="(url\()?(#?)([^")]+)', rf'\1="\2\3{own}-\4', svg)
    svg = svg.replace("xlink:href=", "href=").replace(_INK, "currentColor")
    # One family for all letters of the page; sizes stay.
    svg = re.sub(
        r"(font: [^;\"]*?)(?:'[^']*'|sans-serif)(?:, ?(?:'[^']*'|[\w-]+))*", r"\1inherit-family", svg
    )
    svg = svg.replace("inherit-family", "system-ui, sans-serif")
    title = escape(label, quote=True)
    opening = (
        f'<svg class="plot" viewBox="{box[1] if box else ""}" role="img" aria-label="{title}" '
        f'preserveAspectRatio="xMinYMin meet"><title>{title}</title>'
    )
    return re.sub(r"<svg\b[^>]*>", lambda _: opening, svg, count=1).strip()
