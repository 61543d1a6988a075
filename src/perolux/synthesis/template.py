"""Crystals in the pores of a template: a solution dries, and no crystal grows wider than its pore.

    v = min(pi D^3/6, supply),   D = d - 2 shell,   supply = filling c v_m N_A (pi d^2/4) stretch

d is the diameter of a pore, c the concentration that has crystallised, v_m the volume of a formula unit. A
crystal draws on its own stretch of its own pore; where that holds more than a crystal as wide as the pore,
more crystals of that size form. As the solvent leaves at a constant rate, what exceeds the solubility c_s of
a flat surface has crystallised: c = c_0 - c_s (1 - evaporated). Crystals are spheres; there is no barrier to
nucleation, no ripening between pores, and where the smallest crystal has no room or supply there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError, Problem
from perolux.quantities import Value
from perolux.quantities.constants import AVOGADRO_PER_MOL
from perolux.synthesis.feasibility import lead_problem, missing_ions, unknown_chemicals
from perolux.synthesis.history import SizeDistribution
from perolux.synthesis.kinetics import priors
from perolux.synthesis.ledger import amounts_of
from perolux.synthesis.recipe_solid import Pores, TemplateRecipe
from perolux.synthesis.schedule import formula_volume_m3
from perolux.synthesis.solid_priors import chosen, solid_priors
from perolux.synthesis.supply import Supply, supply_of

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble
    from perolux.synthesis.inline_spectra import InlineSpectra
    from perolux.synthesis.solid_light import Light

__all__ = ["InPores", "Templated", "crystals_in_pores", "grow_in_pores"]

FloatArray = npt.NDArray[np.float64]
_NODES = 400
_ROWS = 20
_NARROW = 1e-6
"""Pores whose diameters vary by less are all alike."""


@dataclass(frozen=True)
class InPores:
    """Crystals by pore: diameter_nm, number per nm of pore (0: none), pore_limited: ended by the wall."""

    diameter_nm: FloatArray
    number_per_nm: FloatArray
    pore_limited: npt.NDArray[np.bool_]


def crystals_in_pores(
    pore_nm: FloatArray, solid_share: float, shell_nm: float, stretch_nm: float, smallest_nm: float
) -> InPores:
    """Crystals in pores of these diameters (nm) where `solid_share` of the pore's volume has crystallised.

    Volume is kept: number per nm times the volume of a crystal is solid_share pi d^2/4, or there is none.
    """
    d = np.asarray(pore_nm, dtype=float)
    per_nm = solid_share * np.pi * d**2 / 4.0
    widest = np.maximum(d - 2.0 * shell_nm, 0.0)
    full, supply = np.pi * widest**3 / 6.0, per_nm * stretch_nm
    limited = supply >= full
    volume = np.where(limited, full, supply)
    size = np.cbrt(6.0 * volume / np.pi)
    there = (size >= smallest_nm) & (per_nm > 0)
    number = np.where(there, per_nm / np.where(there, volume, 1.0), 0.0)
    return InPores(np.where(there, size, 0.0), number, limited & there)


@dataclass(frozen=True)
class Templated:
    """A recipe dried in its template. Numbers are per m^3 of pores.

    pore_nm, pore_share: diameters, and the number of pores of equal length of each (sum 1). pores_ml: volume
    of all pores; loaded: part of the solution that is in them. constants: as used, of which the recipe gave
    `given`. evaporated: at each time.
    """

    recipe: TemplateRecipe
    constants: dict[str, float]
    given: tuple[str, ...]
    supply: Supply
    pore_nm: FloatArray
    pore_share: FloatArray
    pores_ml: float
    loaded: float
    time_s: FloatArray
    evaporated: FloatArray
    warnings: tuple[str, ...]

    COLUMNS: ClassVar[tuple[tuple[str, str, str, float], ...]] = (
        ("t_s", "t (s)", ".4g", 1.0),
        ("evaporated", "evaporated (%)", ".1f", 100.0),
        ("N_per_m3", "N (1/m3 pores)", ".3g", 1.0),
        ("mean_diameter_nm", "mean diameter (nm)", ".3f", 1.0),
        ("cv", "cv", ".3f", 1.0),
        ("crystallised", "crystallised (% of loaded)", ".1f", 100.0),
        ("pore_limited", "ended by the pore (% of N)", ".1f", 100.0),
    )
    """Columns of a table of `rows`: key, heading, format, factor."""

    @property
    def concentration_mol_l(self) -> float:
        """Formula units in the solution as it is loaded (mol/L)."""
        return 1e-3 * self.supply.formula_umol / self.supply.volume_ml

    def _crystals(self, evaporated: float) -> InPores:
        c_s = self.constants["solution_solubility_mol_l"]
        solid = max(self.concentration_mol_l - c_s * (1.0 - evaporated), 0.0)
        share = (
            self.recipe.pores.filling
            * 1e3
            * solid
            * AVOGADRO_PER_MOL
            * formula_volume_m3(self.recipe.product)
        )
        return crystals_in_pores(
            self.pore_nm,
            share,
            self.constants["template_shell_nm"],
            self.constants["crystal_spacing_nm"],
            2.0 * self.constants["least_radius_nm"],
        )

    def _per_m3(self, per_nm: FloatArray) -> FloatArray:
        """Per m^3 of pores of what stands per nm of each pore."""
        area_nm2 = float(self.pore_share @ (np.pi * self.pore_nm**2 / 4.0))
        return 1e27 * self.pore_share * per_nm / area_nm2

    def _sizes(self, crystals: InPores) -> SizeDistribution:
        there = (crystals.number_per_nm > 0) & (self.pore_share > 0)
        radius = 0.5e-9 * crystals.diameter_nm[there]
        return SizeDistribution(radius, radius, self._per_m3(crystals.number_per_nm)[there])

    @property
    def distributions(self) -> tuple[SizeDistribution, ...]:
        """Radii at each time, numbers per m^3 of pores."""
        return tuple(self._sizes(self._crystals(float(e))) for e in self.evaporated)

    def rows(self) -> list[dict[str, Any]]:
        """Rows over time. crystallised: part of what was loaded; pore_limited: of the number of crystals."""
        loaded = self.loaded * self.supply.formula_umol
        found = []
        for time, gone in zip(self.time_s, self.evaporated, strict=True):
            crystals = self._crystals(float(gone))
            sizes = self._sizes(crystals)
            number = self._per_m3(crystals.number_per_nm)
            total = sizes.number
            found.append(
                {
                    "t_s": float(time),
                    "evaporated": float(gone),
                    "N_per_m3": total,
                    "mean_diameter_nm": None if sizes.mean_radius_m is None else 2e9 * sizes.mean_radius_m,
                    "cv": sizes.cv,
                    "crystallised": self._bound_umol(sizes) / loaded,
                    "pore_limited": float(number[crystals.pore_limited].sum()) / total if total > 0 else None,
                }
            )
        return found

    def _bound_umol(self, sizes: SizeDistribution) -> float:
        """Formula units in crystals (micromol), from their sizes."""
        volume = 4.0 * np.pi / 3.0 * sizes.moment(3) * 1e-6 * self.pores_ml
        return 1e6 * volume / (formula_volume_m3(self.recipe.product) * AVOGADRO_PER_MOL)

    def yield_at(self, time_s: float) -> float:
        """Share of the scarcest component, of all that was fed, that is in crystals at a time."""
        crystals = self._crystals(min(time_s / self.recipe.drying.over, 1.0))
        return self._bound_umol(self._sizes(crystals)) / self.supply.formula_umol

    def balances(self) -> dict[str, dict[str, float]]:
        """Where each ion is at the end, micromol.

        in_crystals: from their sizes. dissolved: in what is left of the solution in pores. without_crystal:
        fallen out in pores where the smallest crystal has no room or supply. outside: in solution that no
        pore took up, whose fate is not followed.
        """
        evaporated = float(self.evaporated[-1])
        crystals = self._crystals(evaporated)
        formula, loaded = self.supply.formula_umol, self.loaded * self.supply.formula_umol
        c_s = self.constants["solution_solubility_mol_l"]
        dissolved = min(c_s * (1.0 - evaporated) / self.concentration_mol_l, 1.0)
        area = self.pore_share * self.pore_nm**2
        empty = float(area[crystals.number_per_nm <= 0].sum() / area.sum())
        return self.supply.balances(
            in_crystals_umol=self._bound_umol(self._sizes(crystals)),
            dissolved_umol=dissolved * loaded,
            without_crystal_umol=empty * (1.0 - dissolved) * loaded,
            outside_umol=(1.0 - self.loaded) * formula,
        )

    def ensemble(self) -> Ensemble | None:
        """The crystals at the end as spheres; None where there are none."""
        from perolux.ensemble import Population, from_table

        last = self.distributions[-1]
        if not len(last):
            return None
        population = Population(shape="sphere", size_convention="core-diameter", material=self.recipe.product)
        return from_table(2e9 * last.low_m, population, last.number_per_m3)

    def light(self, temperature_k: float = 298.0) -> Light:
        """Emission of the crystals at the end. Raises `OptionError` where there are none."""
        from perolux.synthesis.solid_light import emission_of

        ensemble = self.ensemble()
        if ensemble is None:
            raise OptionError("there are no crystals", where="template")
        return emission_of(ensemble, temperature_k)

    def spectra(self, *, sets: str | None = None, seed: int = 0) -> InlineSpectra:
        """PL of the spheres at the times of the rows, as [spectra] of the recipe says; no absorbance."""
        from perolux.synthesis.inline_spectra import inline_spectra, spectrometer_of

        return inline_spectra(
            self.recipe.product,
            self.distributions,
            self.time_s,
            spectrometer=spectrometer_of(self.recipe.spectra),
            sets=sets,
            seed=seed,
            shape="sphere",
            no_path="a porous powder scatters light, whose path through it is not known",
        )

    def rests_on(self) -> list[Value]:
        """The priors that this result rests on."""
        known = solid_priors() | priors()
        return [known[name] for name in self.constants if name not in self.given]


def grow_in_pores(recipe: TemplateRecipe, *, drawn: Mapping[str, float] | None = None) -> Templated:
    """Carry out a template recipe. Raises `OptionError` with all that cannot be carried out, and
    `ModelRangeError` where spheres would not fit one behind the other.

    drawn: constants in place of the middle of the priors, where the recipe gives none.
    """
    groups = [("solution.contents", recipe.solution.contents)]
    if problems := unknown_chemicals(groups):
        raise OptionError(problems)
    amounts = amounts_of(recipe.solution.contents)
    pores_ml = recipe.pores.mass * recipe.pores.volume
    taken = recipe.pores.filling * pores_ml
    problems = missing_ions(recipe.product, groups)
    if amounts.volume_ml <= 0:
        problems.append(
            Problem("there is no liquid in the solution", "solution.contents", "a solvent with its volume")
        )
    else:
        problems += lead_problem(amounts, "solution.contents")
    if amounts.volume_ml > 0 and taken > amounts.volume_ml * (1 + 1e-12):
        problems.append(
            Problem(
                f"the pores take up {taken:.4g} mL of {amounts.volume_ml:.4g} mL",
                "pores.filling",
                f"up to {amounts.volume_ml / pores_ml:.3g}",
                "more solution, or a smaller filling",
            )
        )
    if problems:
        raise OptionError(problems)
    supply = supply_of(recipe.product, amounts)
    own = recipe.kinetics.model_dump()
    radius = own.pop("least_radius_nm")
    constants, given = chosen(own, drawn)
    free = (drawn or {}).get("least_radius_nm", priors()["least_radius_nm"].number)
    constants["least_radius_nm"] = free if radius is None else radius
    given = given if radius is None else (*given, "least_radius_nm")
    pore, share = _pores(recipe.pores)
    times = _times(recipe)
    found = Templated(
        recipe, constants, given, supply, pore, share, pores_ml, min(taken / amounts.volume_ml, 1.0),
        times, np.minimum(times / recipe.drying.over, 1.0), (),
    )  # fmt: skip
    crystals = found._crystals(1.0)
    crowded = float(np.max(crystals.number_per_nm * crystals.diameter_nm))
    if crowded > 1.0:
        raise ModelRangeError(
            f"crystals would fill the length of a pore {crowded:.3g} times over",
            where="solution.contents",
            allowed="spheres side by side",
            fix="a more dilute solution, a smaller filling, a thinner shell or a longer stretch",
        )
    return replace(found, warnings=_warnings(found))


def _pores(pores: Pores) -> tuple[FloatArray, FloatArray]:
    """Diameters (nm) and shares of the number of pores: the table, or a lognormal at equal quantiles."""
    if pores.diameters is not None and pores.shares is not None:
        shares = np.array(pores.shares, dtype=float)
        return np.array(pores.diameters, dtype=float), shares / shares.sum()
    from scipy.special import ndtri

    assert pores.mean is not None and pores.cv is not None
    if pores.cv < _NARROW:
        return np.array([pores.mean]), np.ones(1)
    sigma = np.sqrt(np.log1p(pores.cv**2))
    z = ndtri((np.arange(_NODES) + 0.5) / _NODES)
    # the nodes get the mean and the spread exactly
    d = np.exp(sigma * z)
    return pores.mean * (1.0 + pores.cv * (d - d.mean()) / d.std()), np.full(_NODES, 1.0 / _NODES)


def _times(recipe: TemplateRecipe) -> FloatArray:
    end = recipe.observe.until
    if recipe.observe.times is None:
        return np.linspace(0.0, end, _ROWS)
    times = np.array(recipe.observe.times)
    return times if times[-1] == end else np.append(times, end)


def _warnings(found: Templated) -> tuple[str, ...]:
    said = [f"{found.supply.limiting} is the scarcest", *found.supply.foreign]
    if found.evaporated[-1] < 1.0:
        said.append(f"{100 * found.evaporated[-1]:.3g} % of the solvent has left at the end: not dry")
    one = found.balances()[found.supply.limiting]
    if one["without_crystal_umol"] > 1e-3 * one["fed_umol"]:
        share = 100 * one["without_crystal_umol"] / one["fed_umol"]
        smallest = 2 * found.constants["least_radius_nm"]
        said.append(f"{share:.2g} % lies in pores where a crystal of {smallest:.2g} nm has no room or supply")
    if one["outside_umol"] > 1e-3 * one["fed_umol"]:
        share = 100 * one["outside_umol"] / one["fed_umol"]
        said.append(f"{share:.2g} % of the solution stays outside the pores and is not followed")
    if not len(found.distributions[-1]):
        said.append("no crystal has formed")
    return tuple(said)
