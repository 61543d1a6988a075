"""Figures of the light of an assembly: spectrum, shift and coincidences against time, far field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from perolux.reports.passport_drawing import COLOURS, Plot, make_plot, widths

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perolux.collective.assembly_record import AssemblyResult

__all__ = ["light_plots"]


def light_plots(found: AssemblyResult, record: dict[str, Any]) -> list[Plot]:
    """Spectrum; where known against time, shift and g2; far field in three planes."""
    entries = [one for one in record["screenings"] if one["light"]["reason"] is None]
    plots = [
        make_plot(
            "spectrum",
            "spectrum of all light",
            "All light against energy, less the mean energy of the emitters: of the start in the file (full "
            "lines), and of one excitation at random, times as many photons (dashed). A bin holds all "
            "light in it, however sharp.",
            lambda axes: _spectrum(axes, entries),
        )
    ]
    if any(one["light"]["against_time"] for one in entries):
        plots.append(
            make_plot(
                "shift",
                "mean energy of the light against time",
                "Mean energy of the light against time, first draw. It is no eigenenergy: what is emitted "
                "first lies to one side, what is left gives the rest, as the energy of the start is kept.",
                lambda axes: _against_time(axes, entries, "mean_shift_mev", "mean shift (meV)"),
            )
        )
        plots.append(
            make_plot(
                "pairs",
                "coincidences against time",
                "g2(t, t) of two photons at one time, first draw: 1 is chance.",
                lambda axes: _against_time(axes, entries, "g2", "g2(t, t)"),
            )
        )
    plots.append(
        make_plot(
            "far_field",
            "far field",
            "All light in photons per sr, polar, shifts of the strongest screening: angle from the first "
            "axis of each plane towards the second.",
            lambda axes: _far_field(axes, entries[-1]),
        )
    )
    return plots


def _spectrum(axes: Axes, entries: list[dict[str, Any]]) -> None:
    for colour, one in zip(COLOURS, entries, strict=False):
        told = one["light"]["spectrum"]
        energy, photons = np.array(told["energy_mev"]), np.array(told["photons"])
        width = float(energy[1] - energy[0])
        axes.plot(energy, photons / width, color=colour, lw=1.0, label=f"shifts x {one['screening']:g}")
        weak = np.array(told["one_excitation_photons"]) * one["light"]["photons"]
        axes.plot(energy, weak / width, color=colour, lw=0.7, ls="--")
    axes.set_yscale("log")
    top = axes.get_ylim()[1]
    axes.set(xlabel="energy (meV)", ylabel="photons per meV", ylim=(1e-4 * top, 10.0 * top))
    axes.legend()


def _against_time(axes: Axes, entries: list[dict[str, Any]], key: str, label: str) -> None:
    for colour, one in zip(COLOURS, entries, strict=False):
        rows = [row for row in one["light"]["against_time"] or [] if row[key] is not None]
        if rows:
            axes.plot([row["time_ps"] for row in rows], [row[key] for row in rows], color=colour,
                      label=f"shifts x {one['screening']:g}")  # fmt: skip
    axes.set(xlabel="time (ps)", ylabel=label)
    axes.legend()


def _far_field(axes: Axes, entry: dict[str, Any]) -> None:
    told = entry["light"]["pattern"]
    angle = np.radians([*told["angle_deg"], 360.0])
    largest = 0.0
    for colour, width, (name, values) in zip(
        COLOURS, widths(3), told["photons_per_sr"].items(), strict=False
    ):
        size = np.array([*values, values[0]])
        largest = max(largest, float(np.max(size)))
        axes.plot(size * np.cos(angle), size * np.sin(angle), color=colour, lw=width,
                  label=f"plane {name}")  # fmt: skip
    axes.set(xlim=(-1.1 * largest, 1.1 * largest), ylim=(-1.1 * largest, 1.1 * largest), aspect="equal",
             xlabel="photons per sr", ylabel="photons per sr")  # fmt: skip
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
