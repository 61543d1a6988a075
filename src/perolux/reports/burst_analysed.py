"""Figures and tables of what a spectrometer and a Michelson show of an assembly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perolux.collective.instruments.analysed import Fringes, SlitSpectrum
from perolux.reports.measured_page import Table
from perolux.reports.passport_drawing import COLOURS, Plot, make_plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["analysed_csv", "analysed_plots", "analysed_table"]


def analysed_plots(spectrum: SlitSpectrum | None, fringes: Fringes | None) -> list[Plot]:
    """The spectrum in pixels and the visibility against delay, each with counts drawn."""
    plots = []
    if spectrum is not None:
        plots.append(
            make_plot(
                "spectrometer", "counts of the spectrometer's pixels against wavelength",
                f"Counts of the spectrometer, slit of {spectrum.slit_width_mev:.3g} meV: expected (lines) "
                "and drawn (points, the last line). Simulated.",
                lambda axes: _draw_spectrum(axes, spectrum),
            )
        )  # fmt: skip
    if fringes is not None:
        plots.append(
            make_plot(
                "michelson", "visibility of the fringes against delay",
                "Visibility of the fringes: expected (lines) and read from drawn counts with their error "
                "(points, the last line). Simulated.",
                lambda axes: _draw_fringes(axes, fringes),
            )
        )  # fmt: skip
    return plots


def _label(screening: float | None) -> str:
    return "emitters one by one" if screening is None else f"shifts x {screening:g}"


def _draw_spectrum(axes: Axes, found: SlitSpectrum) -> None:
    nm = found.edges_nm
    for colour, screening, counts in zip(COLOURS, found.screenings, found.expected, strict=False):
        axes.stairs(counts, nm, color=colour, label=_label(screening))
    axes.plot(0.5 * (nm[1:] + nm[:-1]), found.drawn, ".", color="0.3", ms=3, label="drawn")
    axes.set(xlabel="wavelength (nm)", ylabel="counts", xlim=(float(nm[0]), float(nm[-1])), ylim=(0.0, None))
    axes.legend()


def _draw_fringes(axes: Axes, found: Fringes) -> None:
    for colour, screening, visibility in zip(COLOURS, found.screenings, found.visibility, strict=False):
        axes.plot(found.delays_ps, visibility, color=colour, label=_label(screening), zorder=3)
    step = max(len(found.delays_ps) // 150, 1)
    part = slice(None, None, step)
    axes.errorbar(
        found.delays_ps[part], found.read.visibility[part], found.read.sigma[part], fmt=".", color="0.3",
        ms=3, lw=0.7, label="read",
    )  # fmt: skip
    axes.set(
        xlabel="delay (ps)", ylabel="visibility", xlim=(0.0, float(found.delays_ps[-1])), ylim=(0.0, 1.02)
    )
    axes.legend()


def analysed_table(spectrum: SlitSpectrum | None, fringes: Fringes | None) -> Table:
    """What both tell, in numbers."""
    rows: list[tuple[str, str]] = []
    notes: tuple[str, ...] = ()

    def cell(value: float | None, unit: str) -> str:
        return "–" if value is None else f"{value:.3g} {unit}"

    if spectrum is not None:
        notes += spectrum.notes
        rows.append(("slit, full width", cell(spectrum.slit_width_mev, "meV")))
        for screening, width in zip(spectrum.screenings, spectrum.width_mev, strict=True):
            rows.append((f"full width behind it, {_label(screening)}", cell(width, "meV")))
        rows.append(("counts of the spectrum", f"{spectrum.drawn.sum():.0f}"))
    if fringes is not None:
        notes += fringes.notes
        rows.append(("visibility of a sharp line", f"{fringes.michelson.visibility:.4g}"))
        for screening, fall, area in zip(
            fringes.screenings, fringes.fall_ps, fringes.coherence_ps, strict=True
        ):
            rows.append((f"visibility to 1/e, {_label(screening)}", cell(fall, "ps")))
            rows.append((f"coherence time within the scan, {_label(screening)}", cell(area, "ps")))
        mean, error = fringes.read_coherence_ps
        rows.append(("coherence time from the drawn counts", f"{mean:.3g} ± {error:.2g} ps"))
    return Table(
        "Behind spectrometer and interferometer", ("quantity", "value"), rows, (),
        "; ".join(dict.fromkeys(notes)) + ".",
    )  # fmt: skip


def analysed_csv(spectrum: SlitSpectrum | None, fringes: Fringes | None) -> dict[str, str]:
    """Names of tables and their text."""
    found = {}
    if spectrum is not None:
        names = ",".join(f"expected_{_short(one)}" for one in spectrum.screenings)
        lines = ["# SIMULATED by perolux burst", f"wavelength_nm,drawn,{names}"]
        middle = 0.5 * (spectrum.edges_nm[1:] + spectrum.edges_nm[:-1])
        for nm, drawn, row in zip(middle, spectrum.drawn, np.transpose(spectrum.expected), strict=True):
            lines.append(f"{nm:.7g},{drawn:.0f}," + ",".join(f"{one:.6g}" for one in row))
        found["spectrometer.csv"] = "\n".join(lines) + "\n"
    if fringes is not None:
        names = ",".join(f"visibility_{_short(one)}" for one in fringes.screenings)
        lines = ["# SIMULATED by perolux burst", f"delay_ps,read,sigma,{names}"]
        curves = np.transpose(fringes.visibility)
        read = fringes.read
        for delay, value, sigma, row in zip(
            fringes.delays_ps, read.visibility, read.sigma, curves, strict=True
        ):
            lines.append(f"{delay:.7g},{value:.6g},{sigma:.4g}," + ",".join(f"{one:.6g}" for one in row))
        found["michelson.csv"] = "\n".join(lines) + "\n"
    return found


def _short(screening: float | None) -> str:
    return "one_by_one" if screening is None else f"shifts_{screening:g}"
