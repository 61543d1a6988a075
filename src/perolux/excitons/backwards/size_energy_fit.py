"""A parameter set from a user's own table of sizes and energies.

    E(L) = Eg + Ry e(L/aB), softened, less the Stokes shift in emission

Chosen parameters are fitted, the others stay as given. Any forward function of core sizes and parameters can
take the place of the softened hard-wall pair. The result names what trades off (the gap against the Stokes
shift exactly; mass, dielectric constant, gap and softening more or less, as the sizes allow), gives
profile-likelihood intervals, and can be written as a record file with a named parameter set
(`perolux.materials.own_records`) that every other room uses like a packaged one. A set fitted to a sizing
curve reproduces that curve; it is not a prediction of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError, Problem
from perolux.excitons.assumptions import assumption
from perolux.excitons.backwards._profiles import profile as find_interval
from perolux.excitons.backwards.size_energy_table import SizeEnergyTable
from perolux.excitons.backwards.sizing import confinement_energy_ev
from perolux.fitting import FitResult, ProfileInterval, least_squares
from perolux.materials import ExcitonScale, Material, quantities
from perolux.materials.own_records import record_text, write_records
from perolux.quantities import Value
from perolux.quantities.constants import BOHR_RADIUS_NM, RYDBERG_EV

__all__ = [
    "Forward",
    "SizeEnergyFit",
    "fit_size_energy",
    "hard_wall_energy_ev",
    "material_parameters",
]

FloatArray = npt.NDArray[np.float64]
Forward = Callable[[FloatArray, Mapping[str, float]], npt.ArrayLike]
"""Core sizes (n,) in nm (edge of a cube, diameter of a sphere) and all parameters to energies (n,) in eV."""

_DEGENERATE = 0.9
_LOOSE = 0.5
"""Relative error from which a parameter is called hardly determined."""
_SPOILT = 1.02
"""Factor on the start: an exact start on data without noise would leave only rounding to be judged."""
_SCALES = "reduced_mass_m0 and eps_effective, or bohr_radius_nm and rydberg_ev"
_RECORDS = {
    "gap_ev": "gap",
    "reduced_mass_m0": "reduced_mass",
    "eps_effective": "eps_effective",
    "bohr_radius_nm": "bohr_radius",
    "rydberg_ev": "rydberg",
}
_PRIORS = {"hard_wall_excess_ev": "hard_wall_excess_ev", "stokes_shift_ev": "stokes_shift_ev"}


def hard_wall_energy_ev(
    core_nm: FloatArray, parameters: Mapping[str, float], shape: str = "cube"
) -> FloatArray:
    """First exciton, or with a Stokes shift the PL peak, of hard-wall cubes or spheres; (n,), eV.

    parameters: gap_ev; reduced_mass_m0 and eps_effective, or bohr_radius_nm and rydberg_ev; where wanted
    hard_wall_excess_ev (`sizing`) and stokes_shift_ev. Not a number where the softening exceeds the
    confinement: a search turns back there.
    """
    scale = _scale(parameters)
    size = core_nm / 2.0 if shape == "sphere" else core_nm
    excess = parameters.get("hard_wall_excess_ev", 0.0)
    try:
        confined = confinement_energy_ev(size, scale, shape, excess_at_4nm_ev=excess)
    except OptionError:
        return np.full(np.shape(core_nm), np.nan)
    return np.asarray(parameters["gap_ev"] + confined - parameters.get("stokes_shift_ev", 0.0))


def material_parameters(material: Material) -> dict[str, Value]:
    """Start values of a material: gap, reduced mass and dielectric constant, as `Value`s."""
    return {name: material.value(_RECORDS[name]) for name in ("gap_ev", "reduced_mass_m0", "eps_effective")}


@dataclass(frozen=True, eq=False)
class SizeEnergyFit:
    """Parameters fitted to a table. fit: the free ones; given: all start values, of which the fixed stand.

    degeneracies: sentences that name what trades off or is hardly determined.
    """

    table: SizeEnergyTable
    fit: FitResult
    given: Mapping[str, float | Value]
    forward: Forward
    intervals: tuple[ProfileInterval, ...]
    degeneracies: tuple[str, ...]

    def __getitem__(self, name: str) -> float:
        return self.fit[name] if name in self.fit.names else _plain(self.given[name])

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters, the fixed ones included."""
        return {name: self[name] for name in self.given}

    def energy_ev(self, core_nm: npt.ArrayLike) -> FloatArray:
        """The fitted curve at core sizes, eV."""
        return np.asarray(self.forward(np.asarray(core_nm, dtype=np.float64), self.parameters))

    def values(self) -> dict[str, Value]:
        """The set as records by quantity: mass, dielectric constant, and the gap at the table's temperature.

        Fitted ones are `derived`, with sigma; fixed ones keep kind and source, or are `assumed`.
        """
        found = {}
        for quantity, name in (("reduced_mass", "reduced_mass_m0"), ("eps_effective", "eps_effective")):
            found[quantity] = self._value(quantity, name)
        found["gap"] = self._value("gap", "gap_ev")
        return found

    def text(self, set_name: str) -> str:
        """The set as the text of a record file."""
        note = f"fit of {', '.join(self.fit.names)} to {self._what()}"
        others = [f"{n} = {self[n]:.4g}" for n in _PRIORS if n in self.given]
        if others:
            note += f"; holds with {', '.join(others)}, which no record of a material keeps"
        return record_text(self.table.material, set_name, self.values(), note=note)

    def write(self, path: str | Path, set_name: str) -> Path:
        """Write the set as a record file, atomically; `use_records(path)` then offers it everywhere."""
        return write_records(path, self.text(set_name))

    def summary(self) -> str:
        """The result as plain text."""
        reduced = self.fit.reduced_chi2
        chi = (
            ""
            if reduced is None or self.table.sigma_ev is None
            else f", chi2 per degree of freedom {reduced:.2f}"
        )
        worst = float(np.max(np.abs(self.table.energy_ev - self.energy_ev(self.table.core_nm))))
        lines = [f"{self._what()}{chi}, largest misfit {1e3 * worst:.1f} meV"]
        found = {one.name: one for one in self.intervals}
        for name in self.given:
            if name not in self.fit.names:
                lines.append(f"  {name} = {self[name]:.5g} (fixed)")
                continue
            sigma = self.fit.sigma[self.fit.names.index(name)]
            text = f"  {name} = {self[name]:.5g}" + ("" if sigma is None else f" +- {sigma:.2g}")
            if name in found:
                ends = ["open" if e is None else f"{e:.5g}" for e in (found[name].low, found[name].high)]
                text += f", {100 * found[name].level:g} % from {ends[0]} to {ends[1]}"
            lines.append(text)
        lines += [f"  trades off: {text}" for text in self.degeneracies]
        lines += [f"  open: {one.reason}" for one in self.intervals if one.reason]
        lines += [f"  warning: {text}" for text in self.fit.warnings]
        lines.append("  a fit to a sizing curve reproduces it; it is no prediction")
        return "\n".join(lines)

    def plot(self, axes: Any = None) -> Any:
        """Draw the table and the fitted curve with matplotlib and return the axes."""
        if axes is None:
            import matplotlib.pyplot as plt

            axes = plt.subplots(figsize=(5, 3.2), layout="constrained")[1]
        dense = np.linspace(self.table.core_nm.min(), self.table.core_nm.max(), 200)
        axes.plot(dense, self.energy_ev(dense))
        axes.errorbar(self.table.core_nm, self.table.energy_ev, self.table.sigma_ev, fmt="o", markersize=4)
        axes.set_xlabel("core size (nm)")
        axes.set_ylabel(f"{self.table.quantity} (eV)")
        return axes

    def _what(self) -> str:
        t = self.table
        return (
            f"{len(t)} sizes of {t.material} ({t.quantity}, {t.shape}, convention {t.convention}, "
            f"{t.temperature_k:g} K; {t.source})"
        )

    def _value(self, quantity: str, name: str) -> Value:
        unit = quantities()[quantity].unit
        valid = (("temperature_k", self.table.temperature_k - 10.0, self.table.temperature_k + 10.0),)
        source = f"perolux: fitted to {self._what()}"
        number, sigma = self._number(name)
        if sigma is not None or self._fitted(name):
            return Value(number, unit, "derived", source, sigma=sigma, valid=valid)
        given = self.given.get(name)
        if isinstance(given, Value):
            note = f"fixed in a fit; {given.note}" if given.note else "fixed in a fit"
            return Value(
                given.number,
                unit,
                given.kind,
                given.source,
                sigma=given.sigma,
                low=given.low,
                high=given.high,
                valid=valid,
                note=note,
            )
        return Value(number, unit, "assumed", f"perolux: fixed in a fit to {self._what()}", valid=valid)

    def _fitted(self, name: str) -> bool:
        if name in self.fit.names:
            return True
        return name in ("reduced_mass_m0", "eps_effective") and bool(
            {"bohr_radius_nm", "rydberg_ev"} & set(self.fit.names)
        )

    def _number(self, name: str) -> tuple[float, float | None]:
        """A parameter and its sigma; mass and constant from Bohr radius and Rydberg where those stand."""
        if name in self.given:
            sigma = self.fit.sigma[self.fit.names.index(name)] if name in self.fit.names else None
            return self[name], sigma
        # eps = Ry0 a0/(Ry aB), mu = a0 eps/aB: powers (-1, -1) and (-2, -1) of (aB, Ry)
        eps = RYDBERG_EV * BOHR_RADIUS_NM / (self["rydberg_ev"] * self["bohr_radius_nm"])
        number = eps if name == "eps_effective" else BOHR_RADIUS_NM * eps / self["bohr_radius_nm"]
        power = {"bohr_radius_nm": -1.0 if name == "eps_effective" else -2.0, "rydberg_ev": -1.0}
        if self.fit.covariance is None:
            return number, None
        slope = np.array([number * power.get(n, 0.0) / self[n] for n in self.fit.names])
        sigma = float(np.sqrt(slope @ self.fit.covariance @ slope))
        return number, sigma if sigma > 0 else None


def fit_size_energy(
    table: SizeEnergyTable,
    start: Mapping[str, float | Value],
    free: str | Sequence[str],
    *,
    forward: Forward | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    profile: bool = True,
    level: float = 0.95,
) -> SizeEnergyFit:
    """Fit the parameters named in `free` (or the one) to a table; all others stay at their `start` values.

    start: every parameter of the forward function (`material_parameters` gives those of a material). forward:
    core sizes and parameters to energies, by default `hard_wall_energy_ev` in the shape of the table. bounds:
    of parameters; by default those that a record of the quantity, or the prior, allows. Without sigmas their
    common size comes from the scatter. Raises `OptionError` for what cannot be a fit of this table.
    """
    free = (free,) if isinstance(free, str) else tuple(free)
    _check(table, start, free, own_forward=forward is not None)
    values = {name: _plain(value) for name, value in start.items()}

    def pair(core: FloatArray, parameters: Mapping[str, float]) -> FloatArray:
        return hard_wall_energy_ev(core, parameters, table.shape)

    model = pair if forward is None else forward
    weight = np.ones(len(table)) if table.sigma_ev is None else 1.0 / table.sigma_ev

    def residual(p: FloatArray) -> FloatArray:
        whole = values | dict(zip(free, p.tolist(), strict=True))
        return np.asarray(weight * (table.energy_ev - np.asarray(model(table.core_nm, whole))))

    limits = [(bounds or {}).get(name) or _default_bounds(name) for name in free]
    low, high = (np.array([limit[side] for limit in limits]) for side in (0, 1))
    absolute = table.sigma_ev is not None
    found: list[FitResult] = []
    failures: list[ConvergenceError] = []
    for begin in _starts(values, free, low, high):
        try:
            found.append(
                least_squares(residual, begin, names=free, low=low, high=high, absolute_sigma=absolute)
            )
        except ConvergenceError as error:
            failures.append(error)
    if not found:
        raise failures[0]
    fit = min(found, key=lambda one: one.chi2)
    intervals: tuple[ProfileInterval, ...] = ()
    if profile:
        intervals = tuple(find_interval(residual, None, fit, name, level, low, high) for name in free)
    return SizeEnergyFit(table, fit, dict(start), model, intervals, _degeneracies(fit))


def _starts(
    values: Mapping[str, float], free: Sequence[str], low: FloatArray, high: FloatArray
) -> list[FloatArray]:
    """Several starts inside the bounds: with mass and constant trading off, chi^2 has long bent valleys."""
    first = np.array([values[name] for name in free])
    span = np.where(np.isfinite(high - low), high - low, np.maximum(np.abs(first), 1e-3))
    first = np.where(first == 0.0, low + 0.3 * span, first * _SPOILT)
    starts = [first]
    for name, factors in (("eps_effective", (0.6, 1.6)), ("rydberg_ev", (0.6, 1.6))):
        if name in free:
            i = list(free).index(name)
            starts += [np.where(np.arange(len(first)) == i, factor * first, first) for factor in factors]
    if "hard_wall_excess_ev" in free:
        i = list(free).index("hard_wall_excess_ev")
        starts.append(np.where(np.arange(len(first)) == i, low + 0.5 * span, first))
    return [np.clip(start, low + 1e-3 * span, high - 1e-3 * span) for start in starts]


def _scale(parameters: Mapping[str, float]) -> ExcitonScale:
    if "bohr_radius_nm" in parameters:
        return ExcitonScale(parameters["bohr_radius_nm"], parameters["rydberg_ev"])
    mass, eps = parameters["reduced_mass_m0"], parameters["eps_effective"]
    return ExcitonScale(BOHR_RADIUS_NM * eps / mass, RYDBERG_EV * mass / eps**2)


def _plain(value: float | Value) -> float:
    return value.number if isinstance(value, Value) else float(value)


def _check(
    table: SizeEnergyTable, start: Mapping[str, float | Value], free: Sequence[str], *, own_forward: bool
) -> None:
    problems = []
    for name, value in start.items():
        try:
            finite = bool(np.isfinite(_plain(value)))
        except (TypeError, ValueError):
            finite = False
        if not finite:
            problems.append(Problem(f"{name} = {value!r} is no finite number", "start"))
    unknown = [name for name in free if name not in start]
    if unknown:
        problems.append(Problem(f"no start value of {unknown[0]!r}", "free", ", ".join(start)))
    if not free or len(set(free)) < len(free):
        problems.append(Problem("no parameter is to be fitted, or one is named twice", "free"))
    if len(np.unique(table.core_nm)) < len(free):
        problems.append(
            Problem(f"{len(np.unique(table.core_nm))} sizes cannot determine {len(free)} parameters")
        )
    both = {"reduced_mass_m0", "eps_effective"} & set(start), {"bohr_radius_nm", "rydberg_ev"} & set(start)
    if both[0] and both[1]:
        problems.append(
            Problem(
                "the scale is given twice",
                "start",
                "mass and dielectric constant, or Bohr radius and Rydberg",
            )
        )
    if not own_forward and not (both[0] and both[1]):
        scale = ("bohr_radius_nm", "rydberg_ev") if both[1] else ("reduced_mass_m0", "eps_effective")
        absent = [name for name in ("gap_ev", *scale) if name not in start]
        if absent:
            problems.append(
                Problem(
                    f"{', '.join(absent)} not given",
                    "start",
                    f"gap_ev and {_SCALES}",
                    "take the rest from material_parameters(material(...))",
                )
            )
    if problems:
        raise OptionError(problems)


def _default_bounds(name: str) -> tuple[float, float]:
    if name in _RECORDS:
        spec = quantities()[_RECORDS[name]]
        return spec.low, spec.high
    if name in _PRIORS:
        prior = assumption(_PRIORS[name])
        if prior.low is not None and prior.high is not None:
            return prior.low, prior.high
    return -np.inf, np.inf


def _degeneracies(fit: FitResult) -> tuple[str, ...]:
    told = []
    correlation = fit.correlation
    if correlation is not None:
        for i, j in combinations(range(len(fit.names)), 2):
            if abs(correlation[i, j]) >= _DEGENERATE:
                told.append(f"{fit.names[i]} and {fit.names[j]}, correlation {correlation[i, j]:+.3f}")
    for name, value, sigma in zip(fit.names, fit.values, fit.sigma, strict=True):
        if sigma is not None and sigma > _LOOSE * abs(value):
            told.append(f"{name} is hardly determined: {value:.3g} +- {sigma:.2g}")
    return tuple(told)
