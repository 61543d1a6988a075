"""The picture of a decay: counts, model and components over time, and the residuals below."""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from perolux.reports.decay_distribution_figure import render_distribution
from perolux.reports.figures import BLUE, GREY, ORANGE, STYLE, new_figure

if TYPE_CHECKING:
    from perolux.photons.decay_record import DecayAnalysis

__all__ = ["draw_decay", "render_decay"]


def draw_decay(found: DecayAnalysis) -> bytes:
    """The SVG: counts of every bin with photons, those fitted in blue, the model, its background; residuals
    in sigmas.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    fit, decay = found.fit, found.decay
    with matplotlib.rc_context(cast("Any", STYLE)):
        figure = new_figure(5.2, 4.0)
        FigureCanvasAgg(figure)
        top, low = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        fitted = np.isin(decay.time_ns, found.time_ns)
        shown = decay.counts > 0
        top.plot(
            decay.time_ns[shown & ~fitted],
            decay.counts[shown & ~fitted],
            ".",
            ms=2,
            color=GREY,
            label="not fitted",
        )
        top.plot(
            decay.time_ns[shown & fitted], decay.counts[shown & fitted], ".", ms=2, color=BLUE, label="counts"
        )
        # a gap or an excluded range stays a gap of the line
        broken = np.flatnonzero(np.diff(found.time_ns) > 1.5 * fit.histogram.bin_ns) + 1
        time = np.insert(found.time_ns, broken, np.nan)
        name = f"{fit.model} exponential{'s' * (fit.model != '1')}" if fit.model.isdigit() else fit.model
        top.plot(time, np.insert(fit.expected, broken, np.nan), color=ORANGE, lw=1, label=name)
        if fit.background > 0:
            top.axhline(fit.background, color=GREY, lw=0.7, ls="--", label="background")
        top.set(yscale="log", ylabel="counts per bin")
        top.set_ylim(bottom=max(0.5, 0.5 * float(fit.expected.min())))
        if not (shown & ~fitted).any():
            top.lines[0].remove()
        top.legend(fontsize=6)
        low.axhline(0, color=GREY, lw=0.6)
        low.plot(found.time_ns, fit.residuals, ".", ms=1.5, color=BLUE)
        most = max(4.0, 1.05 * float(np.abs(fit.residuals).max()))
        low.set(xlabel="time (ns)", ylabel="residual", ylim=(-most, most))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def render_decay(found: DecayAnalysis) -> str:
    """One HTML page without any request: the picture, lifetimes, comparison of models, warnings."""
    fit, picture = found.fit, draw_decay(found).decode()
    facts = found.as_dict()
    rows = "".join(
        f"<tr><td>{t.get('value'):.4g}</td><td>{_range(t)}</td><td>{a['counts_per_bin_at_pulse']:.4g}</td>"
        f"<td>{a['counts']:.4g}</td></tr>"
        for t, a in zip(facts["lifetimes_ns"], facts["amplitudes"], strict=True)
    )
    models = "".join(
        f"<tr><td>{escape(one.model)}</td><td>{', '.join(f'{x:.4g}' for x in one.lifetimes_ns)}</td>"
        f"<td>{one.deviance:.6g}</td><td>{one.delta_bic:.1f}</td></tr>"
        for one in fit.comparison
    )
    notes = "".join(f"<li>{escape(text)}</li>" for text in facts["warnings"])
    spread = "" if found.distribution is None else render_distribution(found.distribution)
    dark = (
        ""
        if fit.dark is None
        else f" (prior: {escape(fit.dark.record.note)}; alone {fit.dark.free_per_bin:.4g}, "
        f"{fit.dark.sigmas:+.1f} sigma from it)"
    )
    reduced = "–" if fit.reduced_deviance is None else f"{fit.reduced_deviance:.3g}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Decay of "
        f"{escape(found.decay.label)}</title><style>body{{font:15px sans-serif;max-width:50em;"
        "margin:2em auto;padding:0 1em}table{border-collapse:collapse}td,th{padding:.2em "
        ".8em;text-align:right}"
        "svg{max-width:100%;height:auto}</style></head><body>"
        f"<h1>Decay of {escape(found.decay.label)}</h1>{picture[picture.index('<svg') :]}"
        f"<table><tr><th>lifetime (ns)</th><th>{fit.level:.0%} interval</th><th>counts per bin at the "
        f"pulse</th>"
        f"<th>photons</th></tr>{rows}</table><p>Background {fit.background:.4g} counts per bin{dark}, "
        "reduced "
        f"deviance "
        f"{reduced}.</p><h2>Models</h2><table><tr><th>model</th><th>lifetimes (ns)</th><th>deviance</th>"
        "<th>BIC above the "
        f"best</th></tr>{models}</table>{spread}<h2>Notes</h2><ul>{notes}</ul></body></html>\n"
    )


def _range(one: dict[str, Any]) -> str:
    low, high = ("–" if one[key] is None else f"{one[key]:.4g}" for key in ("low", "high"))
    return f"{low} to {high}"
