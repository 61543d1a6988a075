"""Plots of a passport and of a course for a notebook; the figures of the report live in `reports`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from perolux.errors import NotAvailableError

if TYPE_CHECKING:
    from perolux.excitons.courses import Course
    from perolux.excitons.passport_record import Passport

__all__ = ["plot_course", "plot_passport"]


def plot_passport(found: Passport, axes: Any = None) -> Any:
    """Sticks of the absorption lines of each set, the 95 % of the emission as a band; the figure."""
    figure, axes = _axes(axes)
    for n, name in enumerate(found.set_names):
        lines = [t for t in found.absorption if t.oscillator_strength.spread is not None]
        x = [t.energy_ev.sets[name] for t in lines]
        height = [t.oscillator_strength.spread.sets[name] for t in lines]  # type: ignore[union-attr]
        axes.vlines(x, 0.0, height, color=f"C{n}", label=f"set {name}")
    emission = found.emission_ev.spread
    if emission is not None:
        axes.axvspan(emission.low95, emission.high95, color="0.8", label="emission, 95 %")
    axes.set_xlabel("energy (eV)")
    axes.set_ylabel("oscillator strength of the absorption lines")
    axes.set_ylim(bottom=0.0)
    axes.set_title(found.title, fontsize="medium")
    axes.legend()
    return figure


def plot_course(course: Course, entry: str, axes: Any = None) -> Any:
    """One result along a course: a curve for each set, broken where it is missing, and the 95 % as a band."""
    rows = [one.entries()[entry].spread for one in course.passports]
    if all(one is None for one in rows):
        reason = course.passports[0].entries()[entry].reason if course.passports else None
        raise NotAvailableError(reason or "no point of the course has an answer", where=entry)
    figure, axes = _axes(axes)

    def column(values: list[float | None]) -> np.ndarray:
        return np.array([np.nan if one is None else one for one in values])

    low, high = (column([None if r is None else getattr(r, k) for r in rows]) for k in ("low95", "high95"))
    axes.fill_between(course.x, low, high, color="0.5", alpha=0.2, lw=0, label="95 %")
    for name in course.passports[0].set_names:
        y = column([None if r is None else r.sets[name] for r in rows])
        axes.plot(course.x, y, marker=".", label=f"set {name}")
    axes.set_xlabel(f"{course.x_name} ({course.x_unit})")
    axes.set_ylabel(entry)
    axes.legend()
    return figure


def _axes(axes: Any) -> tuple[Any, Any]:
    if axes is not None:
        return axes.figure, axes
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(layout="constrained")
    return figure, axes
