"""What a grown recipe comes to, in a few numbers: what a map and an uncertainty tabulate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.synthesis import recipe as recipes
from perolux.synthesis.batch import Batch

__all__ = ["FEWEST_PER_M3", "OUTCOMES", "Outcome", "outcome_of", "require_flask"]

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
        return self.numbers["mean_edge_nm"] is not None


def outcome_of(batch: Batch) -> Outcome:
    """The numbers of a grown recipe.

    Times between those of the history are interpolated; a history of 60 rising times (no `times` in
    [observe]) tells a time to about 12 %.
    """
    history = batch.history
    time = np.append(0.0, history.time_s)
    born, bound = np.append(0.0, history.nuclei_per_m3), np.append(0.0, history.bound_mol_m3)
    supplied = float(history.supplied_mol_m3[-1])
    nucleated = bool(born[-1] >= FEWEST_PER_M3)
    there = nucleated and history.number_per_m3[-1] > 0
    none = "the crystals have dissolved by the end" if nucleated else "nothing nucleates"
    reasons = {} if there else dict.fromkeys(("mean_edge_nm", "cv"), none)
    share = _share_while_born(time, born, bound) if nucleated else None
    if share is None:
        reasons["nucleation_share"] = none
    complete = _first_time(time, bound / supplied, _COMPLETE) if supplied > 0 else None
    if complete is None:
        reasons["time_to_90_percent_s"] = f"the yield stays below {_COMPLETE:.0%}"
    highest = history.largest_supersaturation
    if highest is None:
        highest = float(np.max(history.supersaturation))
    numbers = {
        "mean_edge_nm": 2e9 * float(history.mean_radius_m[-1]) if there else None,
        "cv": float(history.cv[-1]) if there else None,
        "N_per_m3": float(history.number_per_m3[-1]) if there else 0.0,
        "yield": batch.yield_fraction,
        "largest_supersaturation": highest,
        "nucleation_share": share,
        "time_to_90_percent_s": complete,
    }
    return Outcome(numbers, reasons, batch.warnings)


def require_flask(route: str, what: str) -> None:
    """Raise `OptionError` where a route is not one of those in a flask, which alone have an `Outcome`."""
    if route not in recipes.ROUTES:
        raise OptionError(
            f"the route {route!r} has no {what}",
            where="route",
            allowed=", ".join(recipes.ROUTES),
            fix="take a recipe in a flask",
        )


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
