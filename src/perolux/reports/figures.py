"""Publication figures: overview against a recipe variable, chromaticity, peak against width; SVG and PDF."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from perolux.files import write_bytes
from perolux.reports.content import ReportContent, Variable, variables_of
from perolux.reports.pack import first_variable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BLUE", "GREY", "ORANGE", "STYLE", "new_figure", "write_figures"]

STYLE: dict[str, Any] = {
    "font.size": 8,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text, editable in a drawing program
    "svg.hashsalt": "perolux",  # the same run gives the same file
    "pdf.fonttype": 42,
    "figure.dpi": 150,
}
_WIDE_INCH = 7.0
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#7a7a7a"
"""Okabe-Ito colours, told apart by all readers."""


def write_figures(content: ReportContent, folder: Path, formats: Sequence[str]) -> list[str]:
    """Draw all figures, write each as `NAME.FORMAT` atomically, and return the file names.

    Nothing is drawn without a measured sample or without a format.
    """
    if not formats or not content.measured:
        return []
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    names = []
    drawings: list[tuple[str, Callable[[ReportContent], Figure]]] = [
        ("overview", _overview),
        ("chromaticity", _chromaticity),
        ("peak_and_width", _peak_and_width),
    ]
    with matplotlib.rc_context(cast("Any", STYLE)):
        for name, draw in drawings:
            figure = draw(content)
            FigureCanvasAgg(figure)
            figure.draw_without_rendering()
            figure.set_layout_engine("none")  # the layout is found once, not for every format
            for form in formats:
                buffer = io.BytesIO()
                stamp = {"Date": None} if form == "svg" else {"CreationDate": None}
                figure.savefig(buffer, format=form, metadata=stamp)
                write_bytes(folder / f"{name}.{form}", buffer.getvalue())
                names.append(f"{name}.{form}")
    return names


def new_figure(width_inch: float, height_inch: float) -> Figure:
    """An empty figure whose layout is found when it is drawn."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_inch, height_inch), layout="constrained")


def _variable(content: ReportContent) -> Variable | None:
    position = first_variable(content)
    return content.variables[position] if position >= 0 else None


def _overview(content: ReportContent) -> Figure:
    """Peak, width, and what else the study has (size, absorption, composition) against one variable.

    Samples whose recipe is unknown stand in a strip at the left.
    """
    variable = _variable(content)
    rows = content.measured
    places, mark = _places(rows, variable)
    colours = [row.get("screen_colour") or GREY for row in rows]
    panels = [("peak_nm", "emission peak (nm)"), ("fwhm_mev", "width, FWHM (meV)")]
    if content.material or not content.has_absorption:
        panels += [("edge", ""), ("platelet_weight", "platelet weight")]
    if content.has_absorption:
        panels += [("first_exciton_nm", "first exciton (nm)"), ("stokes_shift_mev", "Stokes shift (meV)")]
    if content.fraction_name:
        panels += [("halide_fraction", "")]
    height = -(-len(panels) // 2)
    figure = new_figure(_WIDE_INCH, 2.6 * height)
    axes = figure.subplots(height, 2, sharex=True, squeeze=False)
    for axis, (key, label) in zip(axes.flat, panels, strict=False):
        if key == "edge":
            _sizes(axis, rows, places)
        elif key == "halide_fraction":
            _fractions(axis, rows, places, content.fraction_name or "")
        else:
            _scatter(axis, places, [row.get(key) for row in rows], colours)
            axis.set_ylabel(label)
    drawn = list(axes.flat)[: len(panels)]
    for axis, letter in zip(drawn, "abcdefgh", strict=False):
        mark(axis)
        axis.set_title(letter, loc="left", fontweight="bold", fontsize=9)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_axis_off()
    for axis in drawn[-2:]:
        axis.tick_params(labelbottom=True)
        axis.set_xlabel(variable.title if variable else "sample, in the order of the files")
    return figure


def _fractions(axis: Any, rows: Sequence[dict[str, Any]], places: Sequence[float], name: str) -> None:
    """Halide fractions: medians with their 95 % intervals, which hold the degeneracy with the size."""
    chosen = [
        (p, row) for p, row in zip(places, rows, strict=True) if row.get("halide_fraction_median") is not None
    ]
    middle, low, high = (
        np.array([row[f"halide_fraction_{key}"] for _, row in chosen])
        for key in ("median", "low95", "high95")
    )
    if chosen:
        x = [place for place, _ in chosen]
        axis.errorbar(x, middle, (middle - low, high - middle), fmt="o", ms=2, lw=0.5, color=BLUE, alpha=0.9)
    axis.set_ylabel(f"{name}, 95 %")
    axis.set_ylim(0, 1)


def _places(
    rows: Sequence[dict[str, Any]], variable: Variable | None
) -> tuple[list[float], Callable[[Any], None]]:
    """Where each sample stands across, and a function that finishes an axis (scale, ticks, strip)."""
    if variable is None:
        return [float(k) for k in range(len(rows))], lambda axis: None
    values = [variables_of(row).get(variable.column) for row in rows]
    if not variable.numeric:
        names = sorted({str(value) for value in values if value is not None})
        order = {name: k for k, name in enumerate(names)}
        places = [float(order[str(v)]) if v is not None else -1.5 for v in values]

        def categories(axis: Any) -> None:
            axis.set_xticks([-1.5, *range(len(names))], ["no recipe", *names], rotation=60, ha="right")

        return places, categories
    known = np.array([value for value in values if isinstance(value, float)])
    positive = known[known > 0]
    log = len(positive) > 0 and float(positive.max() / positive.min()) > 30
    if log:
        low, high = np.log10(positive.min()), np.log10(positive.max())
        strip = float(10 ** (low - 0.12 * (high - low) - 0.05))
    else:
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        strip = low - 0.12 * (high - low or 1.0)
    places = [value if isinstance(value, float) and (value > 0 or not log) else strip for value in values]

    def numbers(axis: Any) -> None:
        if log:
            axis.set_xscale("log")
        if strip in places:
            axis.axvline(strip, color=GREY, lw=5, alpha=0.15, zorder=0)
            axis.annotate(
                "no recipe",
                (strip, 0.5),
                xycoords=("data", "axes fraction"),
                xytext=(-6, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                rotation=90,
                fontsize=6,
                color=GREY,
            )
            left, right = axis.get_xlim()
            axis.set_xlim((strip / (right / strip) ** 0.06) if log else strip - 0.06 * (right - left), right)
            # a tick under the strip would say that these samples have that value
            first = min((place for place in places if place > strip), default=right)
            for minor in (False, True):
                ticks = [t for t in axis.get_xticks(minor=minor) if first <= t <= right]
                axis.set_xticks(ticks, minor=minor)

    return places, numbers


def _scatter(
    axis: Any, places: Sequence[float], values: Sequence[float | None], colours: Sequence[str]
) -> None:
    shown = [k for k, value in enumerate(values) if value is not None]
    axis.scatter(
        [places[k] for k in shown],
        [values[k] for k in shown],
        s=11,
        c=[colours[k] for k in shown],
        edgecolors="black",
        linewidths=0.25,
    )


def _sizes(axis: Any, rows: Sequence[dict[str, Any]], places: Sequence[float]) -> None:
    """Edges of cubes: interval with its median, or an arrow up from a lower bound; faint where platelets."""
    for kind, colour in (("interval", BLUE), ("lower-bound", ORANGE)):
        for likely, alpha in ((True, 0.25), (False, 0.9)):
            chosen = [
                (place, row)
                for place, row in zip(places, rows, strict=True)
                if row.get("edge_kind") == kind and ((row["platelet_weight"] or 0.0) > 0.5) == likely
            ]
            if not chosen:
                continue
            x = [place for place, _ in chosen]
            low = np.array([row["edge_low95_nm"] for _, row in chosen])
            if kind == "interval":
                middle = np.array([row["edge_median_nm"] for _, row in chosen])
                high = np.array([row["edge_high95_nm"] for _, row in chosen])
                axis.errorbar(
                    x, middle, (middle - low, high - middle), fmt="o", ms=2, lw=0.5, color=colour, alpha=alpha
                )
            else:
                axis.errorbar(
                    x, low, 0.9, fmt="_", ms=3, lw=0.5, color=colour, alpha=alpha, lolims=True, capsize=1.5
                )
    axis.set_ylabel("edge of a cube (nm), 95 %")
    # room for the legend above the bars
    axis.set_ylim(0, 1.2 * axis.get_ylim()[1])
    kinds = {row.get("edge_kind") for row in rows}
    handles = []
    if "interval" in kinds:
        handles += axis.plot([], [], "o-", ms=2, lw=0.6, color=BLUE, label="interval")
    if "lower-bound" in kinds:
        handles += axis.plot([], [], "_", ms=4, color=ORANGE, label="lower bound")
    if any((row.get("platelet_weight") or 0.0) > 0.5 for row in rows):
        handles += axis.plot([], [], "o", ms=2, color=GREY, alpha=0.4, label="faint: platelets more probable")
    if handles:
        axis.legend(handles=handles, fontsize=6, loc="best")


def _chromaticity(content: ReportContent) -> Figure:
    from perolux.display.colour import spectral_locus, uv_prime
    from perolux.display.gamut import gamut_triangle

    figure = new_figure(_WIDE_INCH, 3.7)
    rows = [row for row in content.measured if row.get("cie_x") is not None]
    nm, x, y = spectral_locus()
    for axis, space, keys, locus, labels in (
        (figure.add_subplot(1, 2, 1), "xy", ("cie_x", "cie_y"), (x, y), ("x", "y")),
        (
            figure.add_subplot(1, 2, 2),
            "u'v'",
            ("cie_u_prime", "cie_v_prime"),
            uv_prime(x, y),
            ("u′", "v′"),
        ),
    ):
        axis.plot([*locus[0], locus[0][0]], [*locus[1], locus[1][0]], color="black", lw=0.8)
        triangle = gamut_triangle("Rec.2020", "xy" if space == "xy" else "u'v'")
        closed = np.vstack([triangle, triangle[:1]])
        axis.plot(closed[:, 0], closed[:, 1], "--", color=GREY, lw=0.8, label="Rec. 2020")
        for mark in (460, 480, 500, 520, 540, 560, 580, 600, 620):
            k = int(np.searchsorted(nm, mark))
            axis.annotate(
                str(mark),
                (locus[0][k], locus[1][k]),
                xytext=(-4 if mark < 515 else 4, 2),
                textcoords="offset points",
                ha="right" if mark < 515 else "left",
                fontsize=6,
                color=GREY,
            )
            axis.plot(locus[0][k], locus[1][k], ".", ms=2, color="black")
        axis.scatter(
            [row[keys[0]] for row in rows],
            [row[keys[1]] for row in rows],
            s=10,
            c=[row["screen_colour"] for row in rows],
            edgecolors="black",
            linewidths=0.25,
            zorder=3,
        )
        axis.set_xlabel(labels[0], style="italic")
        axis.set_ylabel(labels[1], style="italic")
        axis.set_aspect("equal")
        axis.set_xlim(-0.03, 0.77 if space == "xy" else 0.65)
        axis.set_ylim(-0.02, 0.88 if space == "xy" else 0.62)
        axis.legend(fontsize=6, loc="upper right" if space == "xy" else "lower right")
    return figure


def _peak_and_width(content: ReportContent) -> Figure:
    figure = new_figure(3.5, 3.0)
    axis = figure.add_subplot()
    rows = [row for row in content.measured if row.get("fwhm_mev") is not None]
    for likely, marker, label in (
        (True, "s", "platelets more probable"),
        (False, "o", "cubes more probable"),
    ):
        chosen = [row for row in rows if ((row.get("platelet_weight") or 0.0) > 0.5) == likely]
        if chosen:
            axis.scatter(
                [row["peak_ev"] for row in chosen],
                [row["fwhm_mev"] for row in chosen],
                s=11,
                marker=marker,
                c=[row.get("screen_colour") or GREY for row in chosen],
                edgecolors="black",
                linewidths=0.25,
                label=label if content.material else None,
            )
    axis.set_xlabel("emission peak (eV)")
    axis.set_ylabel("width, FWHM (meV)")
    if content.material:
        axis.legend(fontsize=6)
    return figure
