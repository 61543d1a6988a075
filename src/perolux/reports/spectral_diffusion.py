"""Pictures and tables of spectral diffusion, for the report of a series or of a record of photons."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux import __version__
from perolux.files import whole_folder, write_json, write_text
from perolux.photons.diffusion_laws import squared_shift
from perolux.photons.spectral_diffusion import SpectralDiffusion, expected_shift
from perolux.reports.figures import BLUE, GREY, ORANGE
from perolux.reports.html import environment, static_text
from perolux.reports.passport_drawing import Plot, log_axis, make_plot
from perolux.reports.words import Figure, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "diffusion_figures",
    "diffusion_plots",
    "diffusion_tables",
    "render_diffusion",
    "write_diffusion_report",
]

FloatArray = npt.NDArray[np.float64]
_MOST_ROWS = 400
_MOST_COLUMNS = 600


def write_diffusion_report(found: SpectralDiffusion, out: Path, file: Path) -> Path:
    """Write report.html, result.json and the tables into a new folder, whole or not at all."""
    with whole_folder(out) as folder:
        write_json(folder / "result.json", found.as_dict() | {"perolux": __version__})
        for name, text in diffusion_tables(found).items():
            write_text(folder / name, text)
        write_text(folder / "report.html", render_diffusion(found, file.name))
    return out


def diffusion_tables(found: SpectralDiffusion) -> dict[str, str]:
    """line_path.csv and, where there are squared shifts, shifts.csv: name to content."""
    path = found.path
    rows = ["start_s,status,centre_ev,centre_sigma_ev,area_counts,area_sigma,background_counts,fwhm_ev"]
    for k in range(len(path.series)):
        numbers = (
            path.centre_ev[k], path.centre_sigma_ev[k], path.area_counts[k], path.area_sigma[k],
            path.background_counts[k], path.fwhm_ev[k],
        )  # fmt: skip
        cells = ["" if not math.isfinite(x) else f"{x:.10g}" for x in numbers]
        rows.append(f"{path.series.start_s[k]:.10g},{path.status[k]}," + ",".join(cells))
    tables = {"line_path.csv": "\n".join(rows) + "\n"}
    if found.shifts is not None:
        s = found.shifts
        expected = expected_shift(found, s.lag_s)
        lines = ["lag_s,shift_ev2,sigma_ev2,noise_ev2,pairs,independent_pairs,wander_ev2"]
        columns = zip(
            s.lag_s, s.shift_ev2, s.sigma_ev2, s.noise_ev2, s.pairs, s.independent, expected, strict=True
        )
        lines += [",".join(f"{x:.8g}" for x in row) for row in columns]
        tables["shifts.csv"] = "\n".join(lines) + "\n"
    return tables


def render_diffusion(found: SpectralDiffusion, title: str) -> str:
    """The report as one HTML document without a script."""
    from markupsafe import Markup

    return (
        environment()
        .get_template("diffusion.html.j2")
        .render(
            title=title,
            version=__version__,
            created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            css=Markup(static_text("report.css")),
            diffusion=found.as_dict(),
            figures=diffusion_figures(found),
            plots=diffusion_plots(found),
            number=number,
        )
    )


def diffusion_figures(found: SpectralDiffusion) -> list[Figure]:
    """The numbers at the top."""
    record = found.as_dict()
    ok, frames = record["frames_by_status"]["ok"], record["frames"]
    line = record["line"]
    error = "" if line["fwhm_sigma_ev"] is None else f"± {1e3 * line['fwhm_sigma_ev']:.2g} meV, "
    figures = [
        Figure("frames", str(ok), "", f"with a line, of {frames}, {1e3 * record['exposure_s']:.4g} ms each"),
        Figure(
            "line",
            number(1e3 * (line["fwhm_ev"] or math.nan), 3),
            "meV",
            error + f"full width, {line['shape']}",
        ),
        Figure("best law", record["best"], "", _best_words(found)),
    ]
    if found.best not in ("static", "white"):
        p = found.laws["wander"].parameters
        figures += [
            Figure(
                "spread", number(1e3 * p["spread_ev"].value, 3), "meV",
                _range(p["spread_ev"], 1e3, "meV"),
            ),
            Figure(
                "correlation time", f"{p['correlation_time_s'].value:.3g}", "s",
                _range(p["correlation_time_s"], 1.0, "s"),
            ),
        ]  # fmt: skip
    return figures


def _best_words(found: SpectralDiffusion) -> str:
    others = [name for name in found.not_excluded if name != found.best]
    return "by BIC; " + (f"not excluded: {', '.join(others)}" if others else "the others are excluded")


def _range(p: Any, scale: float, unit: str) -> str:
    low, high = ("open" if x is None else f"{scale * x:.3g}" for x in (p.low, p.high))
    return f"95 %: {low} to {high} {unit} (Ornstein-Uhlenbeck)"


def diffusion_plots(found: SpectralDiffusion) -> list[Plot]:
    """Map of the spectra with the path, squared shifts, kernels, width against exposure, line and photons."""
    plots = [_map(found)]
    if found.shifts is not None:
        plots.append(_shifts(found))
    if found.kernels:
        plots.append(_kernels(found))
    if found.exposures is not None:
        plots.append(_exposures(found))
    plots.append(_light(found))
    if found.photons is not None:
        plots += _photons(found)
    return plots


def _map(found: SpectralDiffusion) -> Plot:
    path, series = found.path, found.path.series
    middle = float(np.nanmedian(path.centre_ev))
    reach = max(2 * float(np.nanmax(np.abs(path.centre_ev - middle))), 3 * float(np.nanmedian(path.fwhm_ev)))
    keep = np.flatnonzero(np.abs(series.energy_ev - middle) < reach)
    step = max(1, len(series) // _MOST_COLUMNS)
    count = len(series) // step
    image = series.counts[: count * step][:, keep].reshape(count, step, len(keep)).sum(axis=1)
    slim = max(1, len(keep) // _MOST_ROWS)

    def draw(axis: Axes) -> None:
        end = float(series.start_s[count * step - 1] + series.exposure_s)
        energies = series.energy_ev[keep][::slim]
        axis.imshow(
            image[:, ::slim].T, origin="lower", aspect="auto", cmap="Greys", interpolation="nearest",
            extent=(float(series.start_s[0]), end, float(energies[0]), float(energies[-1])),
        )  # fmt: skip
        times = series.start_s + series.exposure_s / 2
        axis.plot(times, path.centre_ev, color=ORANGE, lw=0.6)
        if found.best == "jumps" and found.jumps is not None:
            for energy in found.jumps.energy_ev:
                axis.axhline(float(energy), color=BLUE, lw=0.6, ls=":")
        axis.set(xlabel="time (s)", ylabel="photon energy (eV)", xlim=(float(series.start_s[0]), end))

    told = "" if found.best != "jumps" else ", states dotted"
    return make_plot(
        "line-path",
        "Spectra against time with the path of the line",
        f"Counts of the exposures (grey, darker for more) and the fitted centre (orange{told}); gaps are "
        "frames that do not count.",
        draw,
    )


def _shifts(found: SpectralDiffusion) -> Plot:
    s = found.shifts
    assert s is not None

    def draw(axis: Axes) -> None:
        lag = np.geomspace(s.lag_s[0], s.lag_s[-1], 200)
        axis.errorbar(
            s.lag_s, 1e6 * s.shift_ev2, 1e6 * s.sigma_ev2, fmt="o", ms=2.5, lw=0.7, color=GREY, capsize=0
        )
        axis.plot(lag, 1e6 * expected_shift(found, lag), color=ORANGE, lw=1.0, label="exposures, by the law")
        axis.plot(
            lag, 1e6 * squared_shift(*found.wander, lag), color=BLUE, lw=0.8, ls="--", label="line itself"
        )
        if found.best == "walk":
            d = found.laws["walk"].parameters["diffusion_ev2_per_s"].value
            axis.plot(lag, 1e6 * 2 * d * lag, color=BLUE, lw=0.8, ls=":", label="free walk")
        axis.axhline(1e6 * float(s.noise_ev2[0]), color=GREY, lw=0.6, ls=":")
        axis.set_xscale("log")
        positive = s.shift_ev2[s.shift_ev2 > 0]
        if positive.size and positive.max() > 20 * positive.min():
            axis.set_yscale("log")
            axis.set_ylim(0.3e6 * float(min(positive.min(), s.noise_ev2[0])), 3e6 * float(positive.max()))
        axis.set(xlabel="lag (s)", ylabel="mean squared shift (meV²)")
        axis.legend(fontsize=7)

    return make_plot(
        "squared-shift",
        "Mean squared shift against lag",
        "Errors of the centres are taken off (dotted: how much). Error bars hold that pairs share frames; "
        "points are not independent of one another. Curves are fitted to the centres, not to these points.",
        draw,
    )


def _kernels(found: SpectralDiffusion) -> Plot:
    def draw(axis: Axes) -> None:
        for k, one in enumerate(found.kernels):
            share = k / max(len(found.kernels) - 1, 1)
            middle = 0.5 * (one.edges_ev[1:] + one.edges_ev[:-1])
            wide = one.edges_ev[1] - one.edges_ev[0]
            density = one.counts / max(one.counts.sum(), 1) / wide
            colour = (0.70 * (1 - share), 0.84 - 0.57 * share, 0.95 - 0.45 * share)
            seen = one.counts > 0
            axis.plot(
                1e3 * middle[seen], 1e-3 * density[seen], color=colour, lw=0.9, marker="o", ms=1.5,
                label=f"{one.lag_s:.3g} s",
            )  # fmt: skip
        axis.set_yscale("log")
        axis.set(xlabel="shift (meV)", ylabel="density (1/meV)")
        axis.legend(fontsize=7, title="lag", title_fontsize=7)

    told = "; ".join(
        f"{one.lag_s:.3g} s: {number(one.excess, 2)} ± {one.excess_sigma:.2g}" for one in found.kernels
    )
    return make_plot(
        "kernels",
        "Distribution of shifts",
        "Shifts between exposures a lag apart, errors of the centres in them. Excess kurtosis, 0 for a "
        f"normal distribution: {told}.",
        draw,
    )


def _exposures(found: SpectralDiffusion) -> Plot:
    e = found.exposures
    assert e is not None

    def draw(axis: Axes) -> None:
        def sd(x: FloatArray) -> FloatArray:
            return np.asarray(1e3 * np.sqrt(np.where(x > 0, x, np.nan)))

        extra = sd(e.extra_ev2)
        axis.errorbar(
            e.exposure_s, extra, 0.5e6 * e.sigma_ev2 / np.where(extra > 0, extra, np.nan), fmt="o", ms=3,
            lw=0.7, color=GREY, label="width of summed spectra",
        )  # fmt: skip
        axis.plot(e.exposure_s, sd(e.path_ev2), "x", ms=4, color=BLUE, label="scatter of centres")
        axis.plot(e.exposure_s, sd(e.expected_ev2), color=ORANGE, lw=1.0, label="by the law")
        axis.set_xscale("log")
        log_axis(axis.xaxis, float(e.exposure_s[0]), float(e.exposure_s[-1]))
        axis.set(xlabel="exposure (s)", ylabel="broadening, standard deviation (meV)", ylim=(0, None))
        axis.legend(fontsize=7)

    return make_plot(
        "exposure",
        "Width against exposure",
        "What moving adds to the line in sums of 2, 4, 8 ... frames, beyond a single frame; the law was "
        "fitted to the centres.",
        draw,
    )


def _light(found: SpectralDiffusion) -> Plot:
    path, ok = found.path, found.path.ok
    c = found.energy_against_light

    def draw(axis: Axes) -> None:
        axis.plot(path.area_counts[ok], path.centre_ev[ok], ".", ms=2, color=BLUE, alpha=0.5)
        axis.set(xlabel="counts of the line in a frame", ylabel="centre (eV)", xlim=(0, None))

    return make_plot("energy-light", "Energy against brightness", _correlated(c), draw)


def _correlated(c: Any) -> str:
    if c.r is None:
        return f"No correlation: {c.reason}."
    interval = c.reason if c.low95 is None else f"95 %: {number(c.low95, 2)} to {number(c.high95, 2)}"
    return (
        f"Correlation {number(c.r, 2)} ({interval}); {c.frames} frames count as "
        f"{number(c.independent, 0)}, for both remember themselves."
    )


def _photons(found: SpectralDiffusion) -> list[Plot]:
    link, path = found.photons, found.path
    assert link is not None
    ok = path.ok & link.inside

    def scatter(axis: Axes) -> None:
        axis.plot(link.rate_cps[ok] / 1e3, path.centre_ev[ok], ".", ms=2, color=BLUE, alpha=0.5)
        for one in link.levels:
            if one.centre_ev is not None:
                axis.errorbar(
                    one.rate_cps / 1e3, one.centre_ev, one.centre_sigma_ev, fmt="s", ms=4, color=ORANGE, lw=1
                )
        axis.set(xlabel="rate of photons (1000/s)", ylabel="centre (eV)", xlim=(0, None))

    plots = [
        make_plot(
            "energy-rate",
            "Energy against the rate of photons",
            _correlated(link.energy) + " Squares: means of the frames of one level.",
            scatter,
        )
    ]
    shown = [one for one in link.levels if one.frames > 0]
    if shown:

        def spectra(axis: Axes) -> None:
            for one in shown:
                share = one.level / max(len(link.levels) - 1, 1)
                colour = (0.70 * (1 - share), 0.84 - 0.57 * share, 0.95 - 0.45 * share)
                axis.plot(
                    path.series.energy_ev, one.spectrum, color=colour, lw=0.9,
                    label=f"level {one.level + 1}: {one.frames}",
                )  # fmt: skip
            axis.set(xlabel="photon energy (eV)", ylabel="mean counts a frame")
            axis.legend(fontsize=7)

        plots.append(
            make_plot(
                "level-spectra",
                "Spectrum of each level",
                "Mean of the frames that lie in one level of intensity for 90 % of their time or more.",
                spectra,
            )
        )
    return plots
