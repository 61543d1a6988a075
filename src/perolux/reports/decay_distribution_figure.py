"""The picture of a distribution of lifetimes: spikes, and two smooth answers with their bands."""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from perolux.reports.figures import BLUE, GREY, ORANGE, STYLE, new_figure

if TYPE_CHECKING:
    from perolux.photons.decay_distribution import LifetimeDistribution

__all__ = ["draw_distribution", "render_distribution"]


def draw_distribution(found: LifetimeDistribution) -> bytes:
    """The SVG: share of photons per unit of ln(tau) for the smooth methods, spikes as shares on the right
    axis.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    tau = found.tau_ns
    step = float(np.log(tau[1] / tau[0]))
    with matplotlib.rc_context(cast("Any", STYLE)):
        figure = new_figure(5.2, 3.0)
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        other = axes.twinx()
        spikes = found["likelihood"].photons / max(float(found["likelihood"].photons.sum()), 1e-300)
        there = spikes > 0
        other.vlines(
            tau[there], 0, spikes[there], color=GREY, lw=1.2, label="greatest likelihood (spikes, right)"
        )
        for name, colour, words in (
            ("entropy", BLUE, "greatest entropy"),
            ("curvature", ORANGE, "least curvature"),
        ):
            one = found[name]
            unit = max(float(one.photons.sum()), 1e-300) * step
            axes.plot(tau, one.photons / unit, color=colour, lw=1.2, label=words)
            if one.photons_low is not None and one.photons_high is not None:
                axes.fill_between(
                    tau, one.photons_low / unit, one.photons_high / unit, color=colour, alpha=0.2, lw=0
                )
        axes.set(xscale="log", xlabel="lifetime (ns)", ylabel="photons per unit of ln(tau)")
        axes.set_ylim(bottom=0)
        other.set(ylabel="share of a spike")
        other.set_ylim(bottom=0)
        lines = [*axes.get_lines(), *other.collections]
        axes.legend(lines, [str(line.get_label()) for line in lines], fontsize=6)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def render_distribution(found: LifetimeDistribution) -> str:
    """The section of a report: picture, moments of each method, peaks, what may be said."""
    picture = draw_distribution(found).decode()
    moments = "".join(
        f"<tr><td>{escape(one.name)}</td>"
        + "".join(
            f"<td>{_interval(one.moments[key])}</td>"
            for key in (
                "mean_ln_tau",
                "sd_ln_tau",
                "average_amplitude_ns",
                "average_intensity_ns",
                "background",
            )
        )
        + "</tr>"
        for one in found.methods
    )
    peaks = "".join(
        f"<tr><td>{one.tau_ns:.4g}</td><td>{one.sd_ln_tau:.2g}</td>"
        f"<td>{'–' if one.single_sd is None else f'{one.single_sd:.2g}'}</td><td>{100 * one.share:.1f} "
        "%</td></tr>"
        for one in found["entropy"].peaks
    )
    notes = "".join(f"<li>{escape(text)}</li>" for text in found.as_dict()["warnings"])
    said = (
        f"{found.level:.0%} intervals of {found.resamples} resamples, reflected at the value (which may lie "
        "past an end): counting noise; the bands are its scatter."
        if found.resamples
        else "No intervals were asked for."
    )
    return (
        f"<h2>Distribution of lifetimes</h2>{picture[picture.index('<svg') :]}"
        "<div style='overflow-x:auto'><table><tr><th>method</th><th>mean ln(tau/ns)</th><th>sd ln(tau)</th>"
        "<th>average by amplitude (ns)</th><th>by intensity (ns)</th><th>background per bin</th></tr>"
        f"{moments}</table></div><p>{said}</p><h3>Peaks of greatest entropy</h3><table><tr><th>lifetime "
        "(ns)</th>"
        "<th>sd ln(tau)</th><th>a single lifetime would show</th><th>photons</th></tr>"
        f"{peaks}</table><ul>{notes}</ul>"
    )


def _interval(one: tuple[float, float | None, float | None]) -> str:
    value, low, high = one
    return f"{value:.4g}" + ("" if low is None or high is None else f" ({low:.4g} to {high:.4g})")
