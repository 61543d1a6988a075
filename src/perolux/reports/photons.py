"""The one-page report of a record of photons: trace and levels, lifetimes, dwell times, coincidences."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux import __version__
from perolux.files import whole_folder, write_json, write_text
from perolux.photons.analysis import Analysis
from perolux.photons.spectral_diffusion import SpectralDiffusion
from perolux.reports.figures import BLUE, GREY, ORANGE
from perolux.reports.html import environment, static_text
from perolux.reports.passport_drawing import Plot, make_plot
from perolux.reports.photon_purity import gate_scan_plot, purity_rows, steady_dip_plot
from perolux.reports.spectral_diffusion import diffusion_plots, diffusion_tables
from perolux.reports.words import Figure, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perolux.photons.intensity_correlation import IntensityCorrelation

__all__ = ["render_photons", "write_photon_report"]

FloatArray = npt.NDArray[np.float64]
_SHOWN_S = 10.0
_MOST_POINTS = 5000


def write_photon_report(
    found: Analysis, out: Path, file: Path, diffusion: SpectralDiffusion | None = None
) -> Path:
    """Write report.html, result.json and the tables of an analysis into a new folder, whole or not at all."""
    with whole_folder(out) as folder:
        record = found.as_dict() | {"perolux": __version__}
        if diffusion is not None:
            record["spectral_diffusion"] = diffusion.as_dict()
            for name, text in diffusion_tables(diffusion).items():
                write_text(folder / name, text)
        write_json(folder / "result.json", record)
        write_text(folder / "stretches.csv", _stretches(found))
        write_text(folder / "trace.csv", _csv("start_s,counts", found.trace.start_s, found.trace.counts))
        if found.coincidences is not None:
            pairs = found.coincidences
            write_text(folder / "coincidences.csv", _csv("tau_ns,counts", pairs.tau_ns, pairs.counts))
        if found.intensity_correlation is not None:
            slow = found.intensity_correlation
            table = _csv("lag_s,value,sigma", slow.lag_s, slow.value, slow.sigma)
            write_text(folder / "intensity_correlation.csv", table)
        if found.nanotimes is not None:
            view = found.nanotimes
            head = "time_ns," + ",".join(f"level_{k + 1}" for k in range(len(view.counts)))
            times = view.bin_ns * (np.arange(view.counts.shape[1]) + 0.5)
            write_text(folder / "decays.csv", _csv(head, times, *view.counts))
        write_text(folder / "report.html", render_photons(found, file.name, diffusion))
    return out


def _csv(head: str, *columns: npt.NDArray[Any]) -> str:
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return head + "\n" + "".join(",".join(f"{x:.10g}" for x in row) + "\n" for row in rows)


def _stretches(found: Analysis) -> str:
    lifetime = found.stretch_lifetime_ns
    told = np.full(len(found.segments), np.nan) if lifetime is None else lifetime
    lines = ["start_s,stop_s,photons,rate_cps,level,lifetime_ns"]
    s, rate = found.segments, found.segments.rate_cps
    for k in range(len(s)):
        cell = "" if not np.isfinite(told[k]) else f"{told[k]:.6g}"
        lines.append(
            f"{s.start_s[k]:.9f},{s.stop_s[k]:.9f},{s.photons[k]},{rate[k]:.7g},"
            f"{found.levels.of_segment[k] + 1},{cell}"
        )
    return "\n".join(lines) + "\n"


def render_photons(found: Analysis, title: str, diffusion: SpectralDiffusion | None = None) -> str:
    """The report as one HTML document without a script."""
    from markupsafe import Markup

    record = found.as_dict()
    return (
        environment()
        .get_template("photons.html.j2")
        .render(
            title=title,
            version=__version__,
            created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            css=Markup(static_text("report.css")),
            record=record,
            figures=_figures(found, record),
            plots=_plots(found, record) + ([] if diffusion is None else diffusion_plots(diffusion)),
            diffusion=None if diffusion is None else diffusion.as_dict(),
            purity=purity_rows(record),
            number=number,
        )
    )


def _figures(found: Analysis, record: dict[str, Any]) -> list[Figure]:
    g2 = record["g2_zero"]
    counts = " + ".join(str(n) for n in record["photons_per_channel"].values())
    bright = record["levels"][-1]
    figures = [
        Figure(
            "photons",
            f"{len(found.stream):,}".replace(",", " "),
            "",
            counts + f" in {found.stream.duration_s:.4g} s",
        ),
        Figure("on", number(100 * found.on_fraction, 1), "%", "of the time, by levels"),
        Figure("changes of rate", str(len(found.segments) - 1), "", f"{len(found.levels)} levels"),
    ]
    if g2["corrected"] is not None:
        range_ = (
            f"95 %: {number(g2['low95'], 3)} to {number(g2['high95'], 3)}; {number(g2['raw'], 3)} as counted"
            if g2["low95"] is not None and g2["high95"] is not None
            else f"{number(g2['raw'], 3)} as counted"
        )
        figures.append(Figure("g2(0)", number(g2["corrected"], 3), "", range_))
    if bright["lifetime_ns"] is not None:
        error = "" if bright["lifetime_sigma"] is None else f"± {bright['lifetime_sigma']:.2g} ns, "
        figures.append(
            Figure(
                "lifetime", number(bright["lifetime_ns"], 2), "ns", error + "brightest level, by amplitude"
            )
        )
    return figures


def _plots(found: Analysis, record: dict[str, Any]) -> list[Plot]:
    plots = [_trace(found)]
    if found.nanotimes is not None:
        plots.append(_decays(found))
    if found.stretch_lifetime_ns is not None:
        plots.append(_flid(found, found.stretch_lifetime_ns))
    if found.purity is not None and found.purity.continuous is not None:
        plots.append(steady_dip_plot(found.purity.continuous))
    elif found.coincidences is not None:
        plots.append(_coincidences(found))
    if found.purity is not None and len(found.purity.scan) > 1:
        plots.append(gate_scan_plot(found.purity))
    if found.intensity_correlation is not None:
        plots.append(_fluctuations(found.intensity_correlation))
    for name in ("on", "off"):
        if name in found.dwells:
            plots.append(_dwells(found, name))
    return plots


def _trace(found: Analysis) -> Plot:
    trace, s = found.trace, found.segments
    end = min(_SHOWN_S, found.stream.duration_s)

    def draw(axis: Axes) -> None:
        shown = trace.start_s < end
        axis.plot(trace.start_s[shown] + trace.bin_s / 2, trace.rate_cps[shown] / 1e3, color=GREY, lw=0.5)
        part = s.start_s < end
        level = found.levels.rate_cps[found.levels.of_segment[part]] / 1e3
        axis.step(
            np.append(s.start_s[part], min(float(s.stop_s[part][-1]), end)),
            np.append(level, level[-1]),
            where="post",
            color=ORANGE,
            lw=0.9,
        )
        axis.set(xlabel="time (s)", ylabel="rate (1000/s)", xlim=(0, end), ylim=(0, None))

    first = "" if end == found.stream.duration_s else f", first {end:g} s"
    return make_plot(
        "trace",
        "Intensity against time",
        f"Counts in bins of {1e3 * trace.bin_s:g} ms (grey) and the level of each stretch (orange){first}. "
        f"Changes are found from arrival times, not from bins; all are in stretches.csv.",
        draw,
    )


def _decays(found: Analysis) -> Plot:
    view = found.nanotimes
    assert view is not None

    def draw(axis: Axes) -> None:
        bins = max(1, view.counts.shape[1] // 400)
        count = view.counts.shape[1] // bins
        times = view.bin_ns * bins * (np.arange(count) + 0.5)
        for k in range(len(view.counts)):
            values = view.counts[k][: count * bins].reshape(count, bins).sum(axis=1).astype(float)
            if not values.any():
                continue
            share = k / max(len(view.counts) - 1, 1)
            axis.step(times, np.where(values > 0, values, np.nan), where="mid", lw=0.7, color=_shade(share))
        axis.set_yscale("log")
        axis.set(xlabel="time after the pulse's sync (ns)", ylabel="photons per bin")

    return make_plot(
        "decays",
        "Decay of each level",
        "Photons of each level against their nanotime, dark to bright from light to dark blue. "
        "Lifetimes in the table are Poisson fits to these.",
        draw,
    )


def _shade(share: float) -> tuple[float, float, float]:
    light, dark = np.array([0.70, 0.84, 0.95]), np.array([0.0, 0.27, 0.50])
    mixed = light + share * (dark - light)
    return float(mixed[0]), float(mixed[1]), float(mixed[2])


def _flid(found: Analysis, lifetime: FloatArray) -> Plot:
    s = found.segments
    good = np.flatnonzero(np.isfinite(lifetime) & (s.photons > 30))
    # A page holds thousands of points; each beyond weighs 600 bytes of it. Every so many are drawn.
    every = -(-len(good) // _MOST_POINTS) if len(good) else 1
    good = good[::every]

    def draw(axis: Axes) -> None:
        if good.size:
            area = np.clip(40 * s.photons[good] / s.photons[good].max(), 1.0, None)
            axis.scatter(lifetime[good], s.rate_cps[good] / 1e3, s=area, color=BLUE, alpha=0.35, lw=0)
        axis.set(xlabel="lifetime of a stretch (ns)", ylabel="rate (1000/s)", xlim=(0, None), ylim=(0, None))

    told = found.flid_correlation
    said = "" if told is None else f" Correlation of rate and ln(1/lifetime): {number(told, 2)}."
    of = "a stretch" if every == 1 else f"for every {every} stretches"
    return make_plot(
        "flid",
        "Lifetime against intensity",
        f"One point {of} of more than 30 photons, its area by photons.{said}",
        draw,
    )


def _coincidences(found: Analysis) -> Plot:
    pairs = found.coincidences
    assert pairs is not None

    def draw(axis: Axes) -> None:
        axis.step(pairs.tau_ns, pairs.counts, where="mid", color=BLUE, lw=0.6)
        axis.set(xlabel="delay between detectors (ns)", ylabel="pairs per bin", ylim=(0, None))

    g2 = found.g2
    said = (
        found.missing.get("g2_zero", "")
        if g2 is None
        else f"g2(0) is {g2.corrected:.3f} ± {g2.sigma:.3f} {g2.method}, dark counts taken off."
    )
    return make_plot("g2", "Coincidences", f"All pairs of photons on two detectors. {said}", draw)


def _fluctuations(slow: IntensityCorrelation) -> Plot:
    def draw(axis: Axes) -> None:
        low, high = slow.value - 1.96 * slow.sigma, slow.value + 1.96 * slow.sigma
        axis.fill_between(slow.lag_s, low, high, color=BLUE, alpha=0.2, lw=0)
        axis.plot(slow.lag_s, slow.value, color=BLUE, lw=0.9)
        axis.axhline(1.0, color=GREY, lw=0.6)
        axis.set_xscale("log")
        axis.set(xlabel="lag (s)", ylabel="intensity correlation")

    of = (
        "one detector against the other"
        if slow.two_detectors
        else "all photons with themselves, from 1 ms on"
    )
    return make_plot(
        "intensity-correlation",
        "Intensity correlation",
        f"Fluctuations that last for a lag, {of}; 95 % band by blocks of the record. Steady light is 1.",
        draw,
    )


def _dwells(found: Analysis, name: str) -> Plot:
    from perolux.photons.dwell_times import law_density

    fits, lengths = found.dwells[name].laws, found.dwells[name].length_s
    lower = fits.fits[0].lower_s

    def draw(axis: Axes) -> None:
        edges = np.geomspace(lengths.min() * 0.99, lengths.max() * 1.01, 25)
        counts, _ = np.histogram(lengths, edges)
        density = counts / np.diff(edges) / len(lengths)
        middle = np.sqrt(edges[1:] * edges[:-1])
        axis.plot(middle[counts > 0], density[counts > 0], "o", ms=2.5, color=GREY)
        t = np.geomspace(lower, lengths.max(), 200)
        share = float(np.mean(lengths >= lower))
        for fit, colour in ((fits.fits[0], ORANGE), (fits["power-law"], BLUE)):
            axis.plot(t, share * law_density(fit, t), color=colour, lw=1.0, label=fit.law.replace("-", " "))
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set(xlabel=f"length of a stay {name} (s)", ylabel="density (1/s)")
        axis.legend(fontsize=7)

    return make_plot(
        f"dwell-{name}",
        f"Stays {name}",
        f"{len(lengths)} whole stays as found; laws by likelihood from {1e3 * lower:.3g} ms on"
        + ("." if found.dwells[name].reason else ", corrected for stays that are missed."),
        draw,
    )
