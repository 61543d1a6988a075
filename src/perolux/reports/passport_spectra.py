"""Figures of one nanocrystal itself: fine structure, absorption lines and cross section, emission lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError
from perolux.excitons.assumptions import assumption
from perolux.quantities import Value
from perolux.quantities.constants import FWHM_PER_SIGMA, HC_EV_NM
from perolux.reports.passport_drawing import APART_K, COLOURS, GREY, INK, Plot, make_plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perolux.excitons.courses import Course
    from perolux.excitons.passport_record import Passport

__all__ = ["absorption_plot", "cross_section_plot", "emission_plot", "levels_plot"]

FloatArray = npt.NDArray[np.float64]
_Line = tuple[float, FloatArray, FloatArray, float]
"""Temperature (K), energies (eV), line, and the width (eV) at which its zero-phonon line is drawn."""

_LINES_K = (4.0, 77.0, 160.0, 300.0)
_NARROWEST_EV = 1e-3
"""Width at which a line is drawn that is narrower, so that the page can show it."""
_COLD_LINE_MEV = 20.0
"""Width that absorption lines of the cold are drawn with: their own could not be seen."""
_HIGHEST_EV = 4.0


def levels_plot(one: Passport) -> Plot | None:
    """The dark level and the three bright ones with their dipoles."""
    if one.bright_dark_mev.spread is None:
        return None
    middle = one.bright_dark_mev.spread.median
    steps = [entry.spread.median if entry.spread else 0.0 for entry in one.bright_splittings_mev]
    unknown = next((entry.reason for entry in one.bright_splittings_mev if entry.spread is None), None)
    together = "" if unknown is None else f" The bright levels are drawn at their mean: {unknown}."
    first = middle - (2.0 * steps[0] + steps[1]) / 3.0
    bright = [first, first + steps[0], first + steps[0] + steps[1]]
    names = _axis_names(one)

    def draw(axes: Axes) -> None:
        axes.hlines(0.0, 0.1, 0.9, color=GREY, lw=2)
        axes.annotate("dark, J = 0", (0.5, 0.0), (0, 3), textcoords="offset points", ha="center", fontsize=7)
        for n, (energy, name) in enumerate(zip(bright, names, strict=True)):
            axes.hlines(energy, 1.1 + n, 1.9 + n, color=INK, lw=2)
            axes.annotate(
                f"{name}\n{energy:.2f} meV", (1.5 + n, energy), (0, 4), textcoords="offset points",
                ha="center", fontsize=7,
            )  # fmt: skip
        low, high = min(0.0, *bright), max(0.0, *bright)
        pad = 0.35 * (high - low) or 1.0
        axes.set_ylim(low - 0.5 * pad, high + 1.2 * pad)
        axes.set_xlim(0, 4)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.set_ylabel("energy above the dark level (meV)")

    return make_plot(
        "levels",
        "fine structure of the first exciton",
        "Fine structure of the first exciton, median over all draws: the dark singlet and the three bright "
        f"levels, each with the direction of its dipole.{together}",
        draw,
    )


def _axis_names(one: Passport) -> list[str]:
    """Dipole directions in rising order of energy: the longest axis of the shape lies lowest."""
    a, b, c = one.crystal.lengths_nm
    if one.crystal.shape in ("cube", "sphere"):
        return ["bright x", "bright y", "bright z"]
    order = sorted(zip((a, b, c), ("x", "y", "z"), strict=True), key=lambda pair: -pair[0])
    return [f"bright {name} ({length:.3g} nm)" for length, name in order]


def absorption_plot(one: Passport) -> Plot | None:
    """Sticks of the transitions under a broadened line, for each set; numbers at the sticks, a key below."""
    lines = [t for t in one.absorption if t.oscillator_strength.spread is not None]
    if not lines:
        return None
    energies = [list(t.energy_ev.sets.values()) for t in lines]
    apart = max(map(max, energies)) - min(map(min, energies))
    known = one.homogeneous_fwhm_mev.spread
    width = 0.0 if known is None else 1e-3 * known.median
    shown = max(width, 0.02 * apart, _NARROWEST_EV)
    sigma = shown / FWHM_PER_SIGMA
    grid = np.linspace(min(map(min, energies)) - 5 * sigma, max(map(max, energies)) + 5 * sigma, 900)

    def draw(axes: Axes) -> None:
        top = 0.0
        for colour, name in zip(COLOURS, one.set_names, strict=False):
            total = np.zeros_like(grid)
            for number, t in enumerate(lines, 1):
                strength = t.oscillator_strength.spread.sets[name]  # type: ignore[union-attr]
                energy = t.energy_ev.sets[name]
                total += strength * np.exp(-0.5 * ((grid - energy) / sigma) ** 2)
                axes.vlines(energy, 0.0, strength, color=colour, lw=1.0)
                # below the axis, where no curve runs; each set has a row of its own
                row = list(one.set_names).index(name)
                axes.annotate(
                    f"{number}", (energy, 0.0), (0, -7 - 7 * row), textcoords="offset points",
                    ha="center", va="center", fontsize=6.5, color=colour, annotation_clip=False,
                )  # fmt: skip
            axes.plot(grid, total, color=colour, lw=1.3, label=f"set {name}")
            top = max(top, float(total.max()))
        axes.set_ylim(0.0, 1.3 * top)
        axes.tick_params(axis="x", pad=4 + 7 * len(one.set_names))
        axes.set_xlabel("energy (eV)")
        axes.set_ylabel("oscillator strength")
        axes.legend(fontsize=7, loc="upper left")

    key = ", ".join(f"{n} {t.name}" for n, t in enumerate(lines, 1))
    states = "the bound pair" if one.crystal.shape == "platelet" else "electron and hole"
    what = f"The first absorption lines, by the states of {states} ({key})"
    if len(lines) == 1:
        what = "The first absorption line"
    how = f"under the homogeneous width, {1e3 * width:.3g} meV"
    if known is None:
        reason = one.homogeneous_fwhm_mev.reason
        how = f"drawn {1e3 * shown:.2g} meV wide, for a width is not available: {reason}"
    elif shown > width:
        how = f"drawn {1e3 * shown:.2g} meV wide; the homogeneous width is {1e3 * width:.2g} meV"
    return make_plot(
        "absorption",
        "the first absorption lines",
        f"{what}, {how}. {_why_no_continuum(one)}",
        draw,
    )


def _why_no_continuum(one: Passport) -> str:
    if one.crystal.shape not in ("cube", "sphere"):
        return "The continuum above them is not drawn for this shape."
    from perolux.materials import optical_constants

    try:
        optical_constants(one.crystal.material)
    except NotAvailableError as error:
        return f"The continuum above them is not drawn: {error.problems[0].what}."
    return "The next figure has the continuum above them."


def cross_section_plot(one: Passport) -> Plot | None:
    """Absorption cross section over photon energy: lines, and the continuum joined to n and k of the bulk."""
    if one.crystal.shape not in ("cube", "sphere") or not one.absorption:
        return None
    from perolux.excitons.ensemble_spectra import absorption_table
    from perolux.excitons.parameters import parameters_of

    crystal = one.crystal
    size = crystal.lengths_nm[0]
    first = min(min(t.energy_ev.sets.values()) for t in one.absorption)
    energy = np.linspace(first - 0.25, _HIGHEST_EV, 1200)
    curves: list[FloatArray] = []
    chosen = None if one.set_names == ("records",) else one.set_names
    cold = crystal.temperature_k < assumption("stokes_shift_from_k").number
    drawn = _COLD_LINE_MEV if cold else None
    try:
        for parameters in parameters_of(crystal.material, crystal.temperature_k, sets=chosen, draws=0):
            table = absorption_table(
                parameters, crystal.shape, (size, size), energy, one.layers,
                outside_index=crystal.outside_index, line_fwhm_mev=drawn,
            )  # fmt: skip
            curves.append(table.values.mean(axis=0))  # nodes just below and above this one size
    except (NotAvailableError, ModelRangeError):
        return None
    power = int(np.floor(np.log10(max(float(curve.max()) for curve in curves))))

    def draw(axes: Axes) -> None:
        for colour, name, curve in zip(COLOURS, one.set_names, curves, strict=False):
            axes.plot(energy, curve / 10.0**power, color=colour, lw=1.3, label=f"set {name}")
        for nm, entry in one.cross_section_cm2.items():
            if entry.spread is not None:
                low, high = entry.spread.low95 / 10.0**power, entry.spread.high95 / 10.0**power
                axes.vlines(HC_EV_NM / float(nm), low, high, color=GREY, lw=2.5, alpha=0.6)
                axes.annotate(
                    f"{nm} nm", (HC_EV_NM / float(nm), high), (0, 3), textcoords="offset points",
                    ha="center", fontsize=6.5, color=INK,
                )  # fmt: skip
        axes.set_ylim(bottom=0.0)
        axes.set_xlim(energy[0], energy[-1])
        axes.set_xlabel("photon energy (eV)")
        axes.set_ylabel(f"cross section ($10^{{{power}}}$ cm²)")
        axes.legend(fontsize=7, loc="upper left")

    above = assumption("bulk_absorption_above_gap_ev").number
    return make_plot(
        "cross-section",
        "absorption cross section against photon energy",
        "Absorption cross section of this one size at the middle of every range, rival calibrations "
        f"included: lines and a continuum under them, joined about {above:g} eV above the absorption edge "
        "to n and k of the bulk (measured near 300 K). Grey bars: 95 % of the cross sections of the table."
        + (f" The lines are drawn {_COLD_LINE_MEV:g} meV wide." if cold else ""),
        draw,
    )


def emission_plot(one: Passport, heat: Course) -> Plot | None:
    """Emission lines at several temperatures: with phonons where the material has them, else Gaussians.

    Each has its peak where the passport at that temperature puts the emission.
    """
    own = one.crystal.temperature_k
    # the nanocrystal itself with all its draws, and others that are told apart from it
    others = {t: p for t, p in zip(heat.x.tolist(), heat.passports, strict=True) if t in _LINES_K}
    found = {t: p for t, p in others.items() if abs(t - own) > APART_K} | {own: one}
    chosen = [found[t] for t in sorted(found)]
    lines = [drawn for p in chosen if (drawn := _phonon_line(p)) is not None]
    with_phonons = bool(lines) and len(lines) == len(chosen)
    if not with_phonons:
        lines = [drawn for p in chosen if (drawn := _gaussian_line(p)) is not None]
    if not lines:
        return None

    def draw(axes: Axes) -> None:
        import matplotlib

        shades = matplotlib.colormaps["coolwarm"](np.linspace(0.05, 0.95, len(lines)))
        for shade, (kelvin, energy, line, _) in zip(shades, lines, strict=True):
            width = 2.2 if kelvin == own else 1.0
            axes.plot(energy, line / line.max(), color=shade, lw=width, label=f"{kelvin:g} K")
        if one.emission_ev.spread is not None:
            axes.axvline(one.emission_ev.spread.median, color=GREY, lw=0.7, ls=":")
        bright = [energy[line > 0.01 * line.max()] for _, energy, line, _ in lines]
        axes.set_xlim(min(float(e[0]) for e in bright), max(float(e[-1]) for e in bright))
        axes.set_xlabel("energy (eV)")
        axes.set_ylabel("emission (each to its maximum)")
        axes.set_ylim(0.0, 1.15)
        axes.legend(fontsize=7)

    caption = (
        "Emission line of one nanocrystal, each with its peak where the emission is calculated at that "
        f"temperature; thick, and the dotted mark: {own:g} K. "
    )
    mine = next((line for line in lines if line[0] == own), None)
    rests_on: tuple[Value, ...] = ()
    if with_phonons:
        rests_on = _phonon_values(one)
        caption += (
            "With phonons (3, 6, 19 meV, acoustic; assumed couplings). The zero-phonon line is drawn 1 meV "
            "wide, wider when warm"
        )
        if mine is not None:
            caption += f"; with its phonons the line is {1e3 * _fwhm_ev(mine):.2g} meV wide at {own:g} K"
    else:
        caption += "Gaussians of the homogeneous width, at least 1 meV"
        if one.homogeneous_fwhm_mev.spread is None:
            caption += f"; at {own:g} K it is not available: {one.homogeneous_fwhm_mev.reason}"
        elif mine is not None:
            caption += f"; drawn {1e3 * mine[3]:.3g} meV wide at {own:g} K"
    spread = one.homogeneous_fwhm_mev.spread
    if with_phonons and spread is not None:
        caption += (
            f" (homogeneous width of the table: {spread.median:.3g}, 95 %: {spread.low95:.3g} to "
            f"{spread.high95:.3g} meV)"
        )
    return make_plot(
        "emission", "emission lines at several temperatures", caption + ".", draw, rests_on=rests_on
    )


def _fwhm_ev(drawn: _Line) -> float:
    """Width between the outermost points above half the maximum."""
    _, energy, line, _ = drawn
    above = energy[line >= 0.5 * line.max()]
    return float(above[-1] - above[0])


def _phonon_values(one: Passport) -> tuple[Value, ...]:
    from perolux.excitons.light.huang_rhys import phonon_records
    from perolux.materials import material

    return phonon_records(material(one.crystal.material, one.crystal.temperature_k))


def _phonon_line(one: Passport) -> _Line | None:
    """The emission with phonons, shifted so that its peak is that of the passport; None where not known."""
    from perolux.excitons.light.huang_rhys import material_phonon_modes
    from perolux.excitons.light.phonon_line import phonon_line
    from perolux.materials import material

    crystal, peak = one.crystal, one.emission_ev.spread
    if peak is None:
        return None
    try:
        host = material(crystal.material, crystal.temperature_k)
        modes = material_phonon_modes(host, float(np.cbrt(crystal.volume_nm3)))
        acoustic = host.value("linewidth_gamma_ac").number
    except (ModelRangeError, NotAvailableError):
        return None
    width = _NARROWEST_EV + acoustic * crystal.temperature_k
    line = phonon_line(modes, crystal.temperature_k, gauss_fwhm_ev=width, side="emission")
    top = line.detuning_ev[int(np.argmax(line.density_per_ev))]
    return crystal.temperature_k, peak.median + line.detuning_ev - top, line.density_per_ev, width


def _gaussian_line(one: Passport) -> _Line | None:
    """A Gaussian of the median peak and width."""
    peak, width = one.emission_ev.spread, one.homogeneous_fwhm_mev.spread
    if peak is None:
        return None
    fwhm = max(0.0 if width is None else 1e-3 * width.median, _NARROWEST_EV)
    sigma = fwhm / FWHM_PER_SIGMA
    energy = peak.median + sigma * np.linspace(-4.0, 4.0, 400)
    line = np.exp(-0.5 * ((energy - peak.median) / sigma) ** 2)
    return one.crystal.temperature_k, energy, line, fwhm
