"""Figures of a passport: levels, absorption, emission lines, lifetimes, shifts of more than one exciton."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from perolux.quantities.constants import FWHM_PER_SIGMA
from perolux.reports.figures import BLUE, GREY, ORANGE, STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from perolux.excitons.courses import Course
    from perolux.excitons.passport_record import Entry, Passport

__all__ = ["Plot", "draw_plots"]

_WIDTH, _HEIGHT = 4.4, 2.9
_TEMPERATURES_K = (4.0, 10.0, 20.0, 40.0, 77.0, 120.0, 160.0, 200.0, 250.0, 300.0)
_LINES_K = (4.0, 77.0, 160.0, 300.0)
_ZERO_PHONON_EV = 1e-3
"""Width at which a zero-phonon line is drawn in the cold, so that the page can show it."""
_LABEL_BOX = {"boxstyle": "square,pad=0.1", "facecolor": "white", "alpha": 0.6, "linewidth": 0}
_SIZES = 14
_COLOURS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9")


@dataclass(frozen=True)
class Plot:
    """One figure: an SVG element and the sentence under it."""

    name: str
    svg: str
    caption: str


def draw_plots(one: Passport) -> list[Plot]:
    """All figures of a passport; the courses over temperature and size are computed here (a few seconds)."""
    from perolux.excitons.courses import over_size, over_temperature

    sets = one.set_names if one.set_names != ("records",) else None
    heat = over_temperature(one.crystal, _TEMPERATURES_K, layers=one.layers, sets=sets)
    first = one.crystal.lengths_nm[0]
    sizes = np.geomspace(min(3.0, first), max(30.0, first), _SIZES)
    size = over_size(one.crystal, list(sizes), layers=one.layers, sets=sets)
    plots = [_levels(one), _absorption(one), _emission(one, heat)]
    plots.append(
        _course(
            "lifetime-temperature", heat, lambda p: p.radiative_lifetime_ns, "radiative lifetime (ns)",
            "Radiative lifetime against temperature, in thermal equilibrium over all states of the pair. In "
            "the cold, populations often do not reach equilibrium, and the bright levels are seen (dashed).",
            beside=lambda p: p.bright_lifetime_ns, log_y=True,
        )
    )  # fmt: skip
    plots.append(
        _course(
            "lifetime-size", size, lambda p: p.radiative_lifetime_ns, "radiative lifetime (ns)",
            f"Radiative lifetime against size at {one.crystal.temperature_k:g} K; dashed: bright levels.",
            beside=lambda p: p.bright_lifetime_ns, log_x=True, log_y=True, mark=first,
        )
    )  # fmt: skip
    plots.append(
        _course(
            "emission-size", size, lambda p: p.emission_ev, "emission (eV)",
            "Peak of the emission against size.",
            log_x=True, mark=first,
        )
    )  # fmt: skip
    plots.append(
        _course(
            "shifts-size", size, lambda p: p.biexciton_shift_mev, "shift (meV)",
            "Shift of the biexciton line against size, calculated; dashed, trion. Negative is to the red.",
            beside=lambda p: p.trion_shift_mev, log_x=True, mark=first,
        )
    )  # fmt: skip
    plots.append(
        _course(
            "splitting-size", size, lambda p: p.bright_dark_mev, "bright above dark (meV)",
            "Exchange splitting between the bright levels and the dark one against size.",
            log_x=True, log_y=True, mark=first,
        )
    )  # fmt: skip
    return [plot for plot in plots if plot is not None]


def _plot(name: str, caption: str, draw: Callable[[Axes], None], height: float = _HEIGHT) -> Plot:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with matplotlib.rc_context(cast("Any", STYLE)):
        figure: Figure = new_figure(_WIDTH, height)
        FigureCanvasAgg(figure)
        draw(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    svg = text[text.index("<svg") :]
    # identifiers must be unique in the page, and the size is that of the column
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\1{name}-", svg)
    svg = re.sub(r'^(<svg[^>]*?) width="[^"]*"', r"\1", svg)
    svg = re.sub(r'^(<svg[^>]*?) height="[^"]*"', r"\1", svg)
    return Plot(name, svg, caption)


def _course(
    name: str,
    course: Course,
    entry: Callable[[Passport], Entry],
    label: str,
    caption: str,
    *,
    beside: Callable[[Passport], Entry] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    mark: float | None = None,
) -> Plot | None:
    found = course.of(entry)
    if found["x"].size < 2:
        return None

    def draw(axes: Axes) -> None:
        sets = course.passports[0].set_names
        axes.fill_between(found["x"], found["low95"], found["high95"], color=GREY, alpha=0.18, lw=0)
        for colour, one in zip(_COLOURS, sets, strict=False):
            axes.plot(found["x"], found[one], color=colour, lw=1.3, label=f"set {one}")
        if beside is not None:
            other = course.of(beside)
            for colour, one in zip(_COLOURS, sets, strict=False):
                if one in other:
                    axes.plot(other["x"], other[one], color=colour, lw=1.0, ls="--")
        if mark is not None:
            axes.axvline(mark, color=GREY, lw=0.7, ls=":")
        if log_x:
            axes.set_xscale("log")
            ticks = [t for t in (3, 4, 5, 6, 8, 10, 15, 20, 30, 50) if found["x"][0] <= t <= found["x"][-1]]
            axes.set_xticks(ticks, [f"{t}" for t in ticks])
            axes.minorticks_off()
        if log_y:
            axes.set_yscale("log")
        axes.set_xlabel(f"{course.x_name} ({course.x_unit})")
        axes.set_ylabel(label)
        axes.legend(fontsize=7)

    note = f" {len(course.left_out)} points have no answer: {course.left_out[0]}." if course.left_out else ""
    return _plot(name, caption + " Grey: 95 % over all draws." + note, draw)


def _levels(one: Passport) -> Plot | None:
    """The dark level and the three bright ones with their dipoles, and the first absorption lines beside."""
    if one.bright_dark_mev.spread is None:
        return None
    middle = one.bright_dark_mev.spread.median
    steps = [entry.spread.median if entry.spread else 0.0 for entry in one.bright_splittings_mev]
    first = middle - (2.0 * steps[0] + steps[1]) / 3.0
    bright = [first, first + steps[0], first + steps[0] + steps[1]]
    names = _axis_names(one)

    def draw(axes: Axes) -> None:
        axes.hlines(0.0, 0.1, 0.9, color=GREY, lw=2)
        axes.annotate("dark, J = 0", (0.5, 0.0), (0, 3), textcoords="offset points", ha="center", fontsize=7)
        for n, (energy, name) in enumerate(zip(bright, names, strict=True)):
            axes.hlines(energy, 1.1 + n, 1.9 + n, color=_COLOURS[n], lw=2)
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

    return _plot(
        "levels",
        "Fine structure of the first exciton, median over all draws: the dark singlet and the three bright "
        "levels, each with the direction of its dipole.",
        draw,
    )


def _axis_names(one: Passport) -> list[str]:
    """Dipole directions in rising order of energy: the longest axis of the shape lies lowest."""
    a, b, c = one.crystal.lengths_nm
    if one.crystal.shape in ("cube", "sphere"):
        return ["bright x", "bright y", "bright z"]
    order = sorted(zip((a, b, c), ("x", "y", "z"), strict=True), key=lambda pair: -pair[0])
    return [f"bright {name} ({length:.3g} nm)" for length, name in order]


def _absorption(one: Passport) -> Plot | None:
    """Sticks of the transitions under a line broadened by the homogeneous width, for each set."""
    lines = [t for t in one.absorption if t.oscillator_strength.spread is not None]
    if not lines or one.homogeneous_fwhm_mev.spread is None:
        return None
    sigma = 1e-3 * one.homogeneous_fwhm_mev.spread.median / FWHM_PER_SIGMA
    low = min(min(t.energy_ev.sets.values()) for t in lines) - 5 * sigma
    high = max(max(t.energy_ev.sets.values()) for t in lines) + 3 * sigma
    grid = np.linspace(low, high, 600)

    def draw(axes: Axes) -> None:
        top = 0.0
        for colour, name in zip(_COLOURS, one.set_names, strict=False):
            total = np.zeros_like(grid)
            for t in lines:
                strength = t.oscillator_strength.spread.sets[name]  # type: ignore[union-attr]
                total += strength * np.exp(-0.5 * ((grid - t.energy_ev.sets[name]) / sigma) ** 2)
            axes.plot(grid, total, color=colour, lw=1.3, label=f"set {name}")
            for t in lines:
                strength = t.oscillator_strength.spread.sets[name]  # type: ignore[union-attr]
                axes.vlines(t.energy_ev.sets[name], 0.0, strength, color=colour, lw=0.8)
            top = max(top, float(total.max()))
        name = one.set_names[0]
        for t in lines:
            strength = t.oscillator_strength.spread.sets[name]  # type: ignore[union-attr]
            axes.annotate(
                t.name, (t.energy_ev.sets[name], strength), (2, 2), textcoords="offset points", fontsize=6,
                rotation=60, color="#333333", bbox=_LABEL_BOX,
            )  # fmt: skip
        axes.set_ylim(0.0, 1.35 * top)
        axes.set_xlabel("energy (eV)")
        axes.set_ylabel("oscillator strength")
        axes.legend(fontsize=7, loc="upper left")

    return _plot(
        "absorption",
        "The first absorption lines, named by the states of electron and hole, under the homogeneous width. "
        "The continuum above them is not drawn.",
        draw,
    )


def _emission(one: Passport, heat: Course) -> Plot | None:
    """Emission lines at several temperatures: with phonons where the material has them, else Gaussians."""
    chosen = [p for t, p in zip(heat.x, heat.passports, strict=True) if t in _LINES_K]
    lines = [drawn for p in chosen if (drawn := _phonon_line(p)) is not None]
    caption = (
        "Emission line of one nanocrystal with its phonons (3, 6, 19 meV, acoustic; assumed couplings). The "
        "zero-phonon line lies at the first absorption line; it is drawn 1 meV wide, wider when warm."
    )
    if len(lines) < len(chosen):
        lines = [drawn for p in chosen if (drawn := _gaussian_line(p)) is not None]
        caption = "Emission line of one nanocrystal: median peak and homogeneous width."
    if not lines:
        return None

    def draw(axes: Axes) -> None:
        import matplotlib

        shades = matplotlib.colormaps["coolwarm"](np.linspace(0.05, 0.95, len(lines)))
        for shade, (kelvin, energy, line) in zip(shades, lines, strict=True):
            axes.plot(energy, line / line.max(), color=shade, lw=1.2, label=f"{kelvin:g} K")
        bright = [energy[line > 0.01 * line.max()] for _, energy, line in lines]
        axes.set_xlim(min(float(e[0]) for e in bright), max(float(e[-1]) for e in bright))
        axes.set_xlabel("energy (eV)")
        axes.set_ylabel("emission (each to its maximum)")
        axes.set_ylim(0.0, 1.15)
        axes.legend(fontsize=7)

    return _plot("emission", caption, draw)


_Line = tuple[float, "np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]


def _phonon_line(one: Passport) -> _Line | None:
    """Temperature, energies (eV) and line of the emission with phonons; None where they are not known."""
    from perolux.errors import ModelRangeError, NotAvailableError
    from perolux.excitons.light.huang_rhys import material_phonon_modes
    from perolux.excitons.light.phonon_line import phonon_line
    from perolux.materials import material

    crystal = one.crystal
    try:
        host = material(crystal.material, crystal.temperature_k)
        modes = material_phonon_modes(host, float(np.cbrt(crystal.volume_nm3)))
        acoustic = host.value("linewidth_gamma_ac").number
    except (ModelRangeError, NotAvailableError):
        return None
    width = _ZERO_PHONON_EV + acoustic * crystal.temperature_k
    line = phonon_line(modes, crystal.temperature_k, gauss_fwhm_ev=width, side="emission")
    return crystal.temperature_k, one.absorption[0].energy_ev.median + line.detuning_ev, line.density_per_ev


def _gaussian_line(one: Passport) -> _Line | None:
    """Temperature, energies (eV) and a Gaussian of the median peak and width."""
    peak, width = one.emission_ev.spread, one.homogeneous_fwhm_mev.spread
    if peak is None or width is None:
        return None
    sigma = 1e-3 * width.median / FWHM_PER_SIGMA
    energy = peak.median + sigma * np.linspace(-4.0, 4.0, 400)
    return one.crystal.temperature_k, energy, np.exp(-0.5 * ((energy - peak.median) / sigma) ** 2)
