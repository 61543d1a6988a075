"""Figures and tables of what a streak camera sees of an assembly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perolux.collective.instruments.seen import Seen
from perolux.quantities.constants import HC_EV_NM
from perolux.reports.measured_page import Table
from perolux.reports.passport_drawing import COLOURS, Plot, make_plot, widths

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["seen_plots", "seen_table", "streak_csv"]


def seen_plots(seen: Seen) -> list[Plot]:
    """The image with its photons, and the traces."""
    plots = []
    if seen.drawn is not None:
        plots.append(
            make_plot(
                "streak", "streak image: counts against wavelength and time",
                f"Streak image, photons drawn, shifts x {seen.screening:g}; response: "
                f"{seen.camera.response.note}. "
                "Simulated.",
                lambda axes: _draw_image(axes, seen),
            )
        )  # fmt: skip
    if seen.traces:
        plots.append(
            make_plot(
                "streak-trace", "counts against time behind the response",
                "Expected counts of each bin of time, behind the response; shaded: a bracket.",
                lambda axes: _draw_traces(axes, seen),
            )
        )  # fmt: skip
    return plots


def _draw_image(axes: Axes, seen: Seen) -> None:
    if seen.drawn is None:
        return
    nm = HC_EV_NM / seen.camera.energy_edges_ev[::-1]
    image = seen.drawn[:, ::-1]
    mesh = axes.pcolormesh(nm, seen.camera.edges_ps, image, cmap="inferno", rasterized=True)
    axes.figure.colorbar(mesh, ax=axes, label="counts")
    axes.set(xlabel="wavelength (nm)", ylabel="time (ps)")
    axes.invert_yaxis()


def _draw_traces(axes: Axes, seen: Seen) -> None:
    edges = seen.camera.edges_ps
    middle = 0.5 * (edges[1:] + edges[:-1])
    for colour, width, one in zip(COLOURS, widths(len(seen.traces)), seen.traces, strict=False):
        label = f"shifts x {one.screening:g}"
        if len(one.expected) == 2:
            axes.fill_between(
                middle, *one.expected, color=colour, alpha=0.3, lw=0, label=f"{label} (bracket)"
            )
        else:
            axes.plot(middle, one.expected[0], color=colour, lw=width, label=label)
    axes.set(xlabel="time (ps)", ylabel="counts", xlim=(float(edges[0]), float(edges[-1])), ylim=(0.0, None))
    axes.legend()


def seen_table(seen: Seen) -> Table:
    """What the instrument makes of it, in numbers."""
    rows = [("response in time", seen.camera.response.note)]
    if seen.share is not None:
        rows.append(
            ("light that the lens takes: emitters one by one; brightest mode",
             f"{100 * seen.share.independent:.3g} %; {100 * seen.share.brightest_mode:.3g} %")
        )  # fmt: skip
    if seen.photons_per_shot is not None:
        rows.append(("photons detected in a shot", f"{seen.photons_per_shot:.3g}"))
    if seen.drawn is not None:
        rows.append(("counts of the image", f"{seen.drawn.sum():.0f}"))
    for one in seen.traces:
        rows.append(
            (
                f"peak to 1/e, shifts x {one.screening:g}",
                "–" if one.fall_ps is None else f"{one.fall_ps:.3g} ps",
            )
        )
    if seen.image_reason is not None:
        rows.append(("image", f"none: {seen.image_reason}"))
    return Table("As the instrument sees it", ("quantity", "value"), rows, (), "; ".join(seen.notes) + ".")


def streak_csv(seen: Seen) -> str | None:
    """The drawn image in the layout that `perolux burst fit` reads; None without one."""
    if seen.drawn is None:
        return None
    nm = HC_EV_NM / seen.camera.energy_edges_ev[::-1]
    edges = seen.camera.edges_ps
    lines = [
        "# SIMULATED by perolux burst", f"# response: {seen.camera.response.note}",
        "time_ps\\wavelength_nm," + ",".join(f"{x:.6g}" for x in 0.5 * (nm[1:] + nm[:-1])),
    ]  # fmt: skip
    middle = 0.5 * (edges[1:] + edges[:-1])
    for t, row in zip(middle, seen.drawn[:, ::-1], strict=True):
        lines.append(f"{t:.6g}," + ",".join(f"{np.rint(n):.0f}" for n in row))
    return "\n".join(lines) + "\n"
