"""Figures of a passport over temperature and size; points without an answer are gaps, and said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perolux.excitons.assumptions import assumption
from perolux.reports.passport_drawing import COLOURS, GREY, INK, Plot, log_axis, make_plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perolux.excitons.courses import Course
    from perolux.excitons.passport_record import Entry, Passport

__all__ = ["course_plot", "course_plots"]

FloatArray = npt.NDArray[np.float64]

_EMPIRICAL = ("empirical_biexciton_shift_ev", "empirical_biexciton_shift_ev_nm2", "empirical_shift_edge_nm")


def course_plots(one: Passport, heat: Course, size: Course) -> list[Plot]:
    """Lifetime over temperature; lifetime, emission, shifts and exchange splitting over size."""
    first = one.crystal.lengths_nm[0]
    kelvin = f"{one.crystal.temperature_k:g} K"
    against = f"against the {size.x_name}"
    if one.crystal.shape in ("cuboid", "rod", "spheroid"):
        against += " at fixed proportions"
    empirical = _empirical(one)
    shift_caption = "Shift of the biexciton line {}, calculated; dashed, trion. Negative is to the red."
    if empirical is not None:
        shift_caption += (
            " Dotted: the biexciton by an empirical law for CsPbBr3 at 4 K, a fit by others, in its range."
        )
    found = [
        course_plot(
            "lifetime-temperature", heat, lambda p: p.radiative_lifetime_ns, "radiative lifetime (ns)",
            "Radiative lifetime against temperature, in thermal equilibrium over all states of the pair. In "
            "the cold, populations often do not reach equilibrium, and the bright levels are seen (dashed).",
            beside=lambda p: p.bright_lifetime_ns, log_y=True, mark=one.crystal.temperature_k,
        ),
        course_plot(
            "lifetime-size", size, lambda p: p.radiative_lifetime_ns, "radiative lifetime (ns)",
            f"Radiative lifetime {against} at {kelvin}; dashed: bright levels.",
            beside=lambda p: p.bright_lifetime_ns, log_x=True, log_y=True, mark=first,
        ),
        course_plot(
            "emission-size", size, lambda p: p.emission_ev, "emission (eV)",
            f"Peak of the emission {against} at {kelvin}.",
            log_x=True, mark=first,
        ),
        course_plot(
            "shifts-size", size, lambda p: p.biexciton_shift_mev, "shift (meV)",
            shift_caption.format(against),
            beside=lambda p: p.trion_shift_mev, log_x=True, mark=first, extra=empirical,
        ),
        course_plot(
            "splitting-size", size, lambda p: p.bright_dark_mev, "bright above dark (meV)",
            f"Exchange splitting between the bright levels and the dark one {against}.",
            log_x=True, log_y=True, mark=first,
        ),
    ]  # fmt: skip
    return [plot for plot in found if plot is not None]


def course_plot(
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
    extra: tuple[FloatArray, FloatArray] | None = None,
) -> Plot | None:
    """One result along a course; None where fewer than two of its points have it or what stands beside it."""
    sets = course.passports[0].set_names if course.passports else ()
    x, rows = _rows(course, entry, sets)
    _, others = _rows(course, beside, sets) if beside is not None else (x, {})
    known = np.isfinite(rows["median"])
    if known.sum() + np.isfinite(others.get("median", np.array([np.nan]))).sum() < 2:
        return None

    def draw(axes: Axes) -> None:
        axes.fill_between(x, rows["low95"], rows["high95"], color=GREY, alpha=0.18, lw=0)
        for colour, one in zip(COLOURS, sets, strict=False):
            axes.plot(x, rows[one], color=colour, lw=1.3, marker="o", ms=2.2, label=f"set {one}")
            if beside is not None:
                axes.plot(x, others[one], color=colour, lw=1.0, ls="--", marker="o", ms=1.6)
        if extra is not None:
            axes.plot(*extra, color=INK, lw=1.4, ls=":", label="biexciton, empirical")
        if mark is not None:
            axes.axvline(mark, color=GREY, lw=0.7, ls=":")
        if log_x:
            axes.set_xscale("log")
            axes.set_xlim(0.94 * x[0], 1.06 * x[-1])
            log_axis(axes.xaxis, float(x[0]), float(x[-1]))
            axes.set_xticks(
                [t for t in (2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 70, 100) if x[0] <= t <= x[-1]]
            )
            axes.tick_params(axis="x", which="minor", bottom=False)
        if log_y and _decades(rows, others) > 0.6:
            axes.set_yscale("log")
            log_axis(axes.yaxis, *axes.get_ylim())
        axes.set_xlabel(f"{course.x_name} ({course.x_unit})")
        axes.set_ylabel(label)
        axes.legend(fontsize=7)

    caption += " Grey: 95 % over all draws." + _gaps(course, entry)
    rests_on = tuple(assumption(one) for one in _EMPIRICAL) if extra is not None else ()
    title = f"{label} against {course.x_name}"
    return make_plot(name, title, caption, draw, rests_on=rests_on)


def _rows(
    course: Course, entry: Callable[[Passport], Entry], sets: tuple[str, ...]
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Places along the course, those left out too, and columns with NaN where the figure has a gap."""
    spreads = {x: entry(one).spread for x, one in zip(course.x.tolist(), course.passports, strict=True)}
    places = sorted({*spreads, *course.left_out_x})
    found = {}
    for name in ("median", "low95", "high95", *sets):
        column = []
        for x in places:
            spread = spreads.get(x)
            if spread is None:
                column.append(np.nan)
            else:
                column.append(spread.sets[name] if name in sets else getattr(spread, name))
        found[name] = np.array(column)
    return np.array(places), found


def _decades(rows: dict[str, FloatArray], others: dict[str, FloatArray]) -> float:
    """Powers of ten that the curves span; few of them have too few round numbers for a logarithmic axis."""
    drawn = np.concatenate([*rows.values(), *others.values()])
    drawn = drawn[np.isfinite(drawn)]
    return float(np.log10(drawn.max() / drawn.min())) if drawn.min() > 0 else 0.0


def _gaps(course: Course, entry: Callable[[Passport], Entry]) -> str:
    """How many points have no answer, and why."""
    reasons = [reason.partition(": ")[2] for reason in course.left_out]
    reasons += [entry(one).reason or "" for one in course.passports if entry(one).spread is None]
    if not reasons:
        return ""
    total = len(course.passports) + len(course.left_out)
    if course.x_unit == "K":  # the same reason at each temperature is one
        reasons = [re.sub(r" at [\d.]+ K", "", one) for one in reasons]
    several = Counter(reasons).most_common(3)
    words = "; ".join(f"{one} ({count})" if len(several) > 1 else one for one, count in several)
    return f" {len(reasons)} of {total} points have no answer and are gaps: {words}."


def _empirical(one: Passport) -> tuple[FloatArray, FloatArray] | None:
    """Edges (nm) and shifts (meV) of the empirical biexciton law; None but for cubes of CsPbBr3."""
    if one.crystal.material != "CsPbBr3" or one.crystal.shape != "cube":
        return None
    from perolux.excitons.many.multiexcitons import empirical_shift_ev

    valid = assumption("empirical_shift_edge_nm")
    edge = np.linspace(valid.low or 0.0, valid.high or 0.0, 60)
    return edge, 1e3 * empirical_shift_ev("biexciton", edge)
