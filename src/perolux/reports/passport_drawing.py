"""What the figures of a passport share: SVG of a figure, colours, axes with plain numbers."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, cast

from perolux.quantities import Value
from perolux.reports.figures import BLUE, GREY, ORANGE, STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = ["APART_K", "COLOURS", "GREY", "INK", "Plot", "log_axis", "make_plot", "widths"]

_WIDTH, _HEIGHT = 4.4, 2.9
INK = "#1c2329"
APART_K = 5.0
"""Points and lines nearer to the temperature of the nanocrystal would not be told apart from it."""
COLOURS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9")
"""Of the parameter sets, in their order; nothing else is drawn in them."""


def widths(lines: int) -> list[float]:
    """Of lines that may lie on each other: the earlier ones show beside the later.

    >>> widths(1), widths(3)
    ([1.5], [2.9, 2.2, 1.5])
    """
    return [round(1.5 + 0.7 * later, 1) for later in reversed(range(lines))]


@dataclass(frozen=True)
class Plot:
    """One figure: an SVG element, the sentence under it, and the numbers that only it rests on."""

    name: str
    svg: str
    caption: str
    rests_on: tuple[Value, ...] = ()

    def svg_of(self, crystal: str) -> str:
        """The SVG with identifiers that no other nanocrystal of the page has."""
        svg = re.sub(r'\bid="', f'id="{crystal}-', self.svg)
        return re.sub(r'(href="#|url\(#)', rf"\1{crystal}-", svg)


def make_plot(
    name: str,
    title: str,
    caption: str,
    draw: Callable[[Axes], None],
    *,
    rests_on: tuple[Value, ...] = (),
) -> Plot:
    """The figure that `draw` fills; `title` is read out in its place."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with matplotlib.rc_context(cast("Any", STYLE)):
        figure: Figure = new_figure(_WIDTH, _HEIGHT)
        FigureCanvasAgg(figure)
        draw(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    svg = text[text.index("<svg") :]
    # identifiers must be unique in the page, and the size is that of the column
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\1{name}-", svg)
    svg = re.sub(r'^(<svg[^>]*?) width="[^"]*"', r"\1", svg)
    svg = re.sub(r'^(<svg[^>]*?) height="[^"]*"', r"\1", svg)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
    return Plot(name, svg, caption, rests_on)


def log_axis(axis: Axis, low: float, high: float) -> None:
    """A logarithmic axis with plain numbers: 1, 2, 5 of each decade, over three the powers alone."""
    import numpy as np
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    steps: tuple[float, ...] = (1.0, 2.0, 5.0) if np.log10(high / low) < 3.0 else (1.0,)
    if np.log10(high / low) < 1.1:
        steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
    ticks = [step * 10.0**decade for decade in range(first, last + 1) for step in steps]
    axis.set_major_locator(FixedLocator([t for t in ticks if low * 0.999 <= t <= high * 1.001]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.10g}"))
    axis.set_minor_formatter(NullFormatter())
