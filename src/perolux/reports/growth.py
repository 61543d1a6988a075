"""The report of a grown recipe: one self-contained HTML file with curves, a slider over time or along a tube,
balances and every prior. What it shows is a `grown.Grown`, whatever the route."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux import __version__
from perolux.files import write_text
from perolux.reports.figures import BLUE, GREY, ORANGE
from perolux.reports.grown import Along, Course, Curve, Grown
from perolux.reports.html import environment, static_text, value_groups
from perolux.reports.pack import as_script_json
from perolux.reports.passport_drawing import COLOURS, Plot, log_axis, make_plot
from perolux.reports.words import formula

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["render_growth", "write_growth_report"]

_FEW = 25
"""Places from which on points are not marked."""


def write_growth_report(grown: Grown, path: str | Path) -> Path:
    """Render the report of a recipe and write it atomically."""
    return write_text(path, render_growth(grown))


def render_growth(grown: Grown) -> str:
    """The report as one HTML document: its one script is its own, and no request leaves it."""
    from markupsafe import Markup

    return (
        environment()
        .get_template("growth.html.j2")
        .render(
            grown=grown,
            title=grown.name,
            product=formula(grown.recipe.product),
            route=grown.recipe.route,
            version=__version__,
            created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            css=Markup(static_text("report.css")),
            script=Markup(static_text("growth.js")),
            data=Markup(as_script_json(_data(grown))),
            warnings=[*grown.warnings, *grown.light_warnings()],
            plots=[_plot(grown.along, course) for course in grown.courses],
            spectra=grown.spectra,
            heads=_heads(grown),
            unit=grown.unit.replace("umol", "µmol").replace("_", "/"),
            value_groups=value_groups([value.as_dict() for value in grown.rests_on]),
        )
    )


def _heads(grown: Grown) -> list[tuple[str, str]]:
    """Keys of a balance beside what was fed, and what they are called."""
    keys = [key for key in next(iter(grown.balances.values())) if key.endswith(f"_{grown.unit}")]
    return [(key, key.removesuffix(f"_{grown.unit}").replace("_", " ")) for key in keys]


def _data(grown: Grown) -> dict[str, Any]:
    """What the script draws: panels of curves or bars, one a place, and what is said of each place."""
    sizes, spectra = grown.sizes, grown.spectra
    names = sizes.x if isinstance(sizes.x, tuple) else None
    x = list(range(len(names))) if names else _short(np.asarray(sizes.x))
    panels: list[dict[str, Any]] = [
        {
            "id": "sizes",
            "title": sizes.title,
            "x": x,
            "names": names,
            "log": sizes.log,
            "own": names is None,
            "y": [[_short(one) for one in sizes.y]],
            "axes": [sizes.x_label, sizes.y_label],
        }
    ]
    if spectra is not None:
        wave = _short(spectra.wavelength_nm)
        for name, title, label, values in (
            ("light", "PL", "PL (1/nm)", spectra.pl),
            ("dark", "Absorbance", "absorbance", spectra.absorbance),
        ):
            if values is not None:
                y = [[_short(one) for one in of_set] for of_set in values]
                axes = ["wavelength (nm)", label]
                panels.append({"id": name, "title": title, "x": wave, "y": y, "axes": axes})
    said = [f"{label}: {text}" for label, text in zip(grown.along.spoken, grown.said, strict=True)]
    return {"said": said, "panels": panels}


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{x:.4g}") for x in values]


def _plot(along: Along, course: Course) -> Plot:
    x = along.values
    seen = x > 0 if along.log else np.isfinite(x)
    marker = "o" if int(seen.sum()) < _FEW else None
    colours = _colours(len(course.left))

    def curve(axis: Axes, one: Curve, colour: Any) -> None:
        y = one.values[seen]
        if one.band is not None:
            band = one.band[seen]
            axis.fill_between(x[seen], y - band, y + band, color=colour, alpha=0.2)
        axis.plot(x[seen], y, color=colour, label=one.label, marker=marker, ms=2.5)

    def scaled(axis: Axes, curves: tuple[Curve, ...]) -> None:
        y = np.concatenate([one.values[seen] for one in curves])
        y = y[np.isfinite(y)]
        decades = max((one.decades or 0.0 for one in curves), default=0.0)
        if decades and (y > 0).any():
            axis.set_yscale("log")
            top, low = float(y.max()), float(y[y > 0].min())
            axis.set_ylim(max(top * 10.0**-decades, 0.5 * low), 3.0 * top)
            return
        axis.ticklabel_format(axis="y", useOffset=False)
        if len(y) and y.mean() and np.ptp(y) < 1e-6 * abs(y.mean()):  # a constant, not its rounding
            axis.set_ylim(*sorted((0.9 * y.mean(), 1.1 * y.mean())))

    def draw(axis: Axes) -> None:
        if along.log and seen.any():
            axis.set_xscale("log")
            log_axis(axis.xaxis, float(x[seen].min()), float(x[seen].max()))
        axis.set_xlabel(f"{along.name} ({along.unit})")
        axis.set_ylabel(course.axis)
        for mark in along.marks:
            axis.axvline(mark, color=GREY, lw=0.6, ls=":")
        for one, colour in zip(course.left, colours, strict=True):
            curve(axis, one, colour)
        scaled(axis, course.left)
        if len(course.left) > 1:
            axis.legend(frameon=False, fontsize="small")
        if course.right is not None:
            beside = axis.twinx()
            beside.spines["right"].set_visible(True)
            curve(beside, course.right, ORANGE)
            scaled(beside, (course.right,))
            beside.set_ylabel(course.right.label, color=ORANGE)
            axis.yaxis.label.set_color(BLUE)

    dotted = " Dotted lines: events." if along.marks else ""
    return make_plot(course.name, course.title, course.caption + dotted, draw)


def _colours(count: int) -> list[Any]:
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    from matplotlib import colormaps

    return [colormaps["viridis"](x) for x in np.linspace(0.0, 0.9, count)]
