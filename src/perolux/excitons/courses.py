"""Results of a nanocrystal against temperature or size: the passport asked again along a line.

Where the material has no answer at a point (a gap known only near 300 K, say) the point is left out, and the
course says how many are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError
from perolux.excitons.crystal import LARGEST_NM, Nanocrystal
from perolux.excitons.layers import Layers
from perolux.excitons.passport_record import Entry, Passport
from perolux.excitons.properties import passport

__all__ = ["COURSE_DRAWS", "Course", "over_size", "over_temperature"]

FloatArray = npt.NDArray[np.float64]

COURSE_DRAWS = 64
"""Draws for each set at each point of a course."""


@dataclass(frozen=True)
class Course:
    """Passports along a line: x (n,) with its name and unit, and what was left out, with the reason."""

    x: FloatArray
    x_name: str
    x_unit: str
    passports: tuple[Passport, ...]
    left_out: tuple[str, ...] = ()

    def of(self, entry: Callable[[Passport], Entry]) -> dict[str, FloatArray]:
        """One result along the line: arrays x, median, low95, high95, and one by the name of each set."""
        rows = [(x, entry(one).spread) for x, one in zip(self.x, self.passports, strict=True)]
        known = [(x, spread) for x, spread in rows if spread is not None]
        found = {"x": np.array([x for x, _ in known])}
        for name in ("median", "low95", "high95"):
            found[name] = np.array([getattr(spread, name) for _, spread in known])
        sets = self.passports[0].set_names if self.passports else ()
        return found | {s: np.array([spread.sets[s] for _, spread in known]) for s in sets}


def over_temperature(
    crystal: Nanocrystal,
    temperatures_k: Sequence[float],
    *,
    layers: Layers | None = None,
    sets: Iterable[str] | None = None,
    draws: int = COURSE_DRAWS,
) -> Course:
    """The nanocrystal at each temperature."""
    points = [(float(t), replace(crystal, temperature_k=float(t))) for t in temperatures_k]
    return _along(points, "temperature", "K", layers, sets, draws)


def over_size(
    crystal: Nanocrystal,
    sizes_nm: Sequence[float],
    *,
    layers: Layers | None = None,
    sets: Iterable[str] | None = None,
    draws: int = COURSE_DRAWS,
) -> Course:
    """Nanocrystals of the same proportions; the sizes are those of the first core length, in nm.

    A platelet keeps its thickness: its lateral edges scale.
    """
    points = []
    for size in sizes_nm:
        a, b, c = (length * size / crystal.lengths_nm[0] for length in crystal.lengths_nm)
        if crystal.shape == "platelet":
            c = crystal.lengths_nm[2]
        if max(a, b, c) <= LARGEST_NM:
            points.append((float(size), replace(crystal, lengths_nm=(a, b, c))))
    return _along(points, "size", "nm", layers, sets, draws)


def _along(
    points: list[tuple[float, Nanocrystal]],
    name: str,
    unit: str,
    layers: Layers | None,
    sets: Iterable[str] | None,
    draws: int,
) -> Course:
    chosen = None if sets is None else tuple(sets)
    places, found, left_out = [], [], []
    for place, crystal in points:
        try:
            found.append(passport(crystal, layers=layers, sets=chosen, draws=draws))
            places.append(place)
        except (NotAvailableError, ModelRangeError) as error:
            left_out.append(f"{place:g} {unit}: {error.problems[0].what}")
    return Course(np.array(places), name, unit, tuple(found), tuple(left_out))
