"""The page of a PCFS set: envelope, spread against lag, spectral correlation, residuals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux import __version__
from perolux.files import whole_folder, write_json, write_text
from perolux.photons.hom_wanted import linewidth_uev
from perolux.photons.pcfs import envelope
from perolux.photons.pcfs_measured import PcfsMeasured
from perolux.reports.figures import BLUE, GREY, ORANGE
from perolux.reports.measured_page import Page, Table, render_page, svg_file
from perolux.reports.passport_drawing import Plot, make_plot
from perolux.reports.words import Figure, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["render_pcfs", "write_pcfs_report"]

_UEV = linewidth_uev(2.0)
"""hbar in micro-eV per rad/ps."""


def write_pcfs_report(found: PcfsMeasured, out: Path, folder: Path) -> Path:
    """Write report.html, an SVG a figure, pairs.csv and result.json, whole or not at all."""
    plots = _plots(found)
    with whole_folder(out) as target:
        write_json(target / "result.json", found.as_dict() | {"perolux": __version__})
        write_text(target / "pairs.csv", _csv(found))
        for plot in plots:
            write_text(target / f"{plot.name}.svg", svg_file(plot))
        write_text(target / "report.html", render_pcfs(found, folder.name, plots))
    return out


def _csv(found: PcfsMeasured) -> str:
    record, path = found.source.record, found.source.path_mm
    lines = ["path_difference_mm,lag_from_s,lag_to_s,pairs,expected,model,envelope,envelope_error"]
    for i in range(len(path)):
        for k in range(len(record.lag_s)):
            lines.append(
                f"{path[i]:.9g},{record.lag_edges_s[k]:.9g},{record.lag_edges_s[k + 1]:.9g},"
                f"{record.pairs[i, k]:.10g},{record.expected[i, k]:.10g},{found.expected[i, k]:.8g},"
                f"{found.seen[i, k]:.6g},{found.error[i, k]:.4g}"
            )
    return "\n".join(lines) + "\n"


def render_pcfs(found: PcfsMeasured, title: str, plots: list[Plot] | None = None) -> str:
    """The page as one HTML document."""
    record = found.as_dict()
    wander, level = record["diffusion"], f"{record['level']:.0%}"
    files = "; ".join(
        one["file"] + (f", sha256 {one['sha256']}" if one["sha256"] else "") for one in record["files"]
    )
    photons = "" if record["photons"] is None else f"{record['photons']:,}".replace(",", " ") + " photons, "
    simulated = "Simulated data, as the folder says. " if record["simulated"] else ""
    return render_page(
        Page(
            command="pcfs",
            what="spectral correlation",
            title=title,
            lead=f"{simulated}The line is {number(record['linewidth_uev'], 1)} µeV wide (T2 = "
            f"{number(record['t2_ps'], 1)} ps)"
            + (
                f" and wanders by {number(wander['sd_uev'], 1)} µeV within {_seconds(wander['time_s'])}."
                if wander["time_s"] is not None
                else "."
            ),
            figures=[
                Figure(
                    "coherence time T2",
                    number(record["t2_ps"], 1),
                    "ps",
                    f"{level}: {_range(record['t2_interval_ps'], 1)}",
                ),
                Figure(
                    "width of the line",
                    number(record["linewidth_uev"], 2),
                    "µeV",
                    f"{level}: {_range(record['linewidth_interval_uev'], 2)}",
                ),
                Figure(
                    "spectral diffusion, sd",
                    number(wander["sd_uev"], 2),
                    "µeV",
                    f"{level}: {_range(wander['sd_interval_uev'], 2)}",
                ),
                Figure(
                    "its time",
                    "–" if wander["time_s"] is None else f"{1e3 * wander['time_s']:.3g}",
                    "" if wander["time_s"] is None else "ms",
                    record["missing"].get("diffusion.time_s", record["missing"].get("diffusion", ""))
                    or f"{level}: {_milli(wander['time_interval_s'])}",
                ),
            ],
            plots=plots or _plots(found),
            tables=[_lag_table(found), _position_table(found)],
            assumptions=record["assumptions"],
            warnings=record["warnings"],
            rests_on=[
                *([record["about"]] if record["about"] else []),
                *(f"{name}: {text}" for name, text in record["missing"].items()),
                f"fringe contrast {record['contrast']:g}",
                f"intervals: {record['intervals']}",
                f"{photons}{record['pairs']} pairs at {record['positions']} stage positions; deviance "
                f"{record['deviance']:.5g} for {record['degrees_of_freedom']} degrees of freedom",
            ],
            foot=f"{files}. Numbers are in result.json, pairs and model in pairs.csv beside this page.",
        )
    )


def _lag_table(found: PcfsMeasured) -> Table:
    record, fit = found.source.record, found.fit
    rows = []
    for k, (s2, error) in enumerate(zip(found.spread2, found.spread2_error, strict=True)):
        law = _law(found, float(record.lag_s[k]))
        rows.append(
            [
                f"{record.lag_edges_s[k]:.3g} to {record.lag_edges_s[k + 1]:.3g}",
                f"{record.pairs[:, k].sum():.0f}",
                number(float(fit.bunching[k]), 3),
                f"{number(1e4 * float(s2), 2)} ± {number(None if error is None else 1e4 * error, 2)}",
                number(1e4 * law, 2),
            ]
        )
    return Table(
        "Lag by lag",
        ["lag (s)", "pairs", "g2", "s² of this lag alone (1e-4 rad²/ps²)", "s² of the law"],
        rows,
        range(1, 5),
        "s: standard deviation of the difference of the frequencies of two photons so far apart. It "
        "grows from "
        "0 to √2 times that of the line.",
    )


def _position_table(found: PcfsMeasured) -> Table:
    record = found.source.record
    rows = [
        [
            number(float(found.source.path_mm[i]), 4),
            number(float(record.delay_ps[i]), 2),
            f"{record.pairs[i].sum():.0f}",
            *(
                f"{number(float(found.seen[i, k]), 4)} ± {number(float(found.error[i, k]), 4)}"
                for k in (0, -1)
            ),
        ]
        for i in range(len(record.delay_ps))
    ]
    return Table(
        "Stage positions",
        ["path difference (mm)", "delay (ps)", "pairs", "envelope, first lag", "envelope, last lag"],
        rows,
        range(1, 5),
        "The envelope of the first lag is |g1|² where no diffusion is quicker than that lag.",
    )


def _plots(found: PcfsMeasured) -> list[Plot]:
    return [_envelope(found), _spread(found), _correlation(found), _residuals(found)]


def _shown_lags(found: PcfsMeasured) -> list[int]:
    return sorted({0, len(found.source.record.lag_s) // 2, len(found.source.record.lag_s) - 1})


def _shades(count: int) -> list[Any]:
    return [BLUE, "#009e73", ORANGE][-count:] if count < 3 else [BLUE, "#009e73", ORANGE]


def _envelope(found: PcfsMeasured) -> Plot:
    record = found.source.record
    shown = _shown_lags(found)

    def draw(axis: Axes) -> None:
        fine = np.linspace(record.delay_ps.min(), record.delay_ps.max(), 300)
        for k, colour in zip(shown, _shades(len(shown)), strict=True):
            lag = float(record.lag_s[k])
            axis.errorbar(
                record.delay_ps, found.seen[:, k], found.error[:, k], fmt="o", ms=2.5, lw=0.7, color=colour,
                label=_seconds(lag),
            )  # fmt: skip
            axis.plot(fine, envelope(found.line, fine, lag), color=colour, lw=1.0)
        axis.axhline(0, color=GREY, lw=0.6)
        axis.set(xlabel="delay of the interferometer (ps)", ylabel="E(delay, lag)")
        axis.legend(fontsize=7, title="lag", title_fontsize=7)

    return make_plot(
        "envelope",
        "Envelope against delay",
        "Correlation of the two outputs, from all pairs of a lag, and the fit of all lags at once. "
        "At short lags "
        "it is |g1|²; what falls faster at long lags is diffusion.",
        draw,
    )


def _spread(found: PcfsMeasured) -> Plot:
    record = found.source.record

    def draw(axis: Axes) -> None:
        error = [0.0 if one is None else one for one in found.spread2_error]
        axis.errorbar(
            record.lag_s, found.spread2 * _UEV**2, np.array(error) * _UEV**2, fmt="o", ms=3, lw=0.7,
            color=BLUE, label="each lag alone",
        )  # fmt: skip
        fine = np.geomspace(record.lag_s[0] / 1.5, record.lag_s[-1] * 1.5, 300)
        axis.plot(
            fine, [_law(found, float(x)) * _UEV**2 for x in fine], color=ORANGE, lw=1.0, label="law, all lags"
        )
        axis.axhline(0, color=GREY, lw=0.6)
        axis.set(xscale="log", xlabel="lag (s)", ylabel="s² of two photons (µeV²)")
        axis.legend(fontsize=7)

    return make_plot(
        "diffusion",
        "Spread against lag",
        "Variance of the energy difference of two photons against the time between them: 2 s1² (1 − "
        "exp(−τ/tc)) "
        "for a line that wanders with one time tc.",
        draw,
    )


def _law(found: PcfsMeasured, lag: float) -> float:
    return -2 * found.line.diffusion_rad_per_ps**2 * math.expm1(-lag / found.line.diffusion_time_s)


def _correlation(found: PcfsMeasured) -> Plot:
    lags = found.source.record.lag_s

    def draw(axis: Axes) -> None:
        energy = found.zeta * _UEV
        for row, lag, colour in zip(found.correlation, (lags[0], lags[-1]), (BLUE, ORANGE), strict=True):
            axis.plot(energy, row / _UEV, color=colour, lw=1.1, label=_seconds(float(lag)))
        if found.transformed is not None:
            for row, colour in zip(found.transformed, (BLUE, ORANGE), strict=True):
                axis.plot(energy, row / _UEV, ".", ms=1.8, color=colour)
        axis.axhline(0, color=GREY, lw=0.6)
        axis.set(xlabel="ζ, difference of energies (µeV)", ylabel="p(ζ, lag) (1/µeV)")
        axis.legend(fontsize=7, title="lag", title_fontsize=7)

    dots = (
        "dots: transform of the counts."
        if found.transformed is not None
        else f"no transform of the counts: {found.missing['spectral_correlation.transformed']}."
    )
    return make_plot(
        "correlation",
        "Spectral correlation",
        f"Spectral correlation of the fit at the shortest and the longest lag; {dots} A still "
        f"Lorentzian line gives "
        "one of twice its width.",
        draw,
    )


def _residuals(found: PcfsMeasured) -> Plot:
    record = found.source.record

    def draw(axis: Axes) -> None:
        pull = (record.pairs - found.expected) / np.sqrt(np.maximum(found.expected, 1e-9))
        most = max(3.0, float(np.abs(pull).max()))
        axis.axhline(0, color=GREY, lw=0.6)
        for i in range(len(record.delay_ps)):
            axis.plot(record.lag_s, pull[i], ".", ms=3, color=BLUE, alpha=0.6)
        axis.set(xscale="log", xlabel="lag (s)", ylabel="(pairs − fit)/√fit", ylim=(-1.1 * most, 1.1 * most))

    return make_plot(
        "residuals",
        "Residuals",
        "One point a position and lag. Beyond ±3 in one lag at all positions the law of diffusion "
        "does not hold; "
        "wide everywhere, pairs scatter more than Poisson's.",
        draw,
    )


def _seconds(value: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def _range(ends: dict[str, float | None], digits: int) -> str:
    low, high = (("open" if x is None else number(x, digits)) for x in (ends["low"], ends["high"]))
    return f"{low} to {high}"


def _milli(ends: dict[str, float | None]) -> str:
    low, high = ("open" if x is None else f"{1e3 * x:.3g}" for x in (ends["low"], ends["high"]))
    return f"{low} to {high}"
