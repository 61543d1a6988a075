"""Results of a nanocrystal against temperature or size: the passport asked again along a line.

Where the material has no answer at a point (a gap known only near 300 K, say) the point is left out, and the
course says how many are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.excitons.crystal import Nanocrystal, require_core_in_range, require_nanocrystal
from perolux.excitons.layers import Layers
from perolux.excitons.passport_record import Entry, Passport
from perolux.excitons.properties import passport
from perolux.materials import material as material_of

__all__ = ["COURSE_DRAWS", "Course", "over_size", "over_temperature"]

FloatArray = npt.NDArray[np.float64]

COURSE_DRAWS = 64
"""Draws for each set at each point of a course."""


SIZE_NAMES = {
    "cube": "edge",
    "cuboid": "first edge",
    "sphere": "diameter",
    "spheroid": "equatorial diameter",
    "rod": "diameter",
    "platelet": "lateral edge",
}
"""What the size of a course is of each shape."""
_SHOWN = ("emission (eV)", "overlap K", "radiative lifetime (ns)", "lifetime of the bright levels (ns)",
          "bright above dark (meV)", "biexciton shift (meV)")  # fmt: skip
"""Results in the table of a course."""


@dataclass(frozen=True, repr=False)
class Course:
    """Passports along a line: x (n,) with its name and unit; what was left out, why and where."""

    x: FloatArray
    x_name: str
    x_unit: str
    passports: tuple[Passport, ...]
    left_out: tuple[str, ...] = ()
    left_out_x: tuple[float, ...] = ()

    def __repr__(self) -> str:
        what = self.passports[0].crystal if self.passports else None
        head = f"{what.material} {what.shape} " if what is not None else ""
        span = f", {self.x[0]:g} to {self.x[-1]:g} {self.x_unit}" if self.x.size else ""
        left = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"<Course of a {head}over {self.x_name}: {self.x.size} points{span}{left}>"

    def _repr_html_(self) -> str:
        """Median and 95 % of the main results along the line, as a table for a notebook."""
        from html import escape

        head = "".join(f"<th>{name}</th>" for name in (f"{self.x_name} ({self.x_unit})", *_SHOWN))
        body = []
        for x, one in zip(self.x, self.passports, strict=True):
            entries = one.entries()
            cells = "".join(f"<td>{escape(_brief(entries[name]))}</td>" for name in _SHOWN)
            body.append(f"<tr><th>{x:.4g}</th>{cells}</tr>")
        left = "".join(f"<p>left out, {escape(one)}</p>" for one in self.left_out)
        caption = f"<caption>{escape(repr(self)[1:-1])}</caption>"
        return f"<table>{caption}<tr>{head}</tr>{''.join(body)}</table>{left}"

    def plot(self, entry: str = "emission (eV)", axes: Any = None) -> Any:
        """One result along the line: a curve for each set and the 95 % over all draws; a matplotlib figure.

        entry: a name of `Passport.entries`. Raises `OptionError` for another, `NotAvailableError` where no
        point of the course has it.
        """
        from perolux.excitons.passport_plots import plot_course

        names = list(self.passports[0].entries()) if self.passports else []
        if entry not in names:
            raise OptionError(f"no result {entry!r} in this course", allowed=", ".join(names))
        return plot_course(self, entry, axes)

    def of(self, entry: Callable[[Passport], Entry]) -> dict[str, FloatArray]:
        """One result along the line: arrays x, median, low95, high95, and one by the name of each set."""
        rows = [(x, entry(one).spread) for x, one in zip(self.x, self.passports, strict=True)]
        known = [(x, spread) for x, spread in rows if spread is not None]
        found = {"x": np.array([x for x, _ in known])}
        for name in ("median", "low95", "high95"):
            found[name] = np.array([getattr(spread, name) for _, spread in known])
        sets = self.passports[0].set_names if self.passports else ()
        return found | {s: np.array([spread.sets[s] for _, spread in known]) for s in sets}


def _brief(entry: Entry) -> str:
    one = entry.spread
    return "–" if one is None else f"{one.median:.4g} ({one.low95:.4g} to {one.high95:.4g})"


def over_temperature(
    crystal: Nanocrystal,
    temperatures_k: Sequence[float],
    *,
    layers: Layers | None = None,
    sets: str | Iterable[str] | None = None,
    draws: int = COURSE_DRAWS,
) -> Course:
    """The nanocrystal at each temperature; raises `OptionError` for what is no list of temperatures."""
    require_nanocrystal(crystal, "over_temperature")
    kelvin = _points(temperatures_k, "over_temperature", "temperature", "K")
    if any(t < 0.0 for t in kelvin):
        raise OptionError("a temperature is below 0 K", where="over_temperature", allowed="0 K and above")
    points = [(t, replace(crystal, temperature_k=t)) for t in kelvin]
    return _along(points, "temperature", "K", layers, sets, draws)


def over_size(
    crystal: Nanocrystal,
    sizes_nm: Sequence[float],
    *,
    layers: Layers | None = None,
    sets: str | Iterable[str] | None = None,
    draws: int = COURSE_DRAWS,
) -> Course:
    """Nanocrystals of the same proportions; the sizes are those of the first core length, in nm.

    A platelet keeps its thickness: its lateral edges scale. Sizes that `nanocrystal` refuses, below one unit
    cell or above 100 nm, are left out with the reason. Raises `OptionError` for what is no list of lengths.
    """
    require_nanocrystal(crystal, "over_size")
    sizes = _points(sizes_nm, "over_size", "size", "nm")
    if not all(size > 0.0 for size in sizes):
        raise OptionError("a size is not positive", where="over_size", allowed="above 0 nm")
    try:
        cell = material_of(crystal.material, crystal.temperature_k).lattice_constant_nm
    except NotAvailableError:
        cell = None
    points: list[tuple[float, Nanocrystal | ModelRangeError]] = []
    for size in sizes:
        a, b, c = (length * size / crystal.lengths_nm[0] for length in crystal.lengths_nm)
        if crystal.shape == "platelet":
            c = crystal.lengths_nm[2]
        try:
            require_core_in_range((a, b, c), cell, crystal.monolayers, "over_size")
            points.append((size, replace(crystal, lengths_nm=(a, b, c))))
        except ModelRangeError as error:
            points.append((size, error))
    return _along(points, SIZE_NAMES[crystal.shape], "nm", layers, sets, draws)


def _points(values: object, where: str, what: str, unit: str) -> list[float]:
    """The places of a course as numbers; `OptionError` for a single one, a text, nothing or no number."""
    try:
        if isinstance(values, str | bytes):
            raise TypeError
        found = [float(one) for one in values]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise OptionError(
            f"{values!r} is no list of {what}s",
            where=where,
            allowed=f"a list of numbers in {unit}",
            fix=f"a single {what} is a list of one",
        ) from None
    if not found:
        raise OptionError(f"no {what} at all", where=where, allowed=f"a list of numbers in {unit}")
    if not np.all(np.isfinite(found)):
        raise OptionError(f"a {what} is no finite number", where=where, allowed=f"numbers in {unit}")
    return found


def _along(
    points: Sequence[tuple[float, Nanocrystal | ModelRangeError]],
    name: str,
    unit: str,
    layers: Layers | None,
    sets: str | Iterable[str] | None,
    draws: int,
) -> Course:
    chosen = sets if sets is None or isinstance(sets, str) else tuple(sets)
    places, found, left_out, nowhere = [], [], [], []
    for place, crystal in points:
        try:
            if isinstance(crystal, ModelRangeError):
                raise crystal
            found.append(passport(crystal, layers=layers, sets=chosen, draws=draws))
            places.append(place)
        except (NotAvailableError, ModelRangeError) as error:
            first = error.problems[0]
            said = f"{first.what}; allowed: {first.allowed}" if error is crystal else first.what
            left_out.append(f"{place:g} {unit}: {said}")
            nowhere.append(place)
    return Course(np.array(places), name, unit, tuple(found), tuple(left_out), tuple(nowhere))
