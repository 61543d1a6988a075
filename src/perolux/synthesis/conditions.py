"""What a population of crystals grows in, against time: a table between whose knots one interpolates.

Every column is a function of time alone; what depends on the crystals (the monomer left in solution) follows
in the engines. Two knots at one time are a jump, and every engine ends a step there. Amounts are per
*reference* volume (that at the start), so that dilution changes `volume_ratio` and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem

__all__ = ["Conditions", "checked_times", "constant_conditions"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Conditions:
    """Conditions at the knots `time_s` (rising; a time that stands twice is a jump); arrays of one length.

    temperature_k: of the liquid. solubility_mol_m3: of a flat surface of the solid. surface_rate_m_s: k_r of
    the growth law. diffusivity_m2_s: D of the monomer. surface_energy_j_m2: gamma in the ligand solution.
    ln_prefactor: ln A, A in nuclei per m^3 and s. barrier_factor: f of heterogeneous nucleation, else 1.
    volume_ratio: volume over the reference volume. supplied_mol_m3: monomer that has become available, in
    solution or in crystals, per reference volume. complexant_mol_m3, dissociation_mol_m3: T0 and K of the
    complex P <=> M + T that holds monomer back (K 0: none); T0 is what is free while all monomer is in
    solution, and what crystals take up sets its complexant free. washout_per_s: share of the crystals that
    leaves per second (a stirred tank with outflow; `supplied_mol_m3` is what the tank holds, without what
    left with them). ligand_mol_m3: ligand that can cover the surface.
    Before the first and after the last knot the values stay.
    """

    time_s: FloatArray
    temperature_k: FloatArray
    solubility_mol_m3: FloatArray
    surface_rate_m_s: FloatArray
    diffusivity_m2_s: FloatArray
    surface_energy_j_m2: FloatArray
    ln_prefactor: FloatArray
    barrier_factor: FloatArray
    volume_ratio: FloatArray
    supplied_mol_m3: FloatArray
    complexant_mol_m3: FloatArray
    dissociation_mol_m3: FloatArray
    washout_per_s: FloatArray
    ligand_mol_m3: FloatArray

    def __post_init__(self) -> None:
        problems = []
        n = len(np.atleast_1d(self.time_s))
        for field in fields(self):
            values = np.broadcast_to(np.asarray(getattr(self, field.name), dtype=float), (n,)).copy()
            values.flags.writeable = False
            object.__setattr__(self, field.name, values)
            if not np.isfinite(values).all():
                problems.append(Problem(f"{field.name} is not finite", "conditions", "finite numbers"))
            elif field.name in _POSITIVE and np.any(values <= 0):
                problems.append(Problem(f"{field.name} = {values.min():g}", "conditions", "above 0"))
            elif field.name not in _FREE and np.any(values < 0):
                problems.append(Problem(f"{field.name} = {values.min():g}", "conditions", "0 or more"))
        if n < 2 or np.any(np.diff(self.time_s) < 0):
            problems.append(Problem("the knots of the conditions do not rise", "conditions", "rising times"))
        if problems:
            raise OptionError(problems)

    def table(self) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
        """Knots, the columns in the order of the fields, and the smooth stretches (first, last knot)."""
        columns = np.column_stack([getattr(self, field.name) for field in fields(self)[1:]])
        jumps = np.flatnonzero(np.diff(self.time_s) == 0)
        first = np.concatenate(([0], jumps + 1))
        last = np.concatenate((jumps, [len(self.time_s) - 1]))
        real = (self.time_s[last] > self.time_s[first]) | (last == len(self.time_s) - 1)
        return self.time_s, columns, np.column_stack((first, last))[real]

    def at(self, time_s: float) -> dict[str, float]:
        """All columns at one time (after a jump that lies there)."""
        knots = self.time_s
        high = int(np.searchsorted(knots, time_s, side="right"))
        low = max(high - 1, 0)
        high = min(high, len(knots) - 1)
        width = knots[high] - knots[low]
        share = min(max((time_s - knots[low]) / width, 0.0), 1.0) if width > 0 else 0.0
        found = {}
        for field in fields(self)[1:]:
            column = getattr(self, field.name)
            found[field.name] = float(column[low] + share * (column[high] - column[low]))
        return found


_POSITIVE = ("temperature_k", "solubility_mol_m3", "surface_rate_m_s", "diffusivity_m2_s", "volume_ratio")
_FREE = ("time_s", "ln_prefactor")


def constant_conditions(
    *,
    solubility_mol_m3: float,
    supplied_mol_m3: float,
    temperature_k: float = 298.15,
    surface_rate_m_s: float = 1e-7,
    diffusivity_m2_s: float = 5e-10,
    surface_energy_j_m2: float = 0.04,
    ln_prefactor: float = -np.inf,
    barrier_factor: float = 1.0,
    complexant_mol_m3: float = 0.0,
    dissociation_mol_m3: float = 0.0,
    washout_per_s: float = 0.0,
    ligand_mol_m3: float = 0.0,
    knots_s: Sequence[float] = (0.0, 1.0),
) -> Conditions:
    """Conditions that do not change; without a prefactor nothing nucleates."""
    values = {name: value for name, value in locals().items() if name != "knots_s"}
    values["ln_prefactor"] = max(ln_prefactor, -1e300)
    values["volume_ratio"] = 1.0
    return Conditions(
        time_s=np.asarray(knots_s, dtype=float),
        **{name: np.full(len(knots_s), float(value)) for name, value in values.items()},
    )


def checked_times(
    times_s: Sequence[float] | FloatArray, conditions: Conditions, start_s: float | None
) -> tuple[FloatArray, float]:
    """The times of a history and its start (the first knot where none is given), or `OptionError`."""
    times = np.ascontiguousarray(times_s, dtype=float)
    began = float(conditions.time_s[0]) if start_s is None else float(start_s)
    if times.ndim != 1 or not len(times) or np.any(np.diff(times) <= 0) or not np.isfinite(times).all():
        raise OptionError(
            "the times do not rise", where="times_s", allowed="one or more finite, rising times"
        )
    if times[0] < began:
        raise OptionError(
            f"{times[0]:g} s lies before the start", where="times_s", allowed=f"{began:g} s or later"
        )
    return times, began
