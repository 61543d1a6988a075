"""The picture of a map: the mean size over one axis with its spread, or over two as a plane of colours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from perolux.reports.figures import BLUE, GREY, STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_map"]

FloatArray = npt.NDArray[np.float64]
_WIDE = 20.0
"""Edges that differ by more than this are coloured by their logarithm."""


def draw_map(
    titles: Sequence[str],
    logs: Sequence[bool],
    places: FloatArray,
    edge_nm: FloatArray,
    cv: FloatArray,
    shape: Sequence[int] | None,
    size: str = "mean edge",
) -> bytes:
    """The SVG of a map over one or two axes.

    titles, logs: name with unit of each axis, and whether it is even in the logarithm. places: shape
    (points, axes). edge_nm, cv: shape (points,), NaN where there are no crystals. shape: points of each
    axis of a grid, the last runs fastest; None for a sample. size: what the sizes are called.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with matplotlib.rc_context(cast("Any", STYLE)):
        if places.shape[1] == 1:
            figure = _line(titles[0], logs[0], places[:, 0], edge_nm, cv, shape is not None, size)
        else:
            figure = _plane(titles, logs, places, edge_nm, shape, size)
        FigureCanvasAgg(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _line(
    title: str, log: bool, x: FloatArray, edge: FloatArray, cv: FloatArray, joined: bool, size: str
) -> Figure:
    figure = new_figure(4.5, 3.2)
    axis = figure.add_subplot()
    order = np.argsort(x)
    x, edge, cv = x[order], edge[order], cv[order]
    low, high = edge * (1 - cv), edge * (1 + cv)
    axis.fill_between(x, low, high, alpha=0.2, color=BLUE, lw=0, label="one standard deviation")
    axis.plot(x, edge, "o-" if joined else "o", ms=2.5, lw=1, color=BLUE, label=size)
    _no_crystals(axis, x[np.isnan(edge)], None)
    axis.set(xlabel=title, ylabel=f"{size} (nm)", xscale="log" if log else "linear")
    axis.set_ylim(bottom=0)
    axis.legend(fontsize=6)
    return figure


def _plane(
    titles: Sequence[str],
    logs: Sequence[bool],
    where: FloatArray,
    edge: FloatArray,
    shape: Sequence[int] | None,
    size: str,
) -> Figure:
    from matplotlib.colors import LogNorm

    figure = new_figure(4.8, 3.6)
    axis = figure.add_subplot()
    axis.spines[["top", "right"]].set_visible(True)
    least, most = float(np.nanmin(edge)), float(np.nanmax(edge))
    norm = LogNorm(least, most) if most > _WIDE * least else None
    if shape is not None:
        x, y = where[:, 0].reshape(shape)[:, 0], where[:, 1].reshape(shape)[0]
        rows, columns = np.argsort(x), np.argsort(y)
        plane = np.ma.masked_invalid(edge.reshape(shape)[rows][:, columns].T)
        axis.set_facecolor("#dddddd")
        drawn: Any = axis.pcolormesh(
            x[rows], y[columns], plane, shading="nearest", norm=norm, rasterized=True
        )
        if np.ma.count_masked(plane):
            axis.set_title("grey: no crystals, or not possible", fontsize=6, color=GREY, loc="right")
    else:
        there = np.isfinite(edge)
        drawn = axis.scatter(
            where[there, 0], where[there, 1], c=edge[there], s=8, lw=0, norm=norm, rasterized=True
        )
        _no_crystals(axis, where[~there, 0], where[~there, 1])
    for scale, log in ((axis.set_xscale, logs[0]), (axis.set_yscale, logs[1])):
        scale("log" if log else "linear")
    axis.set(xlabel=titles[0], ylabel=titles[1])
    figure.colorbar(drawn, ax=axis, label=f"{size} (nm)")
    return figure


def _no_crystals(axis: Any, x: FloatArray, y: FloatArray | None) -> None:
    if len(x):
        height = np.zeros_like(x) if y is None else y
        axis.plot(
            x,
            height,
            "x",
            ms=3,
            mew=0.6,
            color=GREY,
            label="no crystals, or not possible",
            rasterized=len(x) > 1000,
        )
