"""What a grown recipe comes to, in a few numbers: what a map and an uncertainty tabulate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.synthesis.batch import Batch

__all__ = ["FEWEST_PER_M3", "OUTCOMES", "Outcome", "of_the_course", "outcome_of"]

FloatArray = npt.NDArray[np.float64]

FEWEST_PER_M3 = 1.0
"""Fewer nuclei than this in a cubic metre are none in any flask."""
_BORN = 0.9
_COMPLETE = 0.9

OUTCOMES: dict[str, tuple[str, str]] = {
    "mean_edge_nm": ("nm", "number mean of the edge at the end"),
    "cv": ("1", "standard deviation of the edge over its mean, by number, at the end"),
    "N_per_m3": ("1/m^3", "crystals per volume of liquid at the end"),
    "yield": ("1", "share of the scarcest component of the product that is in crystals at the end"),
    "largest_supersaturation": ("1", "largest free monomer over solubility, of all steps of the engine"),
    "nucleation_share": (
        "1",
        "share of the precipitation that is over when 90 % of the nuclei have formed: 0 after a burst, "
        "0.9 where crystals are born as long as monomer is taken up",
    ),
    "time_to_90_percent_s": ("s", "when the yield passes 90 %"),
}
"""Name of a number of an outcome -> its unit and what it means."""


@dataclass(frozen=True)
class Outcome:
    """numbers: by the names of `OUTCOMES`, None where there is none; reasons: why, by the same names."""

    numbers: dict[str, float | None]
    reasons: dict[str, str]
    warnings: tuple[str, ...]

    @property
    def has_crystals(self) -> bool:
        """Whether there are crystals at the end."""
        sizes = (self.numbers.get(name) for name in ("mean_edge_nm", "mean_diameter_nm"))
        return any(size is not None for size in sizes)


def outcome_of(batch: Batch) -> Outcome:
    """The numbers of a grown recipe.

    Times between those of the history are interpolated; a history of 60 rising times (no `times` in
    [observe]) tells a time to about 12 %.
    """
    history = batch.history
    numbers, reasons = of_the_course(
        history.time_s, history.nuclei_per_m3, history.bound_mol_m3, float(history.supplied_mol_m3[-1])
    )
    nucleated = bool(history.nuclei_per_m3[-1] >= FEWEST_PER_M3)
    there = nucleated and history.number_per_m3[-1] > 0
    none = "the crystals have dissolved by the end" if nucleated else "nothing nucleates"
    if not there:
        reasons |= dict.fromkeys(("mean_edge_nm", "cv"), none)
    highest = history.largest_supersaturation
    if highest is None:
        highest = float(np.max(history.supersaturation))
    found = {
        "mean_edge_nm": 2e9 * float(history.mean_radius_m[-1]) if there else None,
        "cv": float(history.cv[-1]) if there else None,
        "N_per_m3": float(history.number_per_m3[-1]) if there else 0.0,
        "yield": batch.yield_fraction,
        "largest_supersaturation": highest,
    }
    return Outcome(found | numbers, reasons, batch.warnings)


def of_the_course(
    time_s: FloatArray, nuclei_per_m3: FloatArray, bound_mol_m3: FloatArray, supplied_mol_m3: float
) -> tuple[dict[str, float | None], dict[str, str]]:
    """nucleation_share and time_to_90_percent_s of a course from time 0, and why one of them is missing."""
    time, born = np.append(0.0, time_s), np.append(0.0, nuclei_per_m3)
    bound = np.append(0.0, bound_mol_m3)
    reasons = {}
    share = _share_while_born(time, born, bound) if born[-1] >= FEWEST_PER_M3 else None
    if share is None:
        reasons["nucleation_share"] = "nothing nucleates"
    complete = _first_time(time, bound / supplied_mol_m3, _COMPLETE) if supplied_mol_m3 > 0 else None
    if complete is None:
        reasons["time_to_90_percent_s"] = f"the yield stays below {_COMPLETE:.0%}"
    return {"nucleation_share": share, "time_to_90_percent_s": complete}, reasons


def _share_while_born(time: FloatArray, born: FloatArray, bound: FloatArray) -> float | None:
    """Amount in crystals when 90 % of the nuclei have formed, over the largest that there ever is."""
    most = float(np.max(bound))
    when = _first_time(time, born, _BORN * float(born[-1]))
    return None if most <= 0 or when is None else float(np.interp(when, time, bound)) / most


def _first_time(time: FloatArray, values: FloatArray, level: float) -> float | None:
    """When values first reach a level above 0, linear between the times; None where they never do."""
    reached = np.flatnonzero(values >= level)
    if not len(reached):
        return None
    high = int(reached[0])
    low = max(high - 1, 0)
    rise = values[high] - values[low]
    share = (level - values[low]) / rise if rise > 0 else 1.0
    return float(time[low] + share * (time[high] - time[low]))
